//! Completing an upload from the storage side.

use alloc::{boxed::Box, vec, vec::Vec};

use crate::{
    api::Problem,
    authority::head_key,
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{Artifact, Record},
    operations::content::{
        AnyPlace, Place, Stored,
        completion::{Completion, Standing, reply, standing},
    },
    permission::Permit,
    storage::{ObjectPath, Scope},
    use_case::{Outcome, UseCase},
};

/// Completes the upload of the object at this path, reading and hashing it where the provider cannot
/// vouch for its digest; for storage events. It answers like the route, and may be repeated.
///
/// A refusal (404 when no record waits for the object, 409 when its time is over or its uploader lost
/// the right to upload) leaves the object to the sweep: there is nothing to try again.
#[must_use]
pub fn complete_content(path: &ObjectPath) -> Box<dyn UseCase> {
    match AnyPlace::of_object(path) {
        AnyPlace::Version(place) => Box::new(CompleteContent { place }),
        AnyPlace::Derived(place) => Box::new(CompleteContent { place }),
    }
}

/// Completes an upload on behalf of whoever declared it.
pub(super) struct CompleteContent<S: Stored> {
    pub(super) place: Place<S>,
}

impl<S: Stored> CompleteContent<S> {
    /// The artifact and the record.
    fn find(&self, facts: &Facts) -> Result<(Record<Artifact>, Record<S>), Problem> {
        let artifact: Option<Record<Artifact>> = facts.record(&self.place.below.key())?;
        let artifact = artifact
            .filter(|artifact| !artifact.deleted)
            .ok_or_else(Problem::not_found)?;
        Ok((artifact, self.place.record(facts)?))
    }

    fn completion<'a>(
        &self,
        context: &'a Context<'a>,
        facts: &'a Facts,
        record: &'a Record<S>,
    ) -> Completion<'a, S> {
        Completion {
            context,
            facts,
            project: self.place.below.project,
            record,
        }
    }

    fn evidence(&self, record: &Record<S>) -> Ask {
        Ask::Stat {
            path: S::object_path(record),
            hash: true,
        }
    }
}

impl<S: Stored> UseCase for CompleteContent<S> {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let mut asks = vec![
            Ask::Get(head_key(self.place.below.scope())),
            Ask::Get(self.place.below.key()),
            Ask::Get(self.place.key()),
        ];
        if facts.has_all(&asks) {
            let (_, record) = self.find(facts)?;
            if standing(record.body.content(), context.env.now)? != Standing::Available {
                let completion = self.completion(context, facts, &record);
                asks.extend(completion.asks(self.evidence(&record))?);
            }
        }
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (artifact, record) = self.find(facts)?;
        if standing(record.body.content(), context.env.now)? == Standing::Available {
            return Ok(Outcome::Reply(reply(&record)));
        }
        let scope = self.place.below.scope();
        let head = facts.record(&head_key(scope))?;
        let commit = Commit::open(context, Permit::system(scope), head);
        self.completion(context, facts, &record).conclude(
            commit,
            &artifact,
            &self.evidence(&record),
        )
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.below.scope())
    }
}
