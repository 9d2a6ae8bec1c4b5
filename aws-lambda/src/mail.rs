//! Mail through SES.

use aws_sdk_sesv2::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message as Mail},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use wm_core::jobs::mail::Message;
use wm_service::ports::{Mail as Port, PortError, PortErrorKind};

use crate::{
    config::Config,
    error::port_error,
    sdk::{Timeouts, for_service},
};

/// The mail port over SES. Functions that send no mail have no sender.
#[derive(Debug, Clone, Default)]
pub struct SesMail(Option<Sender>);

#[derive(Debug, Clone)]
struct Sender {
    client: Client,
    from: String,
}

impl SesMail {
    /// The sender of the configuration.
    #[must_use]
    pub fn new(shared: &SdkConfig, config: &Config) -> Self {
        let settings = for_service(shared, config, "SESV2", Timeouts::SERVICE);
        Self(config.from.clone().map(|from| Sender {
            client: Client::new(&settings),
            from,
        }))
    }
}

impl Port for SesMail {
    async fn send(&self, message: &Message) -> Result<(), PortError> {
        let refused = |error: Box<dyn std::error::Error + Send + Sync>| {
            PortError::new(PortErrorKind::Refused, error)
        };
        let Some(sender) = &self.0 else {
            return Err(refused("this function has no mail sender".into()));
        };
        let content = content(message).map_err(|error| refused(error.into()))?;
        let to = Destination::builder().to_addresses(message.to.as_str());
        let mail = sender
            .client
            .send_email()
            .from_email_address(&sender.from)
            .destination(to.build())
            .content(content);
        mail.send().await.map(drop).map_err(without_details)
    }
}

/// The error without the service's message, which may quote an e-mail address. Logs contain no
/// addresses.
fn without_details(error: SdkError<SendEmailError, HttpResponse>) -> PortError {
    let message = match error.code() {
        Some(code) => format!("the mail service answered `{code}`"),
        None => "the mail service gave no reason".to_owned(),
    };
    PortError::new(port_error(error).kind, message)
}

fn content(message: &Message) -> Result<EmailContent, BuildError> {
    let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let mail = Mail::builder()
        .subject(text(&message.subject)?)
        .body(Body::builder().text(text(&message.text)?).build());
    Ok(EmailContent::builder().simple(mail.build()).build())
}
