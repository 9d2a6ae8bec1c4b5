//! `GET /v1/projects/{project}/access`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::ReasonView;
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, QueryParameter, Route, schema},
    authority::{AccountRecords, ProjectRecords, past},
    canonical,
    context::Context,
    facts::{Ask, Facts},
    permission::{Access, Capabilities, Capability, ProjectRole},
    use_case::{Outcome, Reply, UseCase},
    value::{ProjectId, Timestamp, UserId},
};

/// Explains what one person may do on a project, now or at a past time.
#[derive(Debug)]
struct ExplainAccess {
    project: ProjectId,
    user: Option<UserId>,
    at: Option<Timestamp>,
}

/// What a person may do on a project, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Access")]
struct AccessView {
    user: UserId,
    capabilities: Capabilities,
    /// Every record that gives something.
    reasons: Vec<ReasonView>,
    /// The capabilities on projects that the person lacks; absent if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Capabilities>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/access",
    "get_access",
    "Explains what the caller, or another person, may do on a project, and which records say so",
    parse,
)
.query(&[
    QueryParameter {
        name: "user",
        description: "whose access, if not the caller's own; needs `grant.view`",
        schema: schema::<UserId>,
    },
    QueryParameter {
        name: "at",
        description: "as of this time, not in the future",
        schema: schema::<Timestamp>,
    },
])
.answers(&[(200, Some(schema::<AccessView>))])
.refuses(&[ProblemKind::Conflict]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(ExplainAccess {
        project: request.path("project")?,
        user: request.query("user")?,
        at: request.query("at")?,
    }))
}

impl ExplainAccess {
    fn subject(&self, context: &Context<'_>) -> UserId {
        self.user.unwrap_or(context.user())
    }

    fn check_time(&self, context: &Context<'_>) -> Result<(), Problem> {
        if self.at.is_none_or(|at| at <= context.env.now) {
            return Ok(());
        }
        Err(Problem::field("at", "must not be in the future"))
    }

    /// The subject's records as they are now, once the caller is known to may ask now.
    fn present(&self, context: &Context<'_>, facts: &Facts) -> Result<ProjectRecords, Problem> {
        let (caller, subject) = (context.user(), self.subject(context));
        let records = ProjectRecords::load(facts, self.project, caller)?;
        let access = records.access(context.env.now);
        if subject == caller {
            access.check(Capability::ProjectView)?;
            return Ok(records);
        }
        access.check(Capability::GrantView)?;
        let standing = AccountRecords::load(facts, self.project.account(), subject)?;
        Ok(ProjectRecords {
            standing,
            ..records
        })
    }
}

fn view(access: &Access<'_>) -> AccessView {
    let capabilities = access.effective();
    let missing = ProjectRole::Owner.capabilities().without(capabilities);
    AccessView {
        user: access.account.user,
        capabilities,
        reasons: ReasonView::all(access, access.reasons()),
        missing: (!missing.is_empty()).then_some(missing),
    }
}

impl UseCase for ExplainAccess {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        self.check_time(context)?;
        let subject = self.subject(context);
        let mut asks = ProjectRecords::asks(self.project, context.user());
        asks.extend(AccountRecords::asks(self.project.account(), subject));
        if self.at.is_none() || asks.iter().any(|ask| !facts.has(ask)) {
            return Ok(asks);
        }
        self.present(context, facts)?;
        Ok(past::asks(self.project, subject))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let mut records = self.present(context, facts)?;
        if let Some(at) = self.at {
            records = past::load(facts, records, self.project, at)?;
        }
        let access = records.access(self.at.unwrap_or(context.env.now));
        let body = canonical::to_value(&view(&access));
        Ok(Outcome::Reply(Reply::ok(body)))
    }
}
