//! The functions that are not for HTTP: what is common to answering their triggers.

use std::{future::Future, time::Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tracing::Instrument;
use warp::{
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE},
    reply::Response as HttpResponse,
};
use wm_http::Body;
use wm_service::ports::Provider;

use super::{
    RetryLater,
    envelope::Envelope,
    ingest, notify, relay,
    start::{Application, Starting, ready},
    sweep,
};
use crate::{
    http::{invocation, invocation_id},
    metrics::{Line, metered},
};

/// The largest envelope: what a hundred changes of the largest size take, written as text in text.
const LIMIT: usize = 100 * 1024 * 1024;

/// The functions that are not for HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// The container's change feed.
    Relay,
    /// Blobs that were created.
    Ingest,
    /// Events of the topic.
    Notify,
    /// The clock.
    Sweep,
}

impl Trigger {
    const ALL: [Self; 4] = [Self::Relay, Self::Ingest, Self::Notify, Self::Sweep];

    /// Its name, which is also its folder's.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Ingest => "ingest",
            Self::Notify => "notify",
            Self::Sweep => "sweep",
        }
    }

    /// The function the host posts to at this path.
    pub(super) fn at(path: &str) -> Option<Self> {
        let name = path.strip_prefix('/')?;
        Self::ALL.into_iter().find(|trigger| trigger.name() == name)
    }

    async fn run(
        self,
        application: &Application<impl Provider>,
        envelope: Envelope,
    ) -> Result<(), RetryLater> {
        let service = &application.service;
        match self {
            Self::Relay => relay::publish(service, envelope.all("documents")).await,
            Self::Ingest => ingest::complete(service, envelope.all("event")).await,
            Self::Notify => notify::mail(service, envelope.all("event")).await,
            Self::Sweep => sweep::run(&application.sweeper).await,
        }
    }
}

/// Answers an envelope. Whatever goes wrong is an answer outside 2xx, which makes the host deliver it
/// again; so is a panic.
pub(super) async fn answer<P: Provider>(
    starting: Starting<P>,
    trigger: Trigger,
    headers: HeaderMap,
    body: Body,
) -> HttpResponse {
    let Ok(body) = body.read(LIMIT + 1).await else {
        return reply(
            StatusCode::BAD_REQUEST,
            &json!("the envelope ended in the middle"),
        );
    };
    let span = invocation(trigger.name(), &headers);
    let id = invocation_id(&headers).unwrap_or_default();
    let answered = work(starting, trigger, id, body).instrument(span.clone());
    let status = outcome(answered)
        .instrument(span)
        .await
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_success() {
        reply(
            status,
            &json!({ "Outputs": {}, "Logs": [], "ReturnValue": null }),
        )
    } else {
        reply(status, &json!(RetryLater.to_string()))
    }
}

/// On a task of its own, so that neither a panic nor a host that hangs up ends it in the middle.
async fn outcome(work: impl Future<Output = StatusCode> + Send + 'static) -> Option<StatusCode> {
    let ended = tokio::spawn(work).await;
    ended
        .inspect_err(|error| tracing::error!(%error, "a function ended in the middle"))
        .ok()
}

async fn work<P: Provider>(
    starting: Starting<P>,
    trigger: Trigger,
    id: String,
    body: Vec<u8>,
) -> StatusCode {
    let Some(envelope) = Some(body)
        .filter(|body| body.len() <= LIMIT)
        .and_then(|body| Envelope::read(&body))
    else {
        tracing::error!("something was posted to a function that is no envelope");
        return StatusCode::BAD_REQUEST;
    };
    let Some(application) = ready(&starting).await else {
        tracing::warn!("the handler is not ready yet");
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    let begun = Instant::now();
    let (done, consumed) = metered(trigger.run(&application, envelope)).await;
    let status = match done {
        Ok(()) => StatusCode::OK,
        Err(RetryLater) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Line {
        function: trigger.name(),
        invocation: &id,
        operation: trigger.name(),
        status: status.as_u16(),
        duration: begun.elapsed(),
        consumed,
    }
    .emit();
    status
}

fn reply(status: StatusCode, body: &Value) -> HttpResponse {
    let mut response = HttpResponse::new(Bytes::from(body.to_string()).into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_functions_own_path_reaches_it() {
        for trigger in Trigger::ALL {
            assert_eq!(Trigger::at(&format!("/{}", trigger.name())), Some(trigger));
        }
        for path in [
            "",
            "/",
            "relay",
            "/relay/",
            "//relay",
            "/Relay",
            "/v1/relay",
            "/api",
        ] {
            assert_eq!(Trigger::at(path), None, "{path}");
        }
    }

    #[tokio::test]
    async fn a_panic_is_no_success() {
        assert_eq!(
            outcome(async { std::panic::panic_any("a fault of ours") }).await,
            None
        );
        assert_eq!(
            outcome(async { StatusCode::OK }).await,
            Some(StatusCode::OK)
        );
    }
}
