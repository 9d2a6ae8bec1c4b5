//! What a person wants to be told about.

pub mod get;
pub mod put;

use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{Context, Reply, Route, view::Envelope},
    record::{Preferences, Record, Rule},
    storage::{Key, Scope, Sort},
    value::{UserId, canonical},
};

/// The routes.
pub const ROUTES: &[&Route] = &[&get::ROUTE, &put::ROUTE];

/// Notification preferences, as answered: without id and version until they are first set.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NotificationPreferences")]
pub struct PreferencesView {
    #[serde(flatten)]
    envelope: Option<Envelope<UserId>>,
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

/// Where the caller's preferences are.
fn key(context: &Context<'_>) -> Key {
    Scope::User(context.user()).key(Sort::preferences())
}

fn reply(record: Option<&Record<Preferences>>) -> Reply {
    Reply {
        etag: record.map(Record::etag),
        ..Reply::ok(canonical::to_value(&PreferencesView::from(record)))
    }
}
