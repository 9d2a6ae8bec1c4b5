//! `POST /v1/projects/{project}/access/preview`

use alloc::{boxed::Box, collections::BTreeSet, format, vec, vec::Vec};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    operation::{
        ARCHIVED, Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{ProjectRecords, Roster},
        schema,
        view::ListView,
    },
    operations::grants::{Proposal, Recipient, may_revoke},
    permission::{
        Access,
        preview::{Difference, changed, preview},
    },
    record::{Author, Clock, Grant, Record},
    storage::Range,
    value::{Capabilities, Capability, GrantId, ProjectId, UserId, canonical},
};

/// The maximum number of grants to add, and of grants to revoke, in one preview.
const CHANGES: usize = 50;

/// The maximum number of compared rows of members and their teams.
const ROWS: u32 = 10_000;

#[derive(Debug)]
struct PreviewAccess {
    project: ProjectId,
    input: Input,
}

/// A change of grants to preview.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AccessChange")]
struct Input {
    /// Grants to make.
    #[serde(default)]
    #[schemars(length(max = 50))]
    add: Vec<Proposal>,
    /// Grants to revoke.
    #[serde(default)]
    #[schemars(length(max = 50))]
    revoke: Vec<GrantId>,
}

/// What would change for one person.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccessDifference")]
struct DifferenceView {
    user: UserId,
    /// Capabilities that the person would gain.
    gained: Capabilities,
    /// Capabilities that the person would lose.
    lost: Capabilities,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        let Difference { user, gained, lost } = difference;
        Self { user, gained, lost }
    }
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/access/preview",
    "preview_access",
    "Preview what a change of grants would give and take",
    parse,
)
.describes(
    "Answers what each person would gain and lose if the grants were made and revoked. \
     Changes nothing. At most 50 grants to add and 50 to revoke.",
)
.requires(Requires::Project(Capability::GrantManage))
.budget(Budget::LIST)
.takes(schema::<Input>, BODY)
.answers(&[Success::ok(
    schema::<ListView<DifferenceView>>,
    Example::Page(EXAMPLE),
)])
.refuses(&[
    (
        ProblemKind::Escalation,
        "a role confers a capability that the caller does not have",
    ),
    ARCHIVED,
    (
        ProblemKind::Conflict,
        "the account has too many members to compare",
    ),
]);

const EXAMPLE: &str = r#"{
  "user": "usr_01ks8vcv05qe9yjnxn3y5pwjh8",
  "gained": [
    "project.view", "artifact.view", "artifact.download", "metadata.view", "event.view"
  ],
  "lost": []
}"#;

const BODY: &str = r#"{
  "add": [
    {
      "principal": {
        "type": "user",
        "id": "usr_01ks8vcv05qe9yjnxn3y5pwjh8"
      },
      "role": "viewer"
    }
  ],
  "revoke": []
}"#;

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input: Input = request.body()?;
    for (field, length) in [("add", input.add.len()), ("revoke", input.revoke.len())] {
        if length > CHANGES {
            return Err(Problem::field(
                field,
                format!("may have at most {CHANGES} entries"),
            ));
        }
    }
    Ok(Box::new(PreviewAccess {
        project: request.path("project")?,
        input,
    }))
}

impl PreviewAccess {
    fn range(&self) -> Range {
        Roster::range(self.project.account(), None, ROWS)
    }

    fn records(&self, context: &Context<'_>, facts: &Facts) -> Result<ProjectRecords, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        access.check(Capability::GrantManage)?;
        Ok(records)
    }

    /// The grants to make. They pass the same checks as in `create_grant`.
    fn added(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        access: &Access<'_>,
    ) -> Result<Vec<Record<Grant>>, Problem> {
        let account = self.project.account();
        let record = |(position, proposal): (usize, &Proposal)| {
            let recipient = Recipient::load(facts, account, proposal.principal)?;
            let recipient = proposal.check(access, recipient, &format!("add[{position}]."))?;
            let grant = proposal.grant(self.project, &recipient);
            let id = context.env.id(&format!("grant {position}"));
            let author = Author::User(context.user());
            Ok(Record::new(id, grant, Clock::default(), access.now, author))
        };
        self.input.add.iter().enumerate().map(record).collect()
    }

    /// The grants to revoke. They pass the same checks as in `revoke_grant`.
    fn revoked(&self, access: &Access<'_>) -> Result<BTreeSet<GrantId>, Problem> {
        let check = |(position, id): (usize, &GrantId)| {
            let grant = access.grants.iter().find(|grant| grant.id == *id);
            let grant = grant.ok_or_else(|| {
                let field = format!("revoke[{position}]");
                Problem::field(field, "must be a grant of this project that is not revoked")
            })?;
            may_revoke(access, &grant.body).map(|()| *id)
        };
        self.input.revoke.iter().enumerate().map(check).collect()
    }
}

