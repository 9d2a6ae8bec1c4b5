//! `GET /v1/projects/{project}/grants/{grant}`

use alloc::{boxed::Box, vec::Vec};

use super::{GrantView, asks, find};
use crate::{
    api::{Method, Parsed, Problem, Route, schema, view},
    authority::ProjectRecords,
    context::Context,
    facts::{Ask, Facts},
    model::Principal,
    permission::Capability,
    use_case::{Outcome, UseCase},
    value::{GrantId, ProjectId},
};

/// Shows a grant, live or revoked.
#[derive(Debug)]
struct GetGrant {
    project: ProjectId,
    grant: GrantId,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/grants/{grant}",
    "get_grant",
    "Shows a grant, live or revoked; everyone sees their own",
    parse,
)
.answers(&[(200, Some(schema::<GrantView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetGrant {
        project: request.path("project")?,
        grant: request.path("grant")?,
    }))
}

impl UseCase for GetGrant {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(asks(self.project, self.grant, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let grant = find(facts, &records, self.project, self.grant)?;
        let caller = Principal::User(context.user());
        let own = grant
            .as_ref()
            .is_some_and(|grant| grant.body.principal == caller);
        access.check(if own {
            Capability::ProjectView
        } else {
            Capability::GrantView
        })?;
        let grant = grant.ok_or_else(Problem::not_found)?;
        let view = GrantView::at(&grant, access.now);
        Ok(Outcome::Reply(view::shown(&grant, &view)))
    }
}
