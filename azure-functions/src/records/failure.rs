//! Errors of the SDK as port errors.

use azure_data_cosmos::CosmosError;
use wm_service::ports::{PortError, PortErrorKind};

/// The session has not read that far. The status is 404, as for a missing item
/// (<https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb>).
const SESSION_NOT_AVAILABLE: u16 = 1002;
/// The container does not exist. The status is 404 too.
const OWNER_NOT_FOUND: u16 = 1003;
/// The region does not accept writes at this time.
const WRITE_FORBIDDEN: u16 = 3;
/// The region does not have the account at this time.
const ACCOUNT_NOT_FOUND: u16 = 1008;
/// The partition has reached its maximum size.
const PARTITION_FULL: u16 = 1014;
/// The token expired on the way.
const TOKEN_EXPIRED: u16 = 5006;
/// The substatuses of the SDK for a missing token: 20401 and 20402.
const NO_TOKEN: std::ops::RangeInclusive<u16> = 20401..=20402;

/// The port error. Its source is the service's own message, which goes to the log only.
pub(super) fn port_error(error: CosmosError) -> PortError {
    let (status, substatus) = status(&error);
    PortError::new(kind(status, substatus), error)
}

/// Status and substatus.
pub(super) fn status(error: &CosmosError) -> (u16, Option<u16>) {
    let status = error.status();
    let substatus = status.sub_status().map(|substatus| substatus.value());
    (status.status_code().into(), substatus)
}

/// Whether the error means that the item does not exist.
pub(super) fn is_absent(error: &CosmosError) -> bool {
    is_item_absent(status(error))
}

/// Whether this status means a missing item, and not a missing container or an unavailable session.
pub(super) fn is_item_absent((status, substatus): (u16, Option<u16>)) -> bool {
    status == 404 && !matches!(substatus, Some(SESSION_NOT_AVAILABLE | OWNER_NOT_FOUND))
}

/// The request charge of a failed call.
pub(super) fn charge(error: &CosmosError) -> Option<f64> {
    let headers = error.response()?.headers();
    headers.request_charge.map(|charge| charge.value())
}

/// The port error for a status, except for a failed condition.
pub(super) fn kind(status: u16, substatus: Option<u16>) -> PortErrorKind {
    match (status, substatus) {
        // 449: two transactions conflicted, and this one had no effect.
        (429 | 449, _) => PortErrorKind::Throttled,
        (401, Some(TOKEN_EXPIRED)) => PortErrorKind::Unavailable,
        (401, Some(substatus)) if NO_TOKEN.contains(&substatus) => PortErrorKind::Unavailable,
        (403, Some(WRITE_FORBIDDEN | ACCOUNT_NOT_FOUND)) => PortErrorKind::Unavailable,
        (403, Some(PARTITION_FULL)) => PortErrorKind::Full,
        (404, Some(SESSION_NOT_AVAILABLE)) => PortErrorKind::Unavailable,
        // 410: the partition is being moved.
        (408 | 410 | 500.., _) => PortErrorKind::Unavailable,
        _ => PortErrorKind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_one_kind() {
        use PortErrorKind::{Full, Refused, Throttled, Unavailable};
        for (status, substatus, expected) in [
            (429, None, Throttled),
            (429, Some(3200), Throttled),
            (449, None, Throttled),
            (503, Some(20010), Unavailable),
            (500, None, Unavailable),
            (408, Some(20008), Unavailable),
            (410, Some(1002), Unavailable),
            (404, Some(1002), Unavailable),
            (404, Some(1003), Refused),
            (403, Some(3), Unavailable),
            (403, Some(1014), Full),
            (403, None, Refused),
            (401, Some(20402), Unavailable),
            (401, Some(5006), Unavailable),
            (401, None, Refused),
            (400, None, Refused),
            (413, None, Refused),
        ] {
            assert_eq!(kind(status, substatus), expected, "{status}/{substatus:?}");
        }
    }

    #[test]
    fn only_a_missing_item_is_absent() {
        assert!(is_item_absent((404, None)));
        assert!(is_item_absent((404, Some(0))));
        for other in [
            (404, Some(1002)),
            (404, Some(1003)),
            (410, None),
            (200, None),
        ] {
            assert!(!is_item_absent(other), "{other:?}");
        }
    }
}