impl UseCase for PreviewAccess {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let reads = ProjectRecords::reads(self.project, context.user());
        if !facts.has_all(&reads) {
            return Ok(reads);
        }
        self.records(context, facts)?;
        let mut reads = vec![ReadRequest::Scan(self.range())];
        for proposal in &self.input.add {
            let account = self.project.account();
            reads.extend(Recipient::reads(account, proposal.principal));
        }
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = self.records(context, facts)?;
        let access = records.access(context.env.now);
        let add = self.added(context, facts, &access)?;
        let after = changed(access.grants, add, &self.revoked(&access)?);
        let roster = Roster::load(facts, &self.range())?;
        if roster.more {
            return Err(Problem::conflict(
                "the account has too many members to compare them all; ask for some with `access`",
            ));
        }
        let members = roster.accesses(access.account.account);
        let view = ListView {
            items: preview(access, &after, members)
                .map(DifferenceView::from)
                .collect(),
            next_cursor: None,
        };
        Ok(Outcome::Reply(Reply::ok(canonical::to_value(&view))))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, format, string::String, vec, vec::Vec};

    use serde_json::{Value, json};

    use crate::{testing::GrantFixture, testing::principal_of};

    impl GrantFixture {
        fn preview(&mut self, body: Value) -> crate::testing::Answered {
            let path = format!("{}/access/preview", self.path());
            self.base.post(&self.ben, &path, body)
        }

        /// The capabilities of each person in the account, as answered to the owner.
        fn all_capabilities(&mut self) -> BTreeMap<String, Vec<String>> {
            let people = [&self.ana, &self.ben, &self.cyd].map(|person| person.id());
            let path = self.path();
            let mut capabilities = |user: &String| {
                let path = format!("{path}/access?user={user}");
                let answer = self.base.get(&self.ana, &path).expect(200).body;
                serde_json::from_value(answer["capabilities"].clone()).unwrap()
            };
            people
                .iter()
                .map(|user| (user.clone(), capabilities(user)))
                .collect()
        }
    }

    #[test]
    fn preview_matches_the_change_and_changes_nothing() {
        let mut fixture = GrantFixture::new();
        let team = fixture.base.team(&fixture.ana, &fixture.account);
        fixture
            .base
            .assign(&fixture.ana, &fixture.account, &team, &fixture.ben);
        fixture
            .base
            .assign(&fixture.ana, &fixture.account, &team, &fixture.cyd);
        let add = json!({ "principal": principal_of(&team), "role": "contributor" });
        let body = json!({ "add": [add], "revoke": [fixture.management] });
        let before = fixture.base.dump();
        let answer = fixture.preview(body).expect(200).body;
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(fixture.base.dump(), before);
        assert_eq!(answer["next_cursor"], json!(null));
        let earlier = fixture.all_capabilities();
        fixture.grant_by_ben(add).expect(201);
        fixture
            .base
            .delete(&fixture.ana, &fixture.ben_grant())
            .expect(204);
        let later = fixture.all_capabilities();
        let mut expected = vec![];
        for (user, before) in &earlier {
            let after = &later[user];
            let gained: Vec<_> = after.iter().filter(|one| !before.contains(one)).collect();
            let lost: Vec<_> = before.iter().filter(|one| !after.contains(one)).collect();
            if !(gained.is_empty() && lost.is_empty()) {
                expected.push(json!({ "user": user, "gained": gained, "lost": lost }));
            }
        }
        assert_eq!(expected.len(), 2);
        assert_eq!(answer["items"], json!(expected));
    }

    #[test]
    fn preview_lists_only_people_with_changes() {
        let mut fixture = GrantFixture::new();
        let add = json!([
            { "principal": principal_of(&fixture.ben.id()), "role": "viewer" },
            { "principal": principal_of(&fixture.ana.id()), "role": "manager" },
        ]);
        let answer = fixture.preview(json!({ "add": add })).expect(200).body;
        assert_eq!(answer["items"], json!([]));
        assert_eq!(
            fixture.preview(json!({})).expect(200).body["items"],
            json!([])
        );
    }

    #[test]
    fn case_22_foreign_id_in_a_list_is_named_without_a_preview() {
        let mut fixture = GrantFixture::new();
        let ana = fixture.ana.clone();
        let other = fixture.base.project(&ana, &fixture.account);
        let foreign = fixture
            .base
            .grant(&ana, &other, &fixture.cyd.id(), "viewer");
        let body = json!({ "revoke": [fixture.management, foreign] });
        let answer = fixture.preview(body).expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "revoke[1]");
        assert!(answer.body.get("items").is_none());
    }

    #[test]
    fn preview_refuses_changes_that_could_not_be_made() {
        let mut fixture = GrantFixture::new();
        let (ana, cyd, eve) = (
            fixture.ana.clone(),
            fixture.cyd.clone(),
            fixture.base.person("eve"),
        );
        let owner = fixture
            .base
            .grant(&ana, &fixture.project, &cyd.id(), "owner");
        let add = |principal: &str, role: &str| json!({ "add": [{ "principal": principal_of(principal), "role": role }] });
        for body in [add(&cyd.id(), "owner"), json!({ "revoke": [owner] })] {
            fixture.preview(body).expect_problem("escalation");
        }
        let one = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        for (body, field) in [
            (add(&eve.id(), "viewer"), "add[0].principal"),
            (add(&cyd.id(), "boss"), "add[0].role"),
            (
                json!({ "revoke": ["grt_01h2xcejqtf2nbrexx3vqjhp41"] }),
                "revoke[0]",
            ),
            (json!({ "add": vec![one.clone(); 51] }), "add"),
            (json!({ "remove": [] }), "remove"),
        ] {
            let answer = fixture.preview(body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        let path = format!("{}/access/preview", fixture.path());
        fixture
            .base
            .post(&eve, &path, json!({}))
            .expect_problem("not-found");
        fixture
            .base
            .delete(&ana, &format!("{}/grants/{owner}", fixture.path()))
            .expect(204);
        fixture
            .base
            .grant(&ana, &fixture.project, &cyd.id(), "contributor");
        let refused = fixture.base.post(&cyd, &path, json!({})).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.manage"]));
    }
}
