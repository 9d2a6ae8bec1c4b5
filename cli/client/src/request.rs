//! One request and its answer.

use reqwest::{
    Method, Response,
    header::{CONTENT_TYPE, ETAG, HeaderMap, LOCATION, RETRY_AFTER},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    client::{Client, READ_TIMEOUT},
    error::ApiError,
    problem::Problem,
    retry::{Backoff, random},
};

/// A request to the API. It is retried after transient failures if a retry is safe: if it only
/// reads, or has an idempotency key. A `PUT`, `PATCH` or `DELETE` is sent once: if its answer is
/// lost, the change itself could make a repeated request fail.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<serde_json::Result<Vec<u8>>>,
    has_key: bool,
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The HTTP status.
    pub status: u16,
    /// The body. An answer without a body counts as JSON `null`.
    pub body: T,
    /// The `ETag`, for use as `If-Match`.
    pub etag: Option<String>,
    /// The path of a created record.
    pub location: Option<String>,
    /// The id of the request, to quote in a support request.
    pub request_id: Option<String>,
}

impl Client {
    /// A request to this path, which begins with `/v1/`.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request<'_> {
        Request::new(self, method, path.into())
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let answer: Answer<T> = self.request(Method::GET, path).send().await?;
        Ok(answer.body)
    }

    /// Reads an open resource, whatever the status of the answer. Sends no token.
    pub(crate) async fn get_openly<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let request = self.http().get(self.server().join(path));
        let response = request.timeout(READ_TIMEOUT).send().await;
        let bytes = response.map_err(|error| self.unreachable(error))?.bytes();
        let bytes = bytes.await.map_err(|error| self.unreachable(error))?;
        serde_json::from_slice(&bytes).map_err(ApiError::Unexpected)
    }

    fn unreachable(&self, error: reqwest::Error) -> ApiError {
        ApiError::Unreachable {
            server: self.server().to_string(),
            source: error.without_url(),
        }
    }

    /// Sends a command with a new idempotency key, so that a retry does not repeat the effect.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, ApiError> {
        let request = self.request(Method::POST, path);
        let request = request.idempotency_key(&new_idempotency_key()).body(body);
        let answer: Answer<T> = request.send().await?;
        Ok(answer.body)
    }
}

fn new_idempotency_key() -> String {
    format!("{:016x}{:016x}", random(), random())
}

impl<'a> Request<'a> {
    fn new(client: &'a Client, method: Method, path: String) -> Self {
        Self {
            client,
            method,
            path,
            headers: Vec::new(),
            body: None,
            has_key: false,
        }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        self.path.push(separator);
        let start = self.path.len();
        self.path = form_urlencoded::Serializer::for_suffix(self.path, start)
            .append_pair(name, value)
            .finish();
        self
    }

    /// Sets this value as the JSON body.
    pub fn body(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = Some(serde_json::to_vec(body));
        self
    }

    /// Applies the change only to the state with this `ETag`. `*` matches every existing state.
    pub fn if_match(mut self, etag: &str) -> Self {
        self.headers.push(("if-match", etag.to_owned()));
        self
    }

    /// Sets the idempotency key of a `POST`. The surface recognises a repetition for one day. Each
    /// intent needs a new key.
    pub fn idempotency_key(mut self, key: &str) -> Self {
        self.headers.push(("idempotency-key", key.to_owned()));
        self.has_key = true;
        self
    }

    /// Sends the request, with retries as described for [`Request`].
    ///
    /// # Errors
    /// Any [`ApiError`] except [`ApiError::Start`].
    pub async fn send<T: DeserializeOwned>(self) -> Result<Answer<T>, ApiError> {
        let body = self.body.transpose().map_err(ApiError::Body)?;
        let sending = Sending {
            client: self.client,
            method: self.method,
            url: self.client.server().join(&self.path),
            headers: self.headers,
            body,
        };
        let answer = if self.has_key || sending.method.is_safe() {
            sending.retried().await?
        } else {
            sending.once().await?
        };
        answer.parse()
    }
}

impl Answer<Value> {
    fn parse<T: DeserializeOwned>(self) -> Result<Answer<T>, ApiError> {
        Ok(Answer {
            status: self.status,
            body: serde_json::from_value(self.body).map_err(ApiError::Unexpected)?,
            etag: self.etag,
            location: self.location,
            request_id: self.request_id,
        })
    }
}

/// A request with fixed bytes, so that every attempt sends the same.
struct Sending<'a> {
    client: &'a Client,
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Sending<'_> {
    async fn retried(&self) -> Result<Answer<Value>, ApiError> {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.once().await {
                Err(error) if error.is_transient() => error,
                result => return result,
            };
            match backoff.next(error.retry_after()) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    async fn once(&self) -> Result<Answer<Value>, ApiError> {
        let token = self.client.token().token().map_err(ApiError::Token)?;
        let mut request = self
            .client
            .http()
            .request(self.method.clone(), &self.url)
            .timeout(READ_TIMEOUT)
            .bearer_auth(token.as_str());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &self.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let response = request.send().await;
        self.read(response.map_err(|error| self.client.unreachable(error))?)
            .await
    }

    async fn read(&self, response: Response) -> Result<Answer<Value>, ApiError> {
        let status = response.status();
        let headers = response.headers();
        let retry_after = header(headers, RETRY_AFTER.as_str());
        let mut answer = Answer {
            status: status.as_u16(),
            body: Value::Null,
            etag: header(headers, ETAG.as_str()),
            location: header(headers, LOCATION.as_str()),
            request_id: header(headers, "x-request-id"),
        };
        let bytes = response.bytes().await;
        let bytes = bytes.map_err(|error| self.client.unreachable(error))?;
        answer.body = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let mut problem = Problem::read(answer.status, &answer.body, retry_after.as_deref());
        problem.request_id = problem.request_id.or(answer.request_id);
        Err(ApiError::Problem(Box::new(problem)))
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.map(str::to_owned)
}
