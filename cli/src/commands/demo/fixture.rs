//! The node, the people and the output of the demo.

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

/// The outcome of a step: a value for later steps, and the text to print.
pub(super) type StepOutcome<T> = Result<(T, String), Failure>;

#[derive(Debug, Clone)]
pub(super) struct Site {
    server: ServerUrl,
    pub(super) data: PathBuf,
    /// The directory for downloads.
    pub(super) downloads: PathBuf,
}

/// Runs and prints the steps.
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
        std::fs::create_dir_all(&downloads).map_err(|error| {
            Failure::because("the directory for downloads cannot be created", error)
        })?;
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

    /// Prints the title of a step, runs it, and prints its outcome.
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
            "\nAll {} steps succeeded in {seconds:.1} s.",
            self.steps
        ))
    }
}

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: UserId,
    pub(super) email: Email,
    pub(super) client: Client,
}

impl Person {
    /// Gets a token from the issuer of the node and signs in with it.
    pub(super) async fn sign_in(site: &Site, name: &str) -> Result<Self, Failure> {
        let email: Email = valid(&format!("{name}@example.com"))?;
        let token = mint(&site.data, &email, Some(&valid(name)?))?;
        let client = Client::new(site.server.clone(), BearerToken::new(token)).explained()?;
        let user = client.session(None).await.explained()?.user;
        ensure(
            user.email.as_ref() == Some(&email),
            "the session has the e-mail address of the token",
        )?;
        Ok(Self {
            id: user.id,
            email,
            client,
        })
    }

    /// Sends a request that must be refused for this reason.
    pub(super) async fn is_refused(
        &self,
        method: Method,
        path: &str,
        kind: ProblemKind,
    ) -> Result<Problem, Failure> {
        let call = format!("{method} {path}");
        refusal(&call, self.client.request(method, path), kind).await
    }

    /// Sends a request with a body that must be refused for this reason.
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
            "`{call}` was answered {} instead of `{}`; please report this",
            answer.status,
            kind.urn().rsplit(':').next().unwrap_or_default()
        ))),
    }
}

/// Parses a constant of the demo.
pub(super) fn valid<T: FromStr<Err = Invalid>>(text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|error: Invalid| Failure::new(error.to_string()))
}

/// Fails the demo if a statement does not hold.
pub(super) fn ensure(holds: bool, what: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "this does not hold: {what}; please report this"
        )))
    }
}
