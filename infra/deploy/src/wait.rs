//! Waiting for services that are still at work.

use std::time::Duration;

use tokio::time::sleep;

const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// For how long a service that is busy with what was asked before is asked again.
pub const TIMEOUT: Duration = Duration::from_secs(180);

/// Pauses that grow from a fifth of a second to five seconds.
#[derive(Debug)]
pub struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(SHORTEST_PAUSE)
    }
}

impl Pauses {
    /// Waits for the next of them.
    pub async fn next(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}
