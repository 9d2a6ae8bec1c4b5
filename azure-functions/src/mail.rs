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
/// How long a mail may take until it is on its way.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The pause before an operation is looked at again, unless the service names another.
const PAUSE: Duration = Duration::from_secs(1);
/// Bounds for what the service names.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The port over Communication Services Email; a handler that sends nothing has none.
#[derive(Debug, Clone)]
pub struct CommunicationMail(Option<Sender>);

#[derive(Debug, Clone)]
struct Sender {
    pipeline: Pipeline,
    endpoint: Url,
    from: String,
}

impl CommunicationMail {
    /// The sender the handler is configured with.
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
            return Err(refused("this handler has no sender for mail"));
        };
        within(TIMEOUT, sender.send_once(message)).await
    }
}

/// What is known of a mail that was handed over
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

    /// How it ended; `None` while it has not.
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

    /// Hands a mail over and waits until it is on its way. A mail that was handed over before, by an
    /// attempt whose answer was lost, is found under its id and only waited for.
    async fn send_once(&self, message: &Message) -> Result<(), PortError> {
        let id = operation_id(message);
        match self.look(&id).await {
            Ok(known) => match known.end() {
                // What failed may be tried again: the reason may have been seen to.
                Some(Err(_)) => {}
                Some(Ok(())) => return Ok(()),
                None => return self.wait(known).await,
            },
            // Nobody knows it. Whatever else may be wrong stops what follows just so.
            Err(error) if error.kind == PortErrorKind::Refused => {}
            Err(error) => return Err(error),
        }
        match self.hand_over(message, &id).await {
            Ok(operation) => self.wait(operation).await,
            // It may have been taken all the same.
            Err(error) if error.kind == PortErrorKind::Unavailable => match self.look(&id).await {
                Ok(operation) => self.wait(operation).await,
                Err(_) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn hand_over(&self, message: &Message, id: &str) -> Result<Operation, PortError> {
        let mut request = Request::new(self.url("emails:send"), Method::Post);
        request.insert_header(OPERATION_ID, id.to_owned());
        request.insert_header(CONTENT_TYPE, "application/json");
        let mail = json!({
            "senderAddress": self.from,
            "content": { "subject": message.subject, "plainText": message.text },
            "recipients": { "to": [{ "address": message.to.as_str() }] },
            // Links are not rewritten to lead through anybody's counter: one may hold a token.
            "userEngagementTrackingDisabled": true,
        });
        request.set_body(mail.to_string());
        Operation::read(&self.ask(request).await?)
    }

    async fn look(&self, id: &str) -> Result<Operation, PortError> {
        // The id is the service's own word in the end: it is only ever a part of the path.
        let mut url = self.url("emails/operations/");
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(id);
        }
        Operation::read(&self.ask(Request::new(url, Method::Get)).await?)
    }

    async fn wait(&self, mut operation: Operation) -> Result<(), PortError> {
        loop {
            if let Some(end) = operation.end() {
                return end;
            }
            let (least, most) = PAUSES;
            let pause = operation.pause.unwrap_or(PAUSE).clamp(least, most);
            tokio::time::sleep(pause).await;
            match self.look(&operation.id).await {
                Ok(next) => operation = next,
                Err(error) if error.kind == PortErrorKind::Refused => return Err(error),
                // It goes on, whether or not the service tells just now.
                Err(_) => {}
            }
        }
    }

    async fn ask(&self, mut request: Request) -> Result<RawResponse, PortError> {
        let context = Context::default();
        let answer = self.pipeline.send(&context, &mut request, None).await;
        answer.map_err(unsaid)
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.endpoint.clone();
        url.set_path(path);
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        url
    }
}

/// The failure without the service's own words, which may quote an address, and logs hold none.
fn unsaid(error: azure_core::Error) -> PortError {
    let told = match error.http_status() {
        Some(status) => format!("the mail service answered {status}"),
        None => format!("the mail service was not asked: {}", error.kind()),
    };
    PortError::new(port_error(error).kind, told)
}

/// The id a mail goes by: the same for the same mail, in the form of a UUID of one's own making
/// (RFC 9562, version 8).
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
    fn the_same_mail_goes_by_the_same_id() {
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
    fn only_what_succeeded_is_sent() {
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
