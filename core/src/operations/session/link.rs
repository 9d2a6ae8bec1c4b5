//! `POST /v1/session/identities`

use alloc::{boxed::Box, string::String, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::UserView;
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, LinkWriter, Method, Outcome, Parsed, Problem,
        ProblemKind, ReadRequest, Reply, Route, Success, TokenUsage, UseCase, authority::head_key,
        schema,
    },
    permission::Permit,
    record::{Claims, EventType, IdentityLink, Record, User},
    storage::{Key, Scope, Sort},
};

/// The access token proves the caller's identity, and the token in the body proves the second one.
/// An e-mail address alone never links identities.
struct LinkIdentity {
    input: Input,
}

/// The second identity.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AccessTokenPresentation")]
struct Input {
    /// An access token of the second identity.
    access_token: String,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/session/identities",
    "link_identity",
    "Link a second identity to the caller",
    parse,
)
.describes(
    "The caller proves both identities: one by the token of the request, the other by the \
     token in the body. From then on both sign in as the same person. At most 10 identities.",
)
.budget(Budget::of(6, 2))
.takes(
    schema::<Input>,
    r#"{ "access_token": "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl" }"#,
)
.answers(&[Success::ok(
    schema::<UserView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[(
    ProblemKind::Conflict,
    "the second identity belongs to another person, or the caller has 10 identities",
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input = request.body()?;
    Ok(Box::new(LinkIdentity { input }))
}

impl LinkIdentity {
    fn token(&self) -> ReadRequest {
        ReadRequest::Token {
            token: self.input.access_token.clone(),
            usage: TokenUsage::Access,
        }
    }

    fn second<'a>(&self, facts: &'a Facts) -> Result<&'a Claims, Problem> {
        facts.claims(&self.token())?.ok_or_else(|| {
            Problem::field(
                "access_token",
                "must be a valid access token of an issuer this surface trusts",
            )
        })
    }
}

/// Refuses an identity that is linked to another person, and too many identities.
fn check(user: &Record<User>, link: Option<&Record<IdentityLink>>) -> Result<(), Problem> {
    if link.is_some_and(|link| link.body.user_id != user.id) {
        return Err(Problem::conflict(
            "this identity already signs in as another person; people cannot be merged",
        ));
    }
    if user.body.identities.len() >= User::IDENTITIES {
        return Err(Problem::conflict(
            "a person can sign in with at most 10 identities",
        ));
    }
    Ok(())
}

impl UseCase for LinkIdentity {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = Vec::from(super::profile_reads(context));
        reads.push(self.token());
        if facts.has(&self.token()) {
            let link = self.second(facts)?.scope().key(Sort::link());
            reads.push(ReadRequest::Get(link));
        }
        Ok(reads)
    }

    /// The link record decides which person an identity belongs to. It has a scope of its own, so
    /// it is committed first. The profile then lists the identity, which also adds it to the
    /// journal. After an interruption, a repetition adds the missing part.
    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let second = self.second(facts)?;
        let user = super::profile(context, facts)?;
        if user.body.has_identity(second) {
            return Ok(Outcome::Reply(super::reply(&user)));
        }
        let link = facts.record(&second.scope().key(Sort::link()))?;
        check(&user, link.as_ref())?;
        if link.is_none() {
            let batch = LinkWriter::new(context).identity(second);
            return Ok(Outcome::Prepare(batch));
        }
        let head = facts.record(&head_key(Scope::User(user.id)))?;
        let mut commit = Commit::open(context, Permit::own_profile(&context.actor), head)?;
        let mut body = user.body.clone();
        body.link(second, context.env.now);
        let user = commit.update(&user, body);
        commit.finish(EventType::IdentityLinked, super::reply(&user))
    }

    fn writes(&self, context: &Context<'_>) -> Option<Scope> {
        Some(Scope::User(context.user()))
    }

    fn replay(&self, context: &Context<'_>, facts: &Facts, _: &[Key]) -> Result<Reply, Problem> {
        Ok(super::reply(&super::profile(context, facts)?))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use super::*;
    use crate::{
        record::JournalEntry,
        testing::{Fixture, Person},
    };

    const PATH: &str = "/v1/session/identities";

    fn second(fixture: &mut Fixture, subject: &str, email: Option<&str>) -> Claims {
        let claims = Claims {
            issuer: "https://second.test".into(),
            subject: subject.into(),
            client: None,
            verified_email: email.map(|email| email.parse().unwrap()),
            name: None,
        };
        fixture.tokens.insert(subject.into(), claims.clone());
        claims
    }

    fn events(fixture: &Fixture, person: &Person) -> Vec<EventType> {
        let scope = Scope::User(person.actor.user);
        let range = crate::storage::Range::all(scope, Sort::JOURNAL);
        let entries = fixture.store.scan(&range).items;
        let entries = Record::<JournalEntry>::decode_all(&entries).unwrap();
        entries.iter().map(|entry| entry.body.event).collect()
    }

    #[test]
    fn identity_is_linked_and_journalled_once() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let claims = second(&mut fixture, "ana-2", None);
        let body = json!({ "access_token": "ana-2" });
        fixture.post(&ana, PATH, body.clone()).expect(200);
        let link: Record<IdentityLink> = fixture.record(&claims.scope().key(Sort::link())).unwrap();
        assert_eq!(link.body.user_id, ana.actor.user);
        assert_eq!(
            events(&fixture, &ana),
            [EventType::UserCreated, EventType::IdentityLinked]
        );
        let before = fixture.dump();
        fixture.post(&ana, PATH, body).expect(200);
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn identity_link_is_completed_by_a_repetition() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        second(&mut fixture, "ana-2", None);
        let use_case = LinkIdentity {
            input: Input {
                access_token: "ana-2".into(),
            },
        };
        let outcome = fixture.decide(&ana, &use_case, None).unwrap();
        let Outcome::Prepare(link) = outcome else {
            panic!("the link comes first")
        };
        fixture.commit(&link);
        fixture.run(&ana, &use_case, None).unwrap();
        assert_eq!(
            events(&fixture, &ana).last(),
            Some(&EventType::IdentityLinked)
        );
    }

    #[test]
    fn case_14_identity_of_another_person_is_not_taken_over() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        second(&mut fixture, "shared", None);
        let body = json!({ "access_token": "shared" });
        fixture.post(&ben, PATH, body.clone()).expect(200);
        let before = fixture.dump();
        fixture.post(&ana, PATH, body).expect(409);
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_15_same_address_without_second_token_links_nothing() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let before = fixture.dump();
        let body = json!({ "access_token": "ana@example.com" });
        let answer = fixture.post(&ana, PATH, body).expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "access_token");
        let body = json!({ "email": "ana@example.com" });
        let answer = fixture.post(&ana, PATH, body).expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "email");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn person_has_at_most_ten_identities() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        for number in 2..=User::IDENTITIES {
            let subject = format!("ana-{number}");
            second(&mut fixture, &subject, None);
            fixture
                .post(&ana, PATH, json!({ "access_token": subject }))
                .expect(200);
        }
        second(&mut fixture, "ana-11", None);
        let before = fixture.dump();
        fixture
            .post(&ana, PATH, json!({ "access_token": "ana-11" }))
            .expect(409);
        assert_eq!(fixture.dump(), before);
    }
}
