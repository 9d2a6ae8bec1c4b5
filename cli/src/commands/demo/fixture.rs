//! Who plays, where, and how it is told.

use std::{path::PathBuf, str::FromStr, time::Instant};

use serde::Serialize;
use serde_json::Value;
use wm_client::{
    ApiError, BearerToken, Client, InvalidServerUrl, Method, Problem, Request, ServerUrl,
};
use wm_core::{
    operation::ProblemKind,
    value::{Email, Invalid, UserId},
};

use crate::{explain::Explained, failure::Failure, issuer::mint, output::line};

/// What a step gives: something for the steps after it, and what to tell.
pub(super) type StepOutcome<T> = Result<(T, String), Failure>;

/// The place.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The node.
    server: ServerUrl,
    /// Its data directory.
    pub(super) data: PathBuf,
    /// Where downloads go.
    pub(super) downloads: PathBuf,
}

/// The telling.
pub(super) struct DemoFixture {
    pub(super) site: Site,
    steps: u32,
    began: Instant,
}

impl DemoFixture {
    pub(super) fn new(url: &str, data: PathBuf, downloads: PathBuf) -> Result<Self, Failure> {
        let server = url
            .parse()
            .map_err(|error: InvalidServerUrl| Failure::new(error.to_string()))?;
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
        work: impl Future<Output = StepOutcome<T>>,
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

/// A person with a token.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// The id.
    pub(super) id: UserId,
    /// The e-mail address.
    pub(super) email: Email,
    /// The person's client.
    pub(super) client: Client,
}

impl Person {
    /// Gets a token from the node's own issuer and signs in with it.
    pub(super) async fn sign_in(site: &Site, name: &str) -> Result<Self, Failure> {
        let email: Email = valid(&format!("{name}@example.com"))?;
        let token = mint(&site.data, &email, Some(&valid(name)?))?;
        let client = Client::new(site.server.clone(), BearerToken::new(token)).explained()?;
        let user = client.session(None).await.explained()?.user;
        ensure(
            user.email.as_ref() == Some(&email),
            "the session names the address in the token",
        )?;
        Ok(Self {
            id: user.id,
            email,
            client,
        })
    }

    /// Sends a request that must be refused, for this reason.
    pub(super) async fn is_refused(
        &self,
        method: Method,
        path: &str,
        kind: ProblemKind,
    ) -> Result<Problem, Failure> {
        let call = format!("{method} {path}");
        refusal(&call, self.client.request(method, path), kind).await
    }

    /// Sends a request with a body that must be refused, for this reason.
    pub(super) async fn is_refused_with(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        kind: ProblemKind,
    ) -> Result<Problem, Failure> {
        let call = format!("{method} {path}");
        let request = self.client.request(method, path).body(body);
        refusal(&call, request, kind).await
    }
}

async fn refusal(call: &str, request: Request<'_>, kind: ProblemKind) -> Result<Problem, Failure> {
    match request.send::<Value>().await {
        Err(ApiError::Problem(problem)) if problem.is(kind) => Ok(*problem),
        Err(error) => Err(error).explained(),
        Ok(answer) => Err(Failure::new(format!(
            "`{call}` was answered {} where `{}` was due; please report this",
            answer.status,
            kind.urn().rsplit(':').next().unwrap_or_default()
        ))),
    }
}

/// A value of the demo's own, which fits its type.
pub(super) fn valid<T: FromStr<Err = Invalid>>(text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|error: Invalid| Failure::new(error.to_string()))
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
