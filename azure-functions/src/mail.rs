//! Mail through Communication Services.

mod signature;

use std::{sync::Arc, time::Duration};

use azure_core::http::{
    Context, Method, Pipeline, RawResponse, Request, Url,
    headers::{CONTENT_TYPE, HeaderName, RETRY_AFTER},
};
use serde::Deserialize;
use serde_json::json;
use wm_core::{jobs::mail::Message, value::Sha256};
use wm_service::ports::{Mail, PortError, PortErrorKind};

use crate::{
    config::{Config, MailSender},
    error::port_error,
    sdk::{Sdk, SdkError, Timeouts, bearer, within},
};
use signature::SignedWithKey;

const API_VERSION: &str = "2025-09-01";
const SCOPE: &str = "https://communication.azure.com/.default";
const OPERATION_ID: HeaderName = HeaderName::from_static("operation-id");
/// The time limit until the service has sent a mail.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The pause before polling an operation again, unless the service names another.
const PAUSE: Duration = Duration::from_secs(1);
/// Bounds for the pause that the service names.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The mail port over Communication Services Email. A handler that sends no mail has no sender.
#[derive(Debug, Clone)]
pub struct CommunicationMail(Option<Sender>);

#[derive(Debug, Clone)]
struct Sender {
    pipeline: Pipeline,
    endpoint: Url,
    from: String,
}

impl CommunicationMail {
    /// The sender of the configuration.
    ///
    /// # Errors
    /// [`SdkError`].
    pub fn new(sdk: &Sdk, config: &Config) -> Result<Self, SdkError> {
        let sender = config.mail.as_ref().map(|mail| Sender::new(sdk, mail));
        Ok(Self(sender.transpose()?))
    }
}

impl Mail for CommunicationMail {
    async fn send(&self, message: &Message) -> Result<(), PortError> {
        let Some(sender) = &self.0 else {
            return Err(refused("this handler has no mail sender"));
        };
        within(TIMEOUT, sender.send_once(message)).await
    }
}

/// The state of a mail that was handed over
/// (<https://learn.microsoft.com/rest/api/communication/email/email/get-send-result>).
#[derive(Deserialize)]
struct Operation {
    id: String,
    status: String,
    error: Option<Failure>,
    #[serde(skip)]
    pause: Option<Duration>,
}

#[derive(Deserialize)]
struct Failure {
    code: Option<String>,
}

impl Operation {
    fn read(answer: &RawResponse) -> Result<Self, PortError> {
        let mut operation: Self = serde_json::from_slice(answer.body())
            .map_err(|error| PortError::new(PortErrorKind::Unavailable, error))?;
        let pause = answer.headers().get_optional_str(&RETRY_AFTER);
        let seconds = pause.and_then(|text| text.parse().ok());
        operation.pause = seconds.map(Duration::from_secs);
        Ok(operation)
    }

    /// The outcome. `None` while the operation runs.
    fn end(&self) -> Option<Result<(), PortError>> {
        match self.status.as_str() {
            "Succeeded" => Some(Ok(())),
            "NotStarted" | "Running" => None,
            _ => {
                let code = self.error.as_ref().and_then(|error| error.code.as_deref());
                let reason = format!("the mail ended as {}: {code:?}", self.status);
                Some(Err(PortError::new(PortErrorKind::Refused, reason)))
            }
        }
    }
}

impl Sender {
    fn new(sdk: &Sdk, mail: &MailSender) -> Result<Self, SdkError> {
        let authorization = match &mail.key {
            None => bearer(&sdk.mail_credential, SCOPE),
            Some(key) => Arc::new(SignedWithKey::new(key).ok_or(SdkError::Key)?),
        };
        Ok(Self {
            pipeline: sdk.pipeline_without_retries(authorization, Timeouts::SERVICE),
            endpoint: Url::parse(&mail.endpoint).map_err(azure_core::Error::from)?,
            from: mail.from.clone(),
        })
    }

