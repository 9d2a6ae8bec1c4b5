//! People who call a surface, and answers that check themselves.

use reqwest::{Client, Method, RequestBuilder, header::HeaderValue};
use serde_json::{Value, json};
use wm_core::{http::Request, value::Sha256};

use crate::{
    harness::{Answer, Harness, ObjectRequest},
    openapi,
};

/// A person of the suite, with a token for their address `NAME@example.com`.
#[derive(Debug)]
pub struct Person<'a, H> {
    harness: &'a H,
    pub email: String,
    token: Option<String>,
}

impl<H> Clone for Person<'_, H> {
    fn clone(&self) -> Self {
        Self {
            harness: self.harness,
            email: self.email.clone(),
            token: self.token.clone(),
        }
    }
}

/// An answer to a call, parsed.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    /// The unparsed answer.
    pub raw: Answer,
    /// The body, or null.
    pub body: Value,
    call: String,
}

impl<'a, H: Harness> Person<'a, H> {
    /// A person with a valid token.
    pub fn new(harness: &'a H, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let token = Some(harness.access_token(&email));
        Self {
            harness,
            email,
            token,
        }
    }

    /// A caller with this token.
    pub fn with_token(harness: &'a H, token: Option<&str>) -> Self {
        Self {
            harness,
            email: String::new(),
            token: token.map(str::to_owned),
        }
    }

    pub fn harness(&self) -> &'a H {
        self.harness
    }

    /// The user id of the person.
    pub async fn id(&self) -> String {
        self.get("/v1/session").await.expect(200).body["user"]["id"]
            .as_str()
            .unwrap()
            .into()
    }

    pub async fn get(&self, target: &str) -> Answered {
        self.send("GET", target, &[], None).await
    }

    pub async fn post(&self, target: &str, body: Value) -> Answered {
        self.send("POST", target, &[], Some(body)).await
    }

    pub async fn put(&self, target: &str, body: Value) -> Answered {
        self.send("PUT", target, &[], Some(body)).await
    }

    /// `PATCH` with `If-Match: *`.
    pub async fn patch(&self, target: &str, body: Value) -> Answered {
        self.send("PATCH", target, &[("if-match", "*")], Some(body))
            .await
    }

    pub async fn delete(&self, target: &str) -> Answered {
        self.send("DELETE", target, &[], None).await
    }

    /// Sends a request with a JSON body. The answer must match the OpenAPI document.
    pub async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answered {
        let mut headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        if body.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".into(), "application/json".into()));
        }
        let body = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        self.send_bytes(method, target, headers, body).await
    }

    /// Sends any request.
    pub async fn send_bytes(
        &self,
        method: &str,
        target: &str,
        mut headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Answered {
        if let Some(token) = &self.token {
            headers.push(("authorization".into(), format!("Bearer {token}")));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers,
            body,
        };
        let answer = self.harness.call(request).await;
        openapi::check(method, path, &answer);
        Answered {
            status: answer.status,
            body: serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
            call: format!("{}: {method} {target}", self.harness.name()),
            raw: answer,
        }
    }

    /// Reads all pages of a list.
    pub async fn list(&self, target: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let separator = if target.contains('?') { '&' } else { '?' };
            let page = match &cursor {
                Some(cursor) => format!("{target}{separator}cursor={cursor}"),
                None => target.to_owned(),
            };
            let answer = self.get(&page).await.expect(200);
            rows.extend(answer.body["items"].as_array().unwrap().iter().cloned());
            cursor = answer.body["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return rows;
            }
        }
    }

    /// Creates an account and returns its id.
    pub async fn account(&self) -> String {
        let body = json!({ "name": "Atelier", "kind": "organisation" });
        self.post("/v1/accounts", body).await.expect(201).id()
    }

    /// Creates a private project and returns its id.
    pub async fn project(&self, account: &str) -> String {
        let body = json!({ "name": "House", "visibility": "private" });
        self.post(&format!("/v1/accounts/{account}/projects"), body)
            .await
            .expect(201)
            .id()
    }

    /// Grants a role to a person and returns the id of the grant.
    pub async fn grant(&self, project: &str, user: &str, role: &str) -> String {
        let body = json!({ "principal": { "type": "user", "id": user }, "role": role });
        self.post(&format!("/v1/projects/{project}/grants"), body)
            .await
            .expect(201)
            .id()
    }

    /// Adds a person to an account through an invitation, its mail and an acceptance.
    pub async fn bring(&self, account: &str, other: &Self, role: &str) {
        let body = json!({ "email": other.email, "role": role });
        self.post(&format!("/v1/accounts/{account}/invitations"), body)
            .await
            .expect(201);
        let token = other.invitation_token().await;
        other
            .post("/v1/invitations/accept", json!({ "token": token }))
            .await
            .expect(200);
    }

    /// The token in the newest mail to this person.
    pub async fn invitation_token(&self) -> String {
        self.harness.drain().await;
        let mails = self.harness.mails(&self.email).await;
        let mail = mails.last().expect("a mail");
        let (_, rest) = mail.split_once("?token=").expect("a link with a token");
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// Declares an upload of these bytes as a new artifact. The answer contains the upload plan.
    pub async fn declare(&self, project: &str, name: &str, bytes: &[u8]) -> Answered {
        let path = format!("/v1/projects/{project}/artifacts");
        self.post(&path, declaration(name, bytes)).await
    }

    /// Sends bytes according to an upload plan. Returns one answer per part.
    pub async fn follow(&self, upload: &Value, bytes: &[u8]) -> Vec<Answer> {
        let single = [upload.clone()];
        let (steps, size) = match upload["kind"].as_str() {
            Some("multipart") => (
                upload["parts"].as_array().unwrap().as_slice(),
                upload["part_size"].as_u64().unwrap(),
            ),
            _ => (single.as_slice(), u64::MAX),
        };
        let mut answers = Vec::new();
        for (step, chunk) in steps.iter().zip(chunks(bytes, size)) {
            answers.push(
                self.harness
                    .object(object_request(step, chunk.to_vec()))
                    .await,
            );
        }
        answers
    }

    /// Uploads bytes as a new artifact, completes the upload and returns the id of the artifact.
    pub async fn upload(&self, project: &str, name: &str, bytes: &[u8]) -> String {
        let declared = self.declare(project, name, bytes).await.expect(201);
        for answer in self.follow(&declared.body["upload"], bytes).await {
            assert!(
                answer.status < 300,
                "{}",
                String::from_utf8_lossy(&answer.body)
            );
        }
        let artifact = declared.body["artifact"]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/projects/{project}/artifacts/{artifact}/versions/1/complete");
        self.post(&path, json!({})).await.expect(200);
        artifact
    }
}

