//! Teams of an account.

pub mod create;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::{Route, view::Envelope},
    model::{Record, Team},
    value::{Name, TeamId},
};

/// The routes.
pub const ROUTES: &[&Route] = &[&create::ROUTE];

/// A team, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Team")]
pub struct TeamView {
    #[serde(flatten)]
    envelope: Envelope<TeamId>,
    account_id: crate::value::AccountId,
    name: Name,
}

impl From<&Record<Team>> for TeamView {
    fn from(record: &Record<Team>) -> Self {
        Self {
            envelope: Envelope::of(record),
            account_id: record.body.account_id,
            name: record.body.name.clone(),
        }
    }
}
