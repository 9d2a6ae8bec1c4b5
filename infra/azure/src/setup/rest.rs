//! Requests to services without an SDK in this program, as the signed-in operator.

use std::sync::Arc;

use azure_core::{
    Bytes,
    credentials::{AccessToken, TokenCredential},
    http::{
        ClientOptions, Context, ExponentialRetryOptions, Method, Pipeline, PipelineSendOptions,
        Request, RetryOptions, StatusCode, Url, headers::Headers,
    },
    time::{Duration, OffsetDateTime},
};
use tokio::sync::Mutex;
use wm_deploy::service_error::ServiceError;
use wm_service::variables::is_safe;
use wm_terminal::failure::Failure;

use super::error::{unanswered, unreadable};

/// The number of retries for a busy or failing service, and their time limit.
const RETRIES: u32 = 6;
const TIMEOUT: Duration = Duration::seconds(120);
/// A token that expires within this time is renewed first.
const MARGIN: Duration = Duration::minutes(5);

#[derive(Debug, Clone)]
pub struct Rest {
    endpoint: String,
    scope: String,
    pipeline: Pipeline,
    credential: Arc<dyn TokenCredential>,
    token: Arc<Mutex<Option<AccessToken>>>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: Headers,
    pub body: Bytes,
}

impl Answer {
    #[must_use]
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get_optional_str(&name.into())
    }
}

pub type Header = (&'static str, String);

impl Rest {
    /// A client of a service at this URL with tokens of this scope. `name` appears in the error for
    /// an invalid URL.
    ///
    /// # Errors
    /// If the URL is invalid, or would send tokens without TLS.
    pub fn new(
        name: &'static str,
        endpoint: &str,
        scope: &str,
        credential: Arc<dyn TokenCredential>,
    ) -> Result<Self, Failure> {
        if !is_safe(endpoint) || Url::parse(endpoint).is_err() {
            return Err(Failure::new(format!(
                "`{name}` must be a URL that begins with `https://`, except for loopback addresses: correct it"
            )));
        }
        let retry = ExponentialRetryOptions {
            max_retries: RETRIES,
            max_total_elapsed: TIMEOUT,
            ..Default::default()
        };
        let options = ClientOptions {
            retry: RetryOptions::exponential(retry),
            ..Default::default()
        };
        let (package, version) = (
            option_env!("CARGO_PKG_NAME"),
            option_env!("CARGO_PKG_VERSION"),
        );
        let pipeline = Pipeline::new(package, version, options, Vec::new(), Vec::new(), None);
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            scope: scope.to_owned(),
            pipeline,
            credential,
            token: Arc::default(),
        })
    }

    /// The URL of the service, without a trailing slash.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A token of the signed-in operator. It is cached, because `az` takes a second for each token.
    ///
    /// # Errors
    /// Without a sign-in.
    pub async fn token(&self, action: &str) -> Result<String, ServiceError> {
        let mut kept = self.token.lock().await;
        let fresh = |token: &&AccessToken| token.expires_on > OffsetDateTime::now_utc() + MARGIN;
        if let Some(token) = kept.as_ref().filter(fresh) {
            return Ok(token.token.secret().to_owned());
        }
        let asked = self.credential.get_token(&[&self.scope], None).await;
        let token = asked.map_err(|error| unanswered(action, error))?;
        let text = token.token.secret().to_owned();
        *kept = Some(token);
        Ok(text)
    }

    /// Sends a request for a path below the endpoint. Every status counts as an answer. Throttling
    /// and temporary failures are retried.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn send(
        &self,
        action: &str,
        method: Method,
        path: &str,
        headers: &[Header],
        body: Bytes,
    ) -> Result<Answer, ServiceError> {
        let url = format!("{}{path}", self.endpoint);
        let url =
            Url::parse(&url).map_err(|_| unreadable(action, format!("`{path}` is not a path")))?;
        let mut request = Request::new(url, method);
        let token = self.token(action).await?;
        request.insert_header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request.insert_header(*name, value.clone());
        }
        if method != Method::Get && method != Method::Head {
            request.insert_header("content-length", body.len().to_string());
        }
        request.set_body(body);
        let options = PipelineSendOptions {
            skip_checks: true,
            ..Default::default()
        };
        let context = Context::new();
        let answer = self.pipeline.send(&context, &mut request, Some(options));
        let answer = answer.await;
        let answer = answer.map_err(|error| unanswered(action, error))?;
        let (status, headers, body) = answer.deconstruct();
        Ok(Answer {
            status,
            headers,
            body: body.into(),
        })
    }
}
