//! Routes and views of accounts.

mod close;
mod create;
mod get;
pub(crate) mod listing;
mod update;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{Route, view::Envelope},
    record::{Account, AccountKind, AccountStatus, Record},
    value::{AccountId, Name},
};

pub(super) const ROUTES: &[&Route] = &[&create::ROUTE, &get::ROUTE, &update::ROUTE, &close::ROUTE];

pub(super) const EXAMPLE: &str = r#"{
  "id": "acc_01kjdr7hbmxwc9att838g7qvrz",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "name": "Atelier Nord",
  "kind": "organisation",
  "status": "active"
}"#;

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Account")]
pub(crate) struct AccountView {
    #[serde(flatten)]
    envelope: Envelope<AccountId>,
    /// What people call it.
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
