use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ulid::Ulid;

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{Invalid, RequestId, Sha256, Timestamp, id::Id},
};

/// The delivery claim of one notification to one recipient. It makes one event send one mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The scope that contains the claim.
    pub scope: Scope,
    /// Whether the mail was sent. Before that, another attempt may take the claim over after
    /// `claimed_until`.
    pub sent: bool,
    /// The attempt that holds the claim. It makes claims of two attempts differ even in the same
    /// millisecond; with equal bytes, each attempt would take the other's claim for its own.
    pub claimed_by: RequestId,
    /// The end of the exclusive right of that attempt.
    pub claimed_until: Timestamp,
    /// The time after which the claim may be deleted.
    pub expires_at: Timestamp,
}

impl Body for Delivery {
    const FAMILY: Family = Family::Delivery;
    /// Schema 2 added `claimed_by`.
    const SCHEMA: u16 = 2;
    /// The digest of event id and recipient.
    type Id = Sha256;

    fn key(&self, id: &Sha256) -> Key {
        self.scope.key(Sort::delivery(*id))
    }

    fn garbage_after(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }

    fn upgrade(schema: u16, id: &str, mut body: Value) -> Result<(String, Value), Invalid> {
        let members = body.as_object_mut();
        let members = members.filter(|members| schema == 1 && !members.contains_key("claimed_by"));
        let no_attempt = RequestId::from_ulid(Ulid::nil()).to_string();
        members
            .ok_or(Invalid("must be the delivery claim of a mail"))?
            .insert("claimed_by".into(), no_attempt.into());
        Ok((id.into(), body))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn delivery_claim_of_schema_1_is_read() {
        let scope = Scope::Email(Sha256::of(b""));
        let (sent, at) = (true, "2026-11-01T00:00:00.000Z");
        let body = json!({
            "scope": scope, "sent": sent, "claimed_until": at, "expires_at": at,
        });
        let (_, upgraded) = Delivery::upgrade(1, "", body).unwrap();
        let read: Delivery = serde_json::from_value(upgraded.clone()).unwrap();
        assert_eq!((read.scope, read.sent), (scope, sent));
        for (schema, body) in [(1, upgraded.clone()), (0, json!({})), (1, json!([]))] {
            assert!(Delivery::upgrade(schema, "", body).is_err());
        }
    }
}
