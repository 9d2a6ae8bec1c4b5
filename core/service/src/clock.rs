//! The clock of the machine.

use std::time::SystemTime;

use wm_core::value::Timestamp;

/// The current time.
#[must_use]
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::default().after(since_1970)
}
