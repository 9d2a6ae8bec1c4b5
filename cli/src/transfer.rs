//! Moving bytes: digests, progress, and picking up where a transfer stopped.

mod bytes;
pub(crate) mod destination;
pub(crate) mod download;
mod journal;
mod progress;
mod source;
mod span;
pub(crate) mod upload;

use reqwest::StatusCode;

use crate::{failure::Failure, retry::Backoff};

/// Why a request to a signed address did not do what it is for.
#[derive(Debug)]
enum TransferError {
    /// It may work next time.
    Passing(Failure),
    /// The address is no longer good; a new one may be.
    Expired,
    /// The object is there already.
    Present,
    /// It will not work.
    Final(Failure),
}

impl TransferError {
    /// What an answer of a storage means that is no success.
    fn of(status: StatusCode) -> Self {
        let says = format!("the storage answered {status}");
        match status.as_u16() {
            401 | 403 | 410 => Self::Expired,
            409 | 412 => Self::Present,
            408 | 429 | 500..=599 => {
                Self::Passing(Failure::new(format!("{says}; try again later")))
            }
            _ => Self::Final(Failure::new(format!(
                "{says}; check that the file does not change while it is read, and try again"
            ))),
        }
    }

    /// What happened on the way. The address is a secret and left out.
    fn on_the_way(error: reqwest::Error) -> Self {
        Self::Passing(Failure::because(
            "the storage does not answer; run the same command again to go on",
            error.without_url(),
        ))
    }
}

/// Waits before another attempt, or gives the error back once it was tried often enough.
async fn wait(backoff: &mut Backoff, error: TransferError) -> Result<(), TransferError> {
    match (&error, backoff) {
        (TransferError::Passing(_), backoff) => match backoff.next(None) {
            Some(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => Err(error),
        },
        _ => Err(error),
    }
}
