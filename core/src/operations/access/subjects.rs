//! `GET /v1/projects/{project}/subjects`

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::ReasonView;
use crate::{
    api::{
        Method, PAGE, PageRequest, Parsed, Problem, QueryParameter, Route, schema,
        view::{self, ListView},
    },
    authority::{ProjectRecords, Roster},
    context::Context,
    facts::{Ask, Facts},
    permission::{Access, Capabilities, Capability, ProjectRole, Reason, subjects::subjects},
    storage::Range,
    use_case::{Outcome, UseCase},
    value::{Invalid, ProjectId, UserId},
};

/// How many rows of members and their teams are looked at for one page.
const ROWS: u32 = 1_000;

/// Lists who has access to a project.
#[derive(Debug)]
struct ListSubjects {
    project: ProjectId,
    capability: Option<Capability>,
    page: PageRequest,
}

/// A person with access, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Subject")]
struct SubjectView {
    user: UserId,
    /// The strongest role.
    role: Option<ProjectRole>,
    /// Everything they may do.
    capabilities: Capabilities,
    /// The records that give them access, or the capability that was asked for.
    reasons: Vec<ReasonView>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/subjects",
    "list_subjects",
    "Lists the people who have access to a project, by user id, and the records that give it",
    parse,
)
.query(&[
    PAGE[0],
    PAGE[1],
    QueryParameter {
        name: "capability",
        description: "only who has this capability on the project",
        schema: schema::<Capability>,
    },
])
.answers(&[(200, Some(schema::<ListView<SubjectView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let capability: Option<Capability> = request.query("capability")?;
    let known = ProjectRole::Owner.capabilities();
    if capability.is_some_and(|capability| !known.has(capability)) {
        return Err(Problem::field(
            "capability",
            "must be a capability that a role on a project confers",
        ));
    }
    Ok(Box::new(ListSubjects {
        project: request.path("project")?,
        capability,
        page: request.page(capability.map_or("", Capability::as_str))?,
    }))
}

impl ListSubjects {
    fn range(&self, context: &Context<'_>) -> Result<Range, Problem> {
        let parse = |text: String| {
            text.parse()
                .map_err(|error: Invalid| Problem::internal(error.to_string()))
        };
        let after = self.page.after(context)?.map(parse).transpose()?;
        Ok(Roster::range(self.project.account(), after, ROWS))
    }

    fn records(&self, context: &Context<'_>, facts: &Facts) -> Result<ProjectRecords, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        records
            .access(context.env.now)
            .check(Capability::GrantView)?;
        Ok(records)
    }
}

fn view((access, reasons): (Access<'_>, Vec<Reason>)) -> SubjectView {
    SubjectView {
        user: access.account.user,
        role: access.role(),
        capabilities: access.effective(),
        reasons: ReasonView::all(&access, reasons),
    }
}

impl UseCase for ListSubjects {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let range = self.range(context)?;
        let asks = ProjectRecords::asks(self.project, context.user());
        if asks.iter().any(|ask| !facts.has(ask)) {
            return Ok(asks);
        }
        self.records(context, facts)?;
        Ok(vec![Ask::Scan(range)])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = self.records(context, facts)?;
        let access = records.access(context.env.now);
        let roster = Roster::load(facts, &self.range(context)?)?;
        let everyone = roster.standings(access.account.account);
        let mut found = subjects(access, everyone, self.capability);
        let items: Vec<_> = found
            .by_ref()
            .take(self.page.limit as usize)
            .map(view)
            .collect();
        let full = found.next().is_some();
        let last = if full {
            items.last().map(|subject| subject.user)
        } else {
            roster.last().filter(|_| roster.more)
        };
        let last = last.map(|user| user.to_string());
        let reply = view::page(context, &self.page, items, last.as_deref());
        Ok(Outcome::Reply(reply))
    }
}
