use alloc::string::ToString;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ulid::Ulid;

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{Invalid, RequestId, Sha256, Timestamp, id::Id},
};

/// The mark that one notification went, or is going, to one recipient: the same event sends once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The scope it stands in.
    pub scope: Scope,
    /// Whether it went. Until then another attempt may take over once `claimed_until` is past.
    pub sent: bool,
    /// Which attempt has it, so that no two of them write the same mark, even at the same instant: each
    /// would take the other's for its own.
    pub claimed_by: RequestId,
    /// Until when that attempt has it to itself.
    pub claimed_until: Timestamp,
    /// When the mark may be forgotten.
    pub expires_at: Timestamp,
}

impl Body for Delivery {
    const FAMILY: Family = Family::Delivery;
    /// 2 names the attempt.
    const SCHEMA: u16 = 2;
    /// The digest of event id and recipient.
    type Id = Sha256;

    fn key(&self, id: &Sha256) -> Key {
        self.scope.key(Sort::delivery(*id))
    }

    fn garbage_after(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }

    fn upgrade(schema: u16, mut body: Value) -> Result<Value, Invalid> {
        let members = body.as_object_mut();
        let members = members.filter(|members| schema == 1 && !members.contains_key("claimed_by"));
        let nobody = RequestId::from_ulid(Ulid::nil()).to_string();
        members
            .ok_or(Invalid("must be the mark of a mail"))?
            .insert("claimed_by".into(), nobody.into());
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_that_names_no_attempt_is_read() {
        let scope = Scope::Email(Sha256::of(b""));
        let (sent, at) = (true, "2026-11-01T00:00:00.000Z");
        let body = json!({
            "scope": scope, "sent": sent, "claimed_until": at, "expires_at": at,
        });
        let upgraded = Delivery::upgrade(1, body).unwrap();
        let read: Delivery = serde_json::from_value(upgraded.clone()).unwrap();
        assert_eq!((read.scope, read.sent), (scope, sent));
        for (schema, body) in [(1, upgraded.clone()), (0, json!({})), (1, json!([]))] {
            assert!(Delivery::upgrade(schema, body).is_err());
        }
    }
}
