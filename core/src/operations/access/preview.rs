//! `POST /v1/projects/{project}/access/preview`

use alloc::{boxed::Box, collections::BTreeSet, format, vec, vec::Vec};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema, view::ListView},
    authority::{ProjectRecords, Roster},
    canonical,
    context::Context,
    facts::{Ask, Facts},
    model::{Author, Clock, Grant, Record},
    operations::grants::{Proposal, Recipient, may_revoke},
    permission::{
        Access, Capabilities, Capability,
        preview::{Difference, changed, preview},
    },
    storage::Range,
    use_case::{Outcome, Reply, UseCase},
    value::{GrantId, ProjectId, UserId},
};

/// The most grants that can be added, and the most that can be revoked, in one preview.
const CHANGES: usize = 50;

/// The most rows of members and their teams that are compared.
const ROWS: u32 = 10_000;

/// Tells what a change of grants would do, without doing it.
#[derive(Debug)]
struct PreviewAccess {
    project: ProjectId,
    input: Input,
}

/// The body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AccessChange")]
struct Input {
    /// Grants to make.
    #[serde(default)]
    #[schemars(length(max = 50))]
    add: Vec<Proposal>,
    /// Grants to revoke.
    #[serde(default)]
    #[schemars(length(max = 50))]
    revoke: Vec<GrantId>,
}

/// What would change for one person, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccessDifference")]
struct DifferenceView {
    user: UserId,
    gained: Capabilities,
    lost: Capabilities,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        let Difference { user, gained, lost } = difference;
        Self { user, gained, lost }
    }
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/access/preview",
    "preview_access",
    "Tells what a change of grants would give and take, person by person, without making it",
    parse,
)
.takes(schema::<Input>)
.answers(&[(200, Some(schema::<ListView<DifferenceView>>))])
.refuses(&[ProblemKind::Escalation, ProblemKind::Conflict]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input: Input = request.body()?;
    for (field, length) in [("add", input.add.len()), ("revoke", input.revoke.len())] {
        if length > CHANGES {
            return Err(Problem::field(
                field,
                format!("may have at most {CHANGES} entries"),
            ));
        }
    }
    Ok(Box::new(PreviewAccess {
        project: request.path("project")?,
        input,
    }))
}

impl PreviewAccess {
    fn range(&self) -> Range {
        Roster::range(self.project.account(), None, ROWS)
    }

    fn records(&self, context: &Context<'_>, facts: &Facts) -> Result<ProjectRecords, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        access.check(Capability::GrantManage)?;
        Ok(records)
    }

    /// The grants that would be made, checked as making them would be.
    fn added(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        access: &Access<'_>,
    ) -> Result<Vec<Record<Grant>>, Problem> {
        let account = self.project.account();
        let record = |(position, proposal): (usize, &Proposal)| {
            let recipient = Recipient::load(facts, account, proposal.principal)?;
            let recipient = proposal.check(access, recipient, &format!("add[{position}]."))?;
            let grant = proposal.grant(self.project, &recipient);
            let id = context.env.id(&format!("grant {position}"));
            let author = Author::User(context.user());
            Ok(Record::new(id, grant, Clock::default(), access.now, author))
        };
        self.input.add.iter().enumerate().map(record).collect()
    }

    /// The grants that would be revoked, checked as revoking them would be.
    fn revoked(&self, access: &Access<'_>) -> Result<BTreeSet<GrantId>, Problem> {
        let check = |(position, id): (usize, &GrantId)| {
            let grant = access.grants.iter().find(|grant| grant.id == *id);
            let grant = grant.ok_or_else(|| {
                let field = format!("revoke[{position}]");
                Problem::field(field, "must be a grant of this project that is not revoked")
            })?;
            may_revoke(access, &grant.body).map(|()| *id)
        };
        self.input.revoke.iter().enumerate().map(check).collect()
    }
}

impl UseCase for PreviewAccess {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let asks = ProjectRecords::asks(self.project, context.user());
        if asks.iter().any(|ask| !facts.has(ask)) {
            return Ok(asks);
        }
        self.records(context, facts)?;
        let mut asks = vec![Ask::Scan(self.range())];
        for proposal in &self.input.add {
            let account = self.project.account();
            asks.extend(Recipient::asks(account, proposal.principal));
        }
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = self.records(context, facts)?;
        let access = records.access(context.env.now);
        let add = self.added(context, facts, &access)?;
        let after = changed(access.grants, add, &self.revoked(&access)?);
        let roster = Roster::load(facts, &self.range())?;
        if roster.more {
            return Err(Problem::conflict(
                "the account has too many members to compare them all; ask for some with `access`",
            ));
        }
        let everyone = roster.standings(access.account.account);
        let view = ListView {
            items: preview(access, &after, everyone)
                .map(DifferenceView::from)
                .collect(),
            next_cursor: None,
        };
        Ok(Outcome::Reply(Reply::ok(canonical::to_value(&view))))
    }
}
