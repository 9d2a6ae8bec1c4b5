//! Who plays, where, and how it is told.

use std::{path::PathBuf, time::Instant};

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wm_core::value::{Email, Name, UserId};

use crate::{
    client::{ApiError, Client, Refusal},
    commands::token,
    connection::{Server, Token},
    failure::Failure,
    output::{line, plain},
};

/// What a step gives: something for the steps after it, and what to tell.
pub(super) type Told<T> = Result<(T, String), Failure>;

/// The place.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The node.
    server: Server,
    /// Its data directory.
    pub(super) data: PathBuf,
    /// Where downloads go.
    pub(super) downloads: PathBuf,
}

/// The telling.
pub(super) struct Stage {
    pub(super) site: Site,
    steps: u32,
    began: Instant,
}

impl Stage {
    pub(super) fn new(url: &str, data: PathBuf, downloads: PathBuf) -> Result<Self, Failure> {
        let server = url.parse().map_err(Failure::new)?;
        std::fs::create_dir_all(&downloads)
            .map_err(|error| Failure::because("there is no place for downloads", error))?;
        Ok(Self {
            site: Site {
                server,
                data,
                downloads,
            },
            steps: 0,
            began: Instant::now(),
        })
    }

    /// Tells what happens, lets it happen, and tells what came of it.
    pub(super) async fn step<T>(
        &mut self,
        title: &str,
        work: impl Future<Output = Told<T>>,
    ) -> Result<T, Failure> {
        self.steps += 1;
        line(format!("\n{:>2}. {title}", self.steps))?;
        let (value, outcome) = work.await?;
        for sentence in outcome.lines() {
            line(format!("    {sentence}"))?;
        }
        Ok(value)
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        let seconds = self.began.elapsed().as_secs_f64();
        line(format!(
            "\nAll {} steps did what they say, in {seconds:.1} s.",
            self.steps
        ))
    }
}

/// Somebody with a token.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// Who they are.
    pub(super) id: UserId,
    /// Their address.
    pub(super) email: Email,
    /// Their connection.
    pub(super) client: Client,
}

impl Person {
    /// Gets a token from the node's own issuer and signs in with it.
    pub(super) async fn sign_in(site: &Site, name: &str) -> Result<Self, Failure> {
        let wrong = |error: wm_core::value::Invalid| Failure::new(error.to_string());
        let email: Email = format!("{name}@example.com").parse().map_err(wrong)?;
        let name: Name = name.parse().map_err(wrong)?;
        let token = token::mint(&site.data, &email, Some(&name))?;
        let client = Client::new(site.server.clone(), Token::Given(token))?;
        let session: Value = client.get("/v1/session").await?;
        let user = session.get("user").unwrap_or(&Value::Null);
        ensure(
            field::<Email>(user, "email")? == email,
            "the session names the address in the token",
        )?;
        Ok(Self {
            id: field(user, "id")?,
            email,
            client,
        })
    }

    /// Reads something that must be there.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        Ok(self.client.get(path).await?)
    }

    /// Does something that must be allowed.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        Ok(self.client.post(path, body).await?.body)
    }

    /// Sends any request that must be allowed.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        Ok(self.client.send(method, path, &[], body).await?.body)
    }

    /// Sends a request that must be refused, for this reason.
    pub(super) async fn is_refused(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        kind: &str,
    ) -> Result<Refusal, Failure> {
        let asked = format!("{method} {path}");
        match self.client.send(method, path, &[], body).await {
            Err(ApiError::Refused(refusal)) if refusal.kind == kind => Ok(refusal),
            Err(error) => Err(error.into()),
            Ok(answer) => Err(Failure::new(format!(
                "`{asked}` was answered {} where `{kind}` was due; please report this",
                answer.status
            ))),
        }
    }
}

/// Asserts what a step says.
pub(super) fn ensure(holds: bool, what: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "it is not so that {what}; please report this"
        )))
    }
}

/// A member of an answer.
pub(super) fn field<T: DeserializeOwned>(answer: &Value, name: &str) -> Result<T, Failure> {
    let member = answer.get(name).cloned().unwrap_or_default();
    serde_json::from_value(member).map_err(|error| {
        Failure::because(
            format!("the answer has no proper `{name}`; please report this"),
            error,
        )
    })
}

/// A text in an answer, for telling.
pub(super) fn shown(answer: &Value, name: &str) -> String {
    plain(answer.get(name).and_then(Value::as_str).unwrap_or_default())
}
