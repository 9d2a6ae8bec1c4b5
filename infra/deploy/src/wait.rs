//! Waiting for services that are still working.

use std::time::Duration;

use tokio::time::sleep;

const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The time for which a busy service is retried.
pub const TIMEOUT: Duration = Duration::from_secs(180);

/// Pauses that grow from 0.2 to 5 seconds.
#[derive(Debug)]
pub struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(SHORTEST_PAUSE)
    }
}

impl Pauses {
    /// Waits for the next pause.
    pub async fn next(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}
