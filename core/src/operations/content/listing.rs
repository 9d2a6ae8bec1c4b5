//! Lists of a project's documents and of a document's records, read from the base table.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::marker::PhantomData;

use serde::Serialize;

use crate::{
    operation::{
        Context, FactError, Facts, Outcome, PageRequest, Parsed, Problem, ReadRequest, UseCase,
        authority::ProjectRecords, content::ArtifactRef, view,
    },
    record::{Body, Record},
    storage::{Range, Scope, Sort},
    value::{ArtifactId, Capability, ProjectId, UserId},
};

/// One page of records of one family, sorted by key.
pub(crate) struct Listing<B: Body, V> {
    project: ProjectId,
    /// The document of the records. `None` for a list of documents.
    artifact: Option<ArtifactId>,
    prefix: String,
    capability: Capability,
    page: PageRequest,
    shows: PhantomData<fn(B) -> V>,
}

impl<B, V> Listing<B, V>
where
    B: Body + Send + Sync + 'static,
    V: Serialize + for<'a> From<&'a Record<B>> + 'static,
{
    /// A list of a project's documents.
    pub(crate) fn artifacts(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
        Ok(Box::new(Self {
            page: request.page("")?,
            project: request.path("project")?,
            artifact: None,
            prefix: Sort::ARTIFACTS.into(),
            capability: Capability::ArtifactView,
            shows: PhantomData,
        }))
    }

    /// A list of a document's records. `kind` as for [`Sort::documents`].
    pub(crate) fn documents(
        request: &Parsed<'_>,
        kind: &str,
        capability: Capability,
    ) -> Result<Box<dyn UseCase>, Problem> {
        let page = request.page("")?;
        let ArtifactRef { project, artifact } = ArtifactRef::of(request)?;
        Ok(Box::new(Self {
            page,
            project,
            artifact: Some(artifact),
            prefix: Sort::documents(artifact, kind),
            capability,
            shows: PhantomData,
        }))
    }

    fn target(&self) -> Option<ArtifactRef> {
        let project = self.project;
        self.artifact
            .map(|artifact| ArtifactRef { project, artifact })
    }

    fn reads(&self, user: UserId) -> Vec<ReadRequest> {
        match self.target() {
            Some(target) => target.reads(user),
            None => ProjectRecords::reads(self.project, user),
        }
    }

    fn authorise(&self, context: &Context<'_>, facts: &Facts) -> Result<(), Problem> {
        match self.target() {
            Some(target) => {
                target.find(context, facts)?.permit(self.capability)?;
            }
            None => {
                let records = ProjectRecords::load(facts, self.project, context.user())?;
                records.access(context.env.now).check(self.capability)?;
            }
        }
        Ok(())
    }

    fn range(&self, context: &Context<'_>) -> Result<Range, Problem> {
        Ok(Range {
            scope: Scope::Project(self.project),
            prefix: self.prefix.clone(),
            after: self.page.after(context)?,
            limit: Some(self.page.limit),
        })
    }
}

impl<B, V> UseCase for Listing<B, V>
where
    B: Body + Send + Sync + 'static,
    V: Serialize + for<'a> From<&'a Record<B>> + 'static,
{
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let range = self.range(context)?;
        let mut reads = self.reads(context.user());
        if facts.has_all(&reads) {
            self.authorise(context, facts)?;
            reads.push(ReadRequest::Scan(range));
        }
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        self.authorise(context, facts)?;
        let page = facts.scan(&self.range(context)?)?;
        let mut items = Vec::with_capacity(page.items.len());
        for item in &page.items {
            let record = Record::decode(item).map_err(FactError::from)?;
            if !record.deleted {
                items.push(V::from(&record));
            }
        }
        let last = page.items.last().filter(|_| page.more);
        let last = last.map(|item| item.key.sort.as_str());
        Ok(Outcome::Reply(view::page(context, &self.page, items, last)))
    }
}
