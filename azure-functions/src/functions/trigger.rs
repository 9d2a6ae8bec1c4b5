//! Functions with triggers other than HTTP.

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

/// The maximum size of an envelope: a hundred changes of the maximum size, written as text within
/// text.
const LIMIT: usize = 100 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// The change feed of the container.
    Relay,
    /// Created blobs.
    Ingest,
    /// Events of the topic.
    Notify,
    /// A timer.
    Sweep,
}

impl Trigger {
    const ALL: [Self; 4] = [Self::Relay, Self::Ingest, Self::Notify, Self::Sweep];

    /// The name of the function and of its folder.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Ingest => "ingest",
            Self::Notify => "notify",
            Self::Sweep => "sweep",
        }
    }

    /// The function whose envelopes the host posts to this path.
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

/// Answers an envelope. Every error, including a panic, gives a status outside 2xx, so that the
/// host delivers the envelope again.
pub(super) async fn answer<P: Provider>(
    starting: Starting<P>,
    trigger: Trigger,
    headers: HeaderMap,
    body: Body,
) -> HttpResponse {
    let Ok(body) = body.read(LIMIT + 1).await else {
        return reply(
            StatusCode::BAD_REQUEST,
            &json!("the envelope is incomplete"),
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

/// Runs in a separate task, so that neither a panic nor a disconnected host interrupts it.
async fn outcome(work: impl Future<Output = StatusCode> + Send + 'static) -> Option<StatusCode> {
    let ended = tokio::spawn(work).await;
    ended
        .inspect_err(|error| tracing::error!(%error, "a function panicked or was cancelled"))
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
        tracing::error!("a request to a function is not an envelope");
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
    fn function_answers_on_its_own_path_only() {
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
    async fn panic_is_not_a_success() {
        assert_eq!(
            outcome(async { std::panic::panic_any("an internal fault") }).await,
            None
        );
        assert_eq!(
            outcome(async { StatusCode::OK }).await,
            Some(StatusCode::OK)
        );
    }
}
