//! `POST /v1/session/identity`

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
    record::{Claims, EventType, User},
    storage::{Key, Scope},
    value::Email,
};

/// Establishes the caller's e-mail address from an ID token, for issuers whose access tokens
/// contain no e-mail address.
struct EstablishAddress {
    input: Input,
}

/// An ID token of the caller.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IdTokenPresentation")]
struct Input {
    /// An ID token of the same issuer and identity as the access token of the request.
    id_token: String,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/session/identity",
    "establish_address",
    "Set the caller's verified e-mail address from an ID token",
    parse,
)
.describes(
    "For issuers whose access tokens carry no address. Both tokens must name the same \
     identity. Invitations are accepted by the verified address.",
)
.budget(Budget::LIST)
.takes(
    schema::<Input>,
    r#"{ "id_token": "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl" }"#,
)
.answers(&[Success::ok(
    schema::<UserView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[(
    ProblemKind::Forbidden,
    "the ID token names another identity than the access token",
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input = request.body()?;
    Ok(Box::new(EstablishAddress { input }))
}

/// Whether both tokens belong to one identity. If both name a client, it must be the same client.
fn same_identity(token: &Claims, caller: &Claims) -> bool {
    let same_client = match (&token.client, &caller.client) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    token.issuer == caller.issuer && token.subject == caller.subject && same_client
}

impl EstablishAddress {
    fn token(&self) -> ReadRequest {
        ReadRequest::Token {
            token: self.input.id_token.clone(),
            usage: TokenUsage::Id,
        }
    }

    /// The claims of the token and the e-mail address that they prove.
    fn proved<'a>(
        &self,
        context: &Context<'_>,
        facts: &'a Facts,
    ) -> Result<(&'a Claims, &'a Email), Problem> {
        let wrong = |message: &str| Problem::field("id_token", message);
        let claims = facts
            .claims(&self.token())?
            .ok_or_else(|| wrong("must be a valid ID token of an issuer this surface trusts"))?;
        if !same_identity(claims, &context.actor.claims) {
            return Err(Problem::new(
                ProblemKind::Forbidden,
                "`id_token` is of another identity or client than the access token; \
                 link a second identity with `POST /v1/session/identities`",
            ));
        }
        let email = claims.verified_email.as_ref();
        let email = email.ok_or_else(|| {
            wrong("must contain an e-mail address that an issuer verified, and this surface must accept addresses of that issuer")
        })?;
        Ok((claims, email))
    }
}

impl UseCase for EstablishAddress {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = Vec::from(super::profile_reads(context));
        reads.push(self.token());
        if facts.has(&self.token()) {
            let (_, email) = self.proved(context, facts)?;
            reads.push(ReadRequest::Get(context.surface.email_link(email)));
        }
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (claims, email) = self.proved(context, facts)?;
        let link = facts.item(&context.surface.email_link(email))?;
        if link.is_none()
            && let Some(batch) = LinkWriter::new(context).email(claims)
        {
            return Ok(Outcome::Prepare(batch));
        }
        let user = super::profile(context, facts)?;
        if user.body.email.as_ref() == Some(email) {
            return Ok(Outcome::Reply(super::reply(&user)));
        }
        let head = facts.record(&head_key(Scope::User(user.id)))?;
        let mut commit = Commit::open(context, Permit::own_profile(&context.actor), head)?;
        let name = user.body.name.clone().or_else(|| claims.name.clone());
        let body = User {
            name,
            email: Some(email.clone()),
            profile_identity: Some(claims.digest()),
            ..user.body.clone()
        };
        let user = commit.update(&user, body);
        commit.finish(EventType::UserUpdated, super::reply(&user))
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
    use serde_json::json;

    use super::*;
    use crate::testing::{Fixture, Person};

    const PATH: &str = "/v1/session/identity";

    /// A person whose access token and profile contain no e-mail address.
    fn person_without_address(fixture: &mut Fixture) -> Person {
        let mut ana = fixture.person("ana");
        ana.actor.claims.verified_email = None;
        let path = Scope::User(ana.actor.user).key(crate::storage::Sort::user());
        let before = fixture.record::<User>(&path).unwrap();
        let surface = fixture.surface.clone();
        let context = fixture.context(&surface, &ana, None);
        let head = fixture.record(&head_key(Scope::User(ana.actor.user)));
        let mut commit = Commit::open(&context, Permit::own_profile(&ana.actor), head).unwrap();
        let body = User {
            email: None,
            ..before.body.clone()
        };
        commit.update(&before, body);
        fixture.commit(&commit.into_batch(EventType::UserUpdated).unwrap());
        ana
    }

    fn present_token(fixture: &mut Fixture, ana: &Person, email: Option<&str>) {
        let mut claims = ana.actor.claims.clone();
        claims.verified_email = email.map(|email| email.parse().unwrap());
        fixture.tokens.insert("id".into(), claims);
    }

    #[test]
    fn email_address_is_established_once() {
        let mut fixture = Fixture::new();
        let ana = person_without_address(&mut fixture);
        present_token(&mut fixture, &ana, Some("ana@example.com"));
        let answer = fixture.post(&ana, PATH, json!({ "id_token": "id" }));
        let answer = answer.expect(200);
        assert_eq!(answer.body["email"], "ana@example.com");
        assert!(answer.body.get("salt").is_none());
        let session = fixture.get(&ana, "/v1/session").expect(200);
        assert_eq!(session.body["user"]["email"], "ana@example.com");
        let before = fixture.dump();
        fixture
            .post(&ana, PATH, json!({ "id_token": "id" }))
            .expect(200);
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_15_unverified_address_establishes_nothing() {
        let mut fixture = Fixture::new();
        let ana = person_without_address(&mut fixture);
        present_token(&mut fixture, &ana, None);
        let before = fixture.dump();
        for token in ["id", "forged"] {
            let answer = fixture.post(&ana, PATH, json!({ "id_token": token }));
            assert_eq!(answer.expect(400).body["errors"][0]["field"], "id_token");
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_14_token_of_another_identity_or_client_is_refused() {
        let mut fixture = Fixture::new();
        let mut ana = person_without_address(&mut fixture);
        ana.actor.claims.client = Some("console".into());
        let before = fixture.dump();
        let edits: [fn(&mut Claims); 3] = [
            |claims| claims.subject = "ben".into(),
            |claims| claims.issuer = "https://other.test".into(),
            |claims| claims.client = Some("another".into()),
        ];
        for edit in edits {
            present_token(&mut fixture, &ana, Some("ana@example.com"));
            edit(fixture.tokens.get_mut("id").unwrap());
            fixture
                .post(&ana, PATH, json!({ "id_token": "id" }))
                .expect(403)
                .expect_problem("forbidden");
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn address_stays_linked_to_the_first_person_who_proved_it() {
        let mut fixture = Fixture::new();
        let ben = fixture.person("ben");
        present_token(&mut fixture, &ben, Some("shared@example.com"));
        fixture
            .post(&ben, PATH, json!({ "id_token": "id" }))
            .expect(200);
        let ana = person_without_address(&mut fixture);
        present_token(&mut fixture, &ana, Some("shared@example.com"));
        let answer = fixture.post(&ana, PATH, json!({ "id_token": "id" }));
        assert_eq!(answer.expect(200).body["email"], "shared@example.com");
        let shared: Email = "shared@example.com".parse().unwrap();
        let key = fixture.surface.email_link(&shared);
        let link = fixture.record::<crate::record::EmailLink>(&key).unwrap();
        assert_eq!(link.body.user_id, ben.actor.user);
    }

    #[test]
    fn unknown_fields_are_named() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let body = json!({ "id_token": "id", "email": "root@example.com" });
        let answer = fixture.post(&ana, PATH, body).expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "email");
    }
}
