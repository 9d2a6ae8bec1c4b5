//! `DELETE /v1/projects/{project}`

use alloc::{boxed::Box, vec::Vec};

use crate::{
    api::{IfMatch, Method, Parsed, Precondition, Problem, Route},
    authority::ProjectRecords,
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::EventType,
    permission::Capability,
    storage::Scope,
    use_case::{Outcome, Reply, UseCase},
    value::ProjectId,
};

/// Deletes a project: from then on it exists for nobody.
#[derive(Debug)]
struct DeleteProject {
    project: ProjectId,
    if_match: IfMatch,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/projects/{project}",
    "delete_project",
    "Deletes a project with everything in it, for everybody",
    parse,
)
.answers(&[(204, None)])
.precondition(Precondition::Optional);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(DeleteProject {
        project: request.path("project")?,
        if_match: request.if_match()?,
    }))
}

impl UseCase for DeleteProject {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(ProjectRecords::asks(self.project, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let permit = access.permit(self.project, Capability::ProjectDelete)?;
        let project = access.project.ok_or_else(Problem::not_found)?;
        self.if_match.honour(Some(&project.etag()))?;
        let mut commit = Commit::open(context, permit, records.head.clone());
        commit.delete(project);
        commit.finish(EventType::ProjectDeleted, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }
}
