use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, EventType, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::UserId,
};

/// The notification preferences of a person. Apart from invitations, a person gets only
/// notifications that a rule enables.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// The rules. If several rules match an event, the rule with the narrower scope applies.
    pub rules: Vec<Rule>,
}

/// One notification rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The event that the rule matches.
    pub event: EventType,
    /// The channel.
    pub channel: Channel,
    /// The project or account that the rule covers. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<RuleScope>,
    /// Whether the person gets the notification.
    pub enabled: bool,
}

/// The scope of a rule.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(untagged)]
pub enum RuleScope {
    /// One project.
    Project(crate::value::ProjectId),
    /// All projects of an account.
    Account(crate::value::AccountId),
}

/// The way in which a notification reaches a person.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A mail to the verified e-mail address.
    Mail,
}

impl Preferences {
    /// The maximum number of rules of a person.
    pub const RULES: usize = 200;
}

impl Body for Preferences {
    const FAMILY: Family = Family::Preferences;
    type Id = UserId;

    fn key(&self, id: &UserId) -> Key {
        Scope::User(*id).key(Sort::preferences())
    }
}
