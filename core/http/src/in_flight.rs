//! The requests in flight, from their heads to the last byte of their answers.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{sync::watch, time::timeout};
use warp::http::Response;

/// The time for the last bytes to leave, and for a request that began to arrive to become complete,
/// after no request is in flight.
const GRACE: Duration = Duration::from_millis(300);

#[derive(Debug, Clone)]
pub(super) struct InFlight(watch::Sender<usize>);

impl Default for InFlight {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl InFlight {
    /// Counts a request until its answer is sent or dropped.
    pub(super) fn watch<F, B>(
        &self,
        answer: F,
    ) -> impl Future<Output = Result<Response<CountedBody<B>>, Infallible>> + use<F, B>
    where
        F: Future<Output = Result<Response<B>, Infallible>>,
    {
        self.0.send_modify(|count| *count += 1);
        let request = Counted(self.clone());
        async move {
            let response = answer.await?;
            Ok(response.map(|body| CountedBody {
                body,
                _request: request,
            }))
        }
    }

    /// Resolves when no request has been in flight for [`GRACE`].
    pub(super) async fn quiet(&self) {
        let mut count = self.0.subscribe();
        loop {
            // The sender lives as long as `self`, so waiting cannot fail.
            let _ = count.wait_for(|count| *count == 0).await;
            if timeout(GRACE, count.wait_for(|count| *count > 0))
                .await
                .is_err()
            {
                return;
            }
        }
    }
}

/// Counts one request for its lifetime.
#[derive(Debug)]
struct Counted(InFlight);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0
            .0
            .send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// The body of an answer. Its request counts as in flight until it is dropped.
#[derive(Debug)]
pub(super) struct CountedBody<B> {
    body: B,
    _request: Counted,
}

impl<B: Body<Data = Bytes> + Unpin> Body for CountedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
