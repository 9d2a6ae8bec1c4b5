//! Routes and views of notification preferences.

mod get;
mod put;

use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{Context, Reply, Route, view::Envelope},
    record::{Preferences, Record, Rule},
    storage::{Key, Scope, Sort},
    value::{UserId, canonical},
};

pub(super) const ROUTES: &[&Route] = &[&get::ROUTE, &put::ROUTE];

pub(super) const EXAMPLE: &str = r#"{
  "id": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "rules": [{ "event": "grant.created", "channel": "mail", "enabled": false }]
}"#;

/// Notification preferences. Without id and version until they are first set.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NotificationPreferences")]
pub(crate) struct PreferencesView {
    #[serde(flatten)]
    envelope: Option<Envelope<UserId>>,
    /// Without a rule, every event is sent.
    rules: Vec<Rule>,
}

impl From<Option<&Record<Preferences>>> for PreferencesView {
    fn from(record: Option<&Record<Preferences>>) -> Self {
        Self {
            envelope: record.map(Envelope::of),
            rules: record
                .map(|record| record.body.rules.clone())
                .unwrap_or_default(),
        }
    }
}

/// The key of the caller's preferences.
fn key(context: &Context<'_>) -> Key {
    Scope::User(context.user()).key(Sort::preferences())
}

fn reply(record: Option<&Record<Preferences>>) -> Reply {
    Reply {
        etag: record.map(Record::etag),
        ..Reply::ok(canonical::to_value(&PreferencesView::from(record)))
    }
}