    /// Hands a mail over and waits until it is sent. If an earlier attempt handed it over and its
    /// answer was lost, the mail is found under its id, and this call only waits.
    async fn send_once(&self, message: &Message) -> Result<(), PortError> {
        let id = operation_id(message);
        match self.poll(&id).await {
            Ok(known) => match known.end() {
                // A failed mail is sent again, because the cause may be resolved.
                Some(Err(_)) => {}
                Some(Ok(())) => return Ok(()),
                None => return self.wait(known).await,
            },
            // The operation is unknown. Other causes of a refusal also stop the following call.
            Err(error) if error.kind == PortErrorKind::Refused => {}
            Err(error) => return Err(error),
        }
        match self.submit(message, &id).await {
            Ok(operation) => self.wait(operation).await,
            // The service may have accepted the mail.
            Err(error) if error.kind == PortErrorKind::Unavailable => match self.poll(&id).await {
                Ok(operation) => self.wait(operation).await,
                Err(_) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn submit(&self, message: &Message, id: &str) -> Result<Operation, PortError> {
        let mut request = Request::new(self.url("emails:send"), Method::Post);
        request.insert_header(OPERATION_ID, id.to_owned());
        request.insert_header(CONTENT_TYPE, "application/json");
        let mail = json!({
            "senderAddress": self.from,
            "content": { "subject": message.subject, "plainText": message.text },
            "recipients": { "to": [{ "address": message.to.as_str() }] },
            // Links are not rewritten for tracking, because a link may contain a token.
            "userEngagementTrackingDisabled": true,
        });
        request.set_body(mail.to_string());
        Operation::read(&self.call(request).await?)
    }

    async fn poll(&self, id: &str) -> Result<Operation, PortError> {
        // The service chooses the final id, so it is used as a path segment only.
        let mut url = self.url("emails/operations/");
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(id);
        }
        Operation::read(&self.call(Request::new(url, Method::Get)).await?)
    }

    async fn wait(&self, mut operation: Operation) -> Result<(), PortError> {
        loop {
            if let Some(end) = operation.end() {
                return end;
            }
            let (least, most) = PAUSES;
            let pause = operation.pause.unwrap_or(PAUSE).clamp(least, most);
            tokio::time::sleep(pause).await;
            match self.poll(&operation.id).await {
                Ok(next) => operation = next,
                Err(error) if error.kind == PortErrorKind::Refused => return Err(error),
                // The operation continues, even if this poll failed.
                Err(_) => {}
            }
        }
    }

    async fn call(&self, mut request: Request) -> Result<RawResponse, PortError> {
        let context = Context::default();
        let answer = self.pipeline.send(&context, &mut request, None).await;
        answer.map_err(without_details)
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.endpoint.clone();
        url.set_path(path);
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        url
    }
}

/// The error without the service's message, which may quote an e-mail address. Logs contain no
/// addresses.
fn without_details(error: azure_core::Error) -> PortError {
    let message = match error.http_status() {
        Some(status) => format!("the mail service answered {status}"),
        None => format!("the mail service was not called: {}", error.kind()),
    };
    PortError::new(port_error(error).kind, message)
}

/// The operation id of a mail: the same for the same mail, in the form of a custom UUID (RFC 9562,
/// version 8).
fn operation_id(message: &Message) -> String {
    let parts = [
        message.to.as_str().as_bytes(),
        message.subject.as_bytes(),
        message.text.as_bytes(),
    ];
    let digest = Sha256::keyed(b"mail", &parts);
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(digest.as_bytes())
        .for_each(|(to, from)| *to = *from);
    let number = u128::from_be_bytes(bytes);
    let version = number & !(0xf << 76) | 0x8 << 76;
    let variant = version & !(0x3 << 62) | 0x2 << 62;
    azure_core::Uuid::from_u128(variant).to_string()
}

fn refused(reason: &'static str) -> PortError {
    PortError::new(PortErrorKind::Refused, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message {
            to: "ana@example.com".parse().unwrap(),
            subject: "Hello".into(),
            text: text.into(),
        }
    }

    #[test]
    fn operation_id_is_the_same_for_the_same_mail() {
        let id = operation_id(&message("one"));
        assert_eq!(id, operation_id(&message("one")));
        assert_ne!(id, operation_id(&message("two")));
        let uuid = azure_core::Uuid::parse_str(&id).unwrap();
        assert_eq!(uuid.get_version_num(), 8);
        assert!(
            id.chars()
                .nth(19)
                .is_some_and(|variant| "89ab".contains(variant)),
            "{id}"
        );
    }

    #[test]
    fn mail_counts_as_sent_only_after_success() {
        let end = |status: &str| {
            let text = json!({ "id": "1", "status": status, "error": { "code": "Dropped" } });
            let operation: Operation = serde_json::from_value(text).unwrap();
            operation.end().map(|end| end.is_ok())
        };
        assert_eq!(end("Succeeded"), Some(true));
        assert_eq!(end("Running"), None);
        assert_eq!(end("NotStarted"), None);
        assert_eq!(end("Failed"), Some(false));
        assert_eq!(end("Canceled"), Some(false));
    }
}
