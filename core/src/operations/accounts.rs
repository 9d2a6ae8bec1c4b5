//! Accounts.

pub mod close;
pub mod create;
pub mod get;
pub mod update;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{Route, view::Envelope},
    record::{Account, AccountKind, AccountStatus, Record},
    value::{AccountId, Name},
};

/// The routes.
pub const ROUTES: &[&Route] = &[&create::ROUTE, &get::ROUTE, &update::ROUTE, &close::ROUTE];

/// An account, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Account")]
pub struct AccountView {
    #[serde(flatten)]
    envelope: Envelope<AccountId>,
    name: Name,
    kind: AccountKind,
    status: AccountStatus,
}

impl From<&Record<Account>> for AccountView {
    fn from(record: &Record<Account>) -> Self {
        Self {
            envelope: Envelope::of(record),
            name: record.body.name.clone(),
            kind: record.body.kind,
            status: record.body.status,
        }
    }
}
