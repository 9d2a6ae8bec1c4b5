use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, EventType, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::UserId,
};

/// What a person wants to be told about. Without a rule nothing is sent, invitations apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// The rules; where several speak of one event, the one with the narrower scope wins.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The event.
    pub event: EventType,
    /// The channel.
    pub channel: Channel,
    /// The project or account it speaks of; everything when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<RuleScope>,
    /// Whether to send.
    pub enabled: bool,
}

/// What a rule speaks of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(untagged)]
pub enum RuleScope {
    /// One project.
    Project(crate::value::ProjectId),
    /// Every project of an account.
    Account(crate::value::AccountId),
}

/// How a notification reaches a person.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// By mail, to the verified address.
    Mail,
}

impl Preferences {
    /// The most rules a person may have.
    pub const RULES: usize = 200;
}

impl Body for Preferences {
    const FAMILY: Family = Family::Preferences;
    type Id = UserId;

    fn key(&self, id: &UserId) -> Key {
        Scope::User(*id).key(Sort::preferences())
    }
}
