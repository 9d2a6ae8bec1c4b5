//! The client of the HTTP API, the same for every surface.

mod error;

use std::time::Duration;

use reqwest::{Method, redirect::Policy};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use self::error::{ApiError, Refusal};
use crate::{
    connection::{Server, Token},
    failure::Failure,
    retry::{Backoff, random},
};

/// How long to wait for a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long to wait for the next bytes.
const READ_TIME: Duration = Duration::from_secs(60);

/// A signed-in client of one surface.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: Server,
    token: Token,
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The body; null if there was none.
    pub(crate) body: Value,
}

impl Answer {
    /// The body as this shape.
    pub(crate) fn parse<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        serde_json::from_value(self.body).map_err(ApiError::Unexpected)
    }
}

impl Client {
    /// A client of this surface, signed in with this token.
    pub(crate) fn new(server: Server, token: Token) -> Result<Self, Failure> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIME)
            .read_timeout(READ_TIME)
            .redirect(Policy::none());
        if server.is_loopback() {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| Failure::because("the HTTP client did not start", error))?;
        Ok(Self {
            http,
            server,
            token,
        })
    }

    /// The connections, for addresses that need no token.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Where the surface is.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Reads, again if that fails for a passing reason.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.persist(Method::GET, path, &[], None).await?.parse()
    }

    /// Asks for something to be done, again if that fails for a passing reason: it is done once.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, ApiError> {
        let key = format!("{:016x}{:016x}", random(), random());
        let headers = [("idempotency-key", key.as_str())];
        self.persist(Method::POST, path, &headers, Some(body)).await
    }

    async fn persist(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, ApiError> {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.send(method.clone(), path, headers, body).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = error.passes().and_then(|asked| backoff.next(asked));
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    /// Sends one request, once.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, ApiError> {
        let token = self.token.text().map_err(ApiError::Token)?;
        let mut request = self
            .http
            .request(method, self.server.address(path))
            .timeout(READ_TIME)
            .bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").cloned();
        let retry_after = retry_after.as_ref().and_then(|value| value.to_str().ok());
        let bytes = response
            .bytes()
            .await
            .map_err(|error| self.unreachable(error))?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        if (200..300).contains(&status) {
            Ok(Answer { status, body })
        } else {
            Err(ApiError::Refused(Refusal::read(status, &body, retry_after)))
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> ApiError {
        ApiError::Unreachable(self.server.to_string(), error.without_url())
    }
}
