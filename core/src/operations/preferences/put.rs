//! `PUT /v1/preferences/notifications`

use alloc::{boxed::Box, collections::BTreeSet, format, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::PreferencesView;
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, IfMatch, Method, Outcome, Parsed, Precondition,
        Problem, ReadRequest, Route, Success, UseCase, authority::head_key, schema,
    },
    permission::Permit,
    record::{EventType, Preferences, Record, Rule},
    storage::Scope,
};

/// The accounts and projects in rules are not looked up. A rule about something that the caller may
/// not view matches nothing, so setting it reveals nothing.
struct PutPreferences {
    input: Input,
    if_match: IfMatch,
}

/// Notification preferences to set.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewNotificationPreferences")]
struct Input {
    /// All rules from now on.
    #[schemars(length(max = 200))]
    rules: Vec<Rule>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Put,
    "/v1/preferences/notifications",
    "put_notification_preferences",
    "Replace the caller's notification preferences",
    parse,
)
.describes(
    "At most 200 rules. A rule about an account or project that the caller cannot see matches \
     nothing.",
)
.budget(Budget::WRITE)
.takes(schema::<Input>, BODY)
.precondition(Precondition::Optional)
.answers(&[Success::ok(
    schema::<PreferencesView>,
    Example::Text(super::EXAMPLE),
)]);

const BODY: &str = r#"{
  "rules": [
    {
      "event": "grant.created",
      "channel": "mail",
      "enabled": false
    }
  ]
}"#;

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input: Input = request.body()?;
    check(&input.rules)?;
    Ok(Box::new(PutPreferences {
        input,
        if_match: request.if_match()?,
    }))
}

fn check(rules: &[Rule]) -> Result<(), Problem> {
    if rules.len() > Preferences::RULES {
        return Err(Problem::field("rules", "may hold at most 200 rules"));
    }
    let mut known = BTreeSet::new();
    for (position, rule) in rules.iter().enumerate() {
        if !known.insert((rule.event, rule.channel, rule.scope)) {
            return Err(Problem::field(
                format!("rules[{position}]"),
                "has the same event, channel and scope as an earlier rule; remove one of them",
            ));
        }
    }
    Ok(())
}

impl UseCase for PutPreferences {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let head = head_key(Scope::User(context.user()));
        Ok(vec![
            ReadRequest::Get(head),
            ReadRequest::Get(super::key(context)),
        ])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let before: Option<Record<Preferences>> = facts.record(&super::key(context))?;
        let etag = before.as_ref().map(Record::etag);
        self.if_match.check(etag.as_ref())?;
        let head = facts.record(&head_key(Scope::User(context.user())))?;
        let mut commit = Commit::open(context, Permit::own_profile(&context.actor), head)?;
        let body = Preferences {
            rules: self.input.rules.clone(),
        };
        let after = match &before {
            Some(before) => commit.update(before, body),
            None => commit.create(context.user(), body),
        };
        commit.finish(EventType::PreferencesUpdated, super::reply(Some(&after)))
    }

    fn writes(&self, context: &Context<'_>) -> Option<Scope> {
        Some(Scope::User(context.user()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::Fixture;

    const PATH: &str = "/v1/preferences/notifications";
    const PROJECT: &str = "prj_01h2xcejqtf2nbrexx3vqjhp4101h2xcejqtf2nbrexx3vqjhp41";

    fn rule(scope: Option<&str>) -> Value {
        let mut rule = json!({ "event": "version.available", "channel": "mail", "enabled": true });
        if let Some(scope) = scope {
            rule["scope"] = json!(scope);
        }
        rule
    }

    #[test]
    fn preferences_are_set_and_replaced() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let rules = json!({ "rules": [rule(None), rule(Some(PROJECT))] });
        let made = fixture.put(&ana, PATH, rules.clone()).expect(200);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(made.body["rules"], rules["rules"]);
        assert_eq!(made.body["version"], 1);
        let replaced = fixture.put(&ana, PATH, json!({ "rules": [] })).expect(200);
        assert_eq!(replaced.body["version"], 2);
        let shown = fixture.get(&ana, PATH).expect(200);
        assert_eq!(shown.body, replaced.body);
        assert_eq!(shown.etag, replaced.etag);
    }

    #[test]
    fn stale_etag_does_not_change_preferences() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let headers = [("if-match", "*")];
        let rules = json!({ "rules": [rule(None)] });
        let before = fixture.dump();
        fixture
            .send(&ana, "PUT", PATH, &headers, Some(rules.clone()))
            .expect(412);
        assert_eq!(fixture.dump(), before);
        let first = fixture.put(&ana, PATH, rules.clone()).expect(200).etag;
        fixture.put(&ana, PATH, json!({ "rules": [] })).expect(200);
        let before = fixture.dump();
        let headers = [("if-match", first.as_deref().unwrap())];
        fixture
            .send(&ana, "PUT", PATH, &headers, Some(rules))
            .expect(412);
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn bad_rules_are_named() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let before = fixture.dump();
        let many: Vec<Value> = (0..=Preferences::RULES).map(|_| rule(None)).collect();
        let mut unknown = rule(None);
        unknown["event"] = json!("moon.risen");
        let mut extra = rule(None);
        extra["user"] = json!("usr_01h2xcejqtf2nbrexx3vqjhp41");
        for (rules, field) in [
            (json!(many), "rules"),
            (json!([rule(None), rule(None)]), "rules[1]"),
            (json!([unknown]), "rules[0].event"),
            (json!([extra]), "rules[0].user"),
            (json!([rule(Some("everything"))]), "rules[0].scope"),
        ] {
            let answer = fixture
                .put(&ana, PATH, json!({ "rules": rules }))
                .expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        assert_eq!(fixture.dump(), before);
    }
}
