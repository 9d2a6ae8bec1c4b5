//! Settling an upload that is due: expiring it, or finishing its verification.

use alloc::{boxed::Box, vec, vec::Vec};

use super::complete_content::CompleteContent;
use crate::{
    api::{Problem, ProblemKind},
    authority::head_key,
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{Content, ContentStatus, Record},
    operations::content::{AnyPlace, Stored},
    permission::Permit,
    storage::{Key, Scope},
    use_case::{AbandonedUpload, Outcome, Reply, UseCase},
};

/// Settles the raw version or derived output under this key, for the sweep: a pending upload whose
/// time is over expires, an interrupted verification is repeated, anything else stays as it is.
/// `None` when the key is of neither.
#[must_use]
pub fn settle_content(key: &Key) -> Option<Box<dyn UseCase>> {
    Some(match AnyPlace::of_key(key)? {
        AnyPlace::Version(place) => Box::new(SettleContent(CompleteContent { place })),
        AnyPlace::Derived(place) => Box::new(SettleContent(CompleteContent { place })),
    })
}

struct SettleContent<S: Stored>(CompleteContent<S>);

impl<S: Stored> SettleContent<S> {
    fn record(&self, facts: &Facts) -> Result<Record<S>, Problem> {
        self.0.place.record(facts)
    }

    fn expire(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        record: &Record<S>,
    ) -> Result<Outcome, Problem> {
        let scope = self.0.place.below.scope();
        let head = facts.record(&head_key(scope))?;
        let mut commit = Commit::open(context, Permit::system(scope), head);
        let before = record.body.content();
        let content = Content {
            status: ContentStatus::Expired,
            upload_id: None,
            ..before.clone()
        };
        commit.update(record, record.body.with_content(content));
        let abandoned = before.upload_id.clone().map(|upload_id| AbandonedUpload {
            path: S::object_path(record),
            upload_id,
        });
        let reply = Reply {
            abandoned,
            ..Reply::no_content()
        };
        commit.finish(S::EVENTS.expired, reply)
    }
}

/// Whether a verification can no longer end well: a refusal, once the upload's time is over too.
fn is_hopeless(problem: &Problem, content: &Content, context: &Context<'_>) -> bool {
    let refused = matches!(problem.kind, ProblemKind::NotFound | ProblemKind::Conflict);
    refused && content.upload_expires_at <= context.env.now
}

impl<S: Stored> UseCase for SettleContent<S> {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let asks = vec![
            Ask::Get(head_key(self.0.place.below.scope())),
            Ask::Get(self.0.place.key()),
        ];
        if !facts.has_all(&asks) {
            return Ok(asks);
        }
        let record = self.record(facts)?;
        let content = record.body.content();
        if content.status != ContentStatus::Verifying {
            return Ok(asks);
        }
        match self.0.needs(context, facts) {
            Err(problem) if is_hopeless(&problem, content, context) => Ok(asks),
            verification => verification,
        }
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let record = self.record(facts)?;
        let content = record.body.content();
        match content.status {
            ContentStatus::Pending if content.upload_expires_at <= context.env.now => {
                self.expire(context, facts, &record)
            }
            ContentStatus::Verifying => match self.0.decide(context, facts) {
                Err(problem) if is_hopeless(&problem, content, context) => {
                    self.expire(context, facts, &record)
                }
                verified => verified,
            },
            _ => Ok(Outcome::Reply(Reply::no_content())),
        }
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.0.place.below.scope())
    }
}
