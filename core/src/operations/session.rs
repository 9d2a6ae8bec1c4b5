//! The session: the caller, the caller's memberships, and the proof of identities.

mod identity;
mod link;
mod overview;
mod position;
mod show;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{
        Context, FactError, Facts, Problem, ReadRequest, Reply, Route,
        authority::head_key,
        view::{self, Envelope},
    },
    record::{Record, User},
    storage::{Key, Scope, Sort},
    value::{Email, Name, UserId},
};

pub(super) const ROUTES: &[&Route] = &[&show::ROUTE, &identity::ROUTE, &link::ROUTE];

const EXAMPLE: &str = r#"{
  "id": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "name": "Ana Ruiz",
  "email": "ana@example.com"
}"#;

/// The caller.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "User")]
pub(crate) struct UserView {
    #[serde(flatten)]
    envelope: Envelope<UserId>,
    /// The name from the identity provider.
    name: Option<Name>,
    /// The verified e-mail address.
    email: Option<Email>,
}

impl From<&Record<User>> for UserView {
    fn from(record: &Record<User>) -> Self {
        Self {
            envelope: Envelope::of(record),
            name: record.body.name.clone(),
            email: record.body.email.clone(),
        }
    }
}

fn reply(user: &Record<User>) -> Reply {
    view::shown(user, &UserView::from(user))
}

/// The key of the caller's profile.
fn profile_key(context: &Context<'_>) -> Key {
    Scope::User(context.user()).key(Sort::user())
}

/// The reads for reading and changing the caller's profile.
fn profile_reads(context: &Context<'_>) -> [ReadRequest; 2] {
    let head = head_key(Scope::User(context.user()));
    [
        ReadRequest::Get(head),
        ReadRequest::Get(profile_key(context)),
    ]
}

/// The caller's profile. Sign-up creates it before the first operation.
fn profile(context: &Context<'_>, facts: &Facts) -> Result<Record<User>, Problem> {
    let profile: Result<Option<Record<User>>, FactError> = facts.record(&profile_key(context));
    profile?.ok_or_else(|| Problem::internal("a signed-in person has no profile"))
}