/// The request body that declares these bytes.
pub fn declaration(name: &str, bytes: &[u8]) -> Value {
    json!({
        "name": name,
        "media_type": "text/plain",
        "size": bytes.len(),
        "sha256": Sha256::of(bytes).to_string(),
    })
}

/// The request of one step of an upload plan.
pub fn object_request(step: &Value, body: Vec<u8>) -> ObjectRequest {
    let headers = step["headers"].as_object().unwrap();
    ObjectRequest {
        method: step["method"].as_str().unwrap().into(),
        url: step["url"].as_str().unwrap().into(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        body,
    }
}

/// Sends a request to a signed URL like browsers and curl do.
pub async fn send_object(client: &Client, request: ObjectRequest) -> Answer {
    let method: Method = request.method.parse().unwrap();
    let mut built = client.request(method, &request.url);
    for (name, value) in &request.headers {
        built = built.header(name, value);
    }
    if request.body.is_empty() && request.method == "PUT" {
        // This client omits the header. Browsers and curl send it (RFC 9110 section 8.6).
        built = built.header("content-length", "0");
    }
    answered(built.body(request.body)).await.unwrap()
}

/// Sends a request and reads the whole answer.
///
/// # Errors
///
/// If no complete answer arrives.
pub async fn answered(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value)));
    Ok(Answer {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: response.bytes().await?.to_vec(),
    })
}

fn chunks(bytes: &[u8], size: u64) -> impl Iterator<Item = &[u8]> {
    let size = usize::try_from(size)
        .unwrap_or(usize::MAX)
        .min(bytes.len().max(1));
    let whole: Vec<&[u8]> = if bytes.is_empty() {
        vec![bytes]
    } else {
        bytes.chunks(size).collect()
    };
    whole.into_iter()
}

impl Answered {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {}", self.call, self.body);
        self
    }

    /// Asserts a problem of this type, such as `not-found`.
    #[track_caller]
    pub fn expect_problem(self, kind: &str) -> Self {
        let expected = format!("urn:wm:problem:{kind}");
        assert_eq!(
            self.body["type"], expected,
            "{} answered {} {}",
            self.call, self.status, self.body
        );
        assert_eq!(
            self.raw.header("content-type"),
            Some("application/problem+json")
        );
        self
    }

    /// Asserts a 400 that names this field.
    #[track_caller]
    pub fn expect_field(self, field: &str) -> Self {
        let answered = self.expect_problem("invalid-request");
        assert_eq!(
            answered.body["errors"][0]["field"], field,
            "{}",
            answered.body
        );
        answered
    }

    #[track_caller]
    pub fn id(&self) -> String {
        self.text("id")
    }

    /// A text member of the body.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        self.body[name]
            .as_str()
            .unwrap_or_else(|| panic!("no `{name}` in {}", self.body))
            .into()
    }

    #[track_caller]
    pub fn etag(&self) -> String {
        self.raw.header("etag").expect("an ETag").into()
    }
}
