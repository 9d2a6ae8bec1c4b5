//! `POST …/metadata` and `POST …/events`: records that callers append to a document.

use alloc::{boxed::Box, vec::Vec};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    operation::{
        Context, Facts, Outcome, Parsed, Problem, ReadRequest, Reply, UseCase,
        content::ArtifactRef, view,
    },
    record::{Body, EventType, Record},
    storage::{Key, Scope},
    value::{Capability, Timestamp, id::Id},
};

/// A family of records that are appended to a document and never change.
pub(crate) trait Appended: Body<Id: Id> + Sized + 'static {
    type Input: DeserializeOwned + Send + Sync;
    type View: Serialize + for<'a> From<&'a Record<Self>>;
    const CAPABILITY: Capability;
    const EVENT: EventType;
    /// The name under which the id is drawn.
    const NAME: &'static str;

    /// Checks what the schema of the input cannot express.
    ///
    /// # Errors
    /// 400 naming the field.
    fn check(_: &Self::Input) -> Result<(), Problem> {
        Ok(())
    }

    fn new(target: ArtifactRef, at: Timestamp, input: &Self::Input) -> Self;
}

pub(crate) struct Append<A: Appended> {
    target: ArtifactRef,
    input: A::Input,
}

impl<A: Appended> Append<A> {
    pub(crate) fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
        let input = request.body()?;
        A::check(&input)?;
        let target = ArtifactRef::of(request)?;
        Ok(Box::new(Self { target, input }))
    }
}

fn reply<A: Appended>(record: &Record<A>) -> Reply {
    view::created(record, &A::View::from(record))
}

impl<A: Appended> UseCase for Append<A> {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found) = self.target.authorise(context, facts, A::CAPABILITY)?;
        let mut commit = found.commit(context, permit)?;
        let record = A::new(self.target, commit.at(), &self.input);
        let record = commit.create(context.env.id(A::NAME), record);
        commit.finish(A::EVENT, reply(&record))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.scope())
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        self.target.authorise(context, facts, A::CAPABILITY)?;
        Ok(reply::<A>(&view::replayed(facts, records, 0)?))
    }
}
