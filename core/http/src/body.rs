//! Request bodies, read with time limits.

use std::{fmt, pin::Pin, time::Duration};

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;
use warp::{Filter, Rejection};

/// The time for which a client may send nothing in the middle of a body.
const IDLE: Duration = Duration::from_secs(30);

/// The number of bytes read from a body after its content no longer matters: 16 MiB. A client that
/// writes its whole body before it reads then still gets its answer.
const DRAINED: u64 = 16 * 1024 * 1024;

/// The reason why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the body did not arrive in time; send it again")]
    Stalled,
    /// The connection ended, or the bytes are not valid HTTP.
    #[error("the body is incomplete; send it again")]
    Broken,
}

/// The rest of a request's body.
pub struct Body(Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>);

impl Body {
    /// The next bytes. `None` at the end.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let chunk = timeout(IDLE, self.0.next()).await;
        let chunk = chunk.map_err(|_| BodyError::Stalled)?;
        chunk.transpose().map_err(|_| BodyError::Broken)
    }

    /// The first `limit` bytes. The rest is read and dropped, up to a bound. Beyond the bound, the
    /// connection closes with the answer.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn read(mut self, limit: usize) -> Result<Vec<u8>, BodyError> {
        let mut body = Vec::new();
        let mut surplus = 0_u64;
        while let Some(chunk) = self.next().await? {
            let wanted = chunk.len().min(limit - body.len());
            body.extend(chunk.iter().take(wanted));
            surplus += (chunk.len() - wanted) as u64;
            if surplus > DRAINED {
                break;
            }
        }
        Ok(body)
    }

    /// Reads and drops the body, up to a bound.
    pub async fn drain(self) {
        // The answer is already decided, so errors do not matter.
        let _ = self.read(0).await;
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Body").finish_non_exhaustive()
    }
}

pub fn body() -> impl Filter<Extract = (Body,), Error = Rejection> + Copy {
    warp::body::stream().map(|stream| {
        let chunks = StreamExt::map(stream, |chunk: Result<_, warp::Error>| {
            chunk.map(|mut buffer| {
                let length = Buf::remaining(&buffer);
                Buf::copy_to_bytes(&mut buffer, length)
            })
        });
        Body(Box::pin(chunks))
    })
}
