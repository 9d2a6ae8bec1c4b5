//! Finalising uploads that are due: expiring them, or finishing their verification.

use alloc::{boxed::Box, vec, vec::Vec};

use super::complete_content::CompleteContent;
use crate::{
    jobs::{AbandonedUpload, Finished},
    operation::{
        Commit, Context, Facts, Outcome, Problem, ProblemKind, ReadRequest, UseCase,
        authority::head_key,
        content::{AnyContentRef, Stored},
    },
    permission::Permit,
    record::{Content, ContentStatus, Record},
    storage::{Key, Scope},
};

/// Finalises the version or derived output under this key, for the sweep. A pending upload expires
/// after its time, and an interrupted verification runs again. Other states stay unchanged. `None`
/// for keys of other records.
#[must_use]
pub fn finalise_upload(key: &Key) -> Option<Box<dyn UseCase<Finished>>> {
    Some(match AnyContentRef::of_key(key)? {
        AnyContentRef::Version(target) => Box::new(FinaliseUpload(CompleteContent { target })),
        AnyContentRef::Derived(target) => Box::new(FinaliseUpload(CompleteContent { target })),
    })
}

struct FinaliseUpload<S: Stored>(CompleteContent<S>);

impl<S: Stored> FinaliseUpload<S> {
    fn record(&self, facts: &Facts) -> Result<Record<S>, Problem> {
        self.0.target.record(facts)
    }

    fn expire(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        record: &Record<S>,
    ) -> Result<Outcome<Finished>, Problem> {
        let target = &self.0.target.document;
        let before = record.body.content();
        let head = facts.record(&head_key(target.scope()))?;
        let permit = Permit::expire_upload(target.project, before, context.env.now)?;
        let mut commit = Commit::open(context, permit, head)?;
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
        commit.conclude(S::EVENTS.expired, Finished { abandoned })
    }
}

/// Whether a verification cannot succeed any more: it is refused, and the upload's time is over.
fn cannot_complete(problem: &Problem, content: &Content, context: &Context<'_>) -> bool {
    let refused = matches!(problem.kind, ProblemKind::NotFound | ProblemKind::Conflict);
    refused && content.upload_expires_at <= context.env.now
}

impl<S: Stored> UseCase<Finished> for FinaliseUpload<S> {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let reads = vec![
            ReadRequest::Get(head_key(self.0.target.document.scope())),
            self.0.target.read(),
        ];
        if !facts.has_all(&reads) {
            return Ok(reads);
        }
        let record = self.record(facts)?;
        let content = record.body.content();
        if content.status != ContentStatus::Verifying {
            return Ok(reads);
        }
        match self.0.reads(context, facts) {
            Err(problem) if cannot_complete(&problem, content, context) => Ok(reads),
            verification => verification,
        }
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<Finished>, Problem> {
        let record = self.record(facts)?;
        let content = record.body.content();
        match content.status {
            ContentStatus::Pending if content.upload_expires_at <= context.env.now => {
                self.expire(context, facts, &record)
            }
            ContentStatus::Verifying => match self.0.decide(context, facts) {
                Err(problem) if cannot_complete(&problem, content, context) => {
                    self.expire(context, facts, &record)
                }
                verified => Ok(verified?.map(|_| Finished::default())),
            },
            _ => Ok(Outcome::Reply(Finished::default())),
        }
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.0.target.document.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::{
        storage::{Work, WorkPartitions},
        testing::document_fixture::{BYTES, DocumentFixture},
        value::Sha256,
    };

    const QUARTER: Duration = Duration::from_secs(15 * 60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// The keys of due uploads, as the sweep lists them.
    fn due(fixture: &DocumentFixture) -> Vec<Key> {
        let rows = WorkPartitions::default().rows(Work::Uploads);
        let lists = rows.map(|rows| rows.list_until(fixture.base.now, 100));
        let pages = lists.map(|list| fixture.base.store.list(&list));
        let items = pages.flat_map(|page| page.items);
        items.map(|item| item.key).collect()
    }

    /// Finalises all due uploads. Returns the multipart uploads to abort.
    fn sweep(fixture: &mut DocumentFixture) -> Vec<AbandonedUpload> {
        let due = due(fixture).into_iter();
        due.filter_map(|key| {
            let use_case = finalise_upload(&key).unwrap();
            fixture.system(&*use_case).unwrap().abandoned
        })
        .collect()
    }

    #[test]
    fn case_47_incomplete_upload_expires_and_is_swept_once() {
        let mut fixture = DocumentFixture::new();
        let artifact = fixture.uploaded();
        let derived = fixture.derived(&artifact, b"text", json!({}));
        let version = fixture.added(&artifact, b"second");
        assert_eq!(due(&fixture), []);
        fixture.base.pass(QUARTER);
        assert_eq!(due(&fixture).len(), 2);
        assert_eq!(sweep(&mut fixture), []);
        assert_eq!(fixture.shown(&version)["status"], "expired");
        assert_eq!(fixture.shown(&version)["updated_by"], "system");
        assert_eq!(fixture.shown(&derived)["status"], "expired");
        let events = fixture.events();
        assert!(events.contains(&"version.expired".into()));
        assert!(events.contains(&"derived.expired".into()));
        assert_eq!(due(&fixture), []);
        fixture.put(&version, b"second");
        fixture.complete(&version).expect_problem("conflict");
    }

    #[test]
    fn upload_that_is_not_due_stays_unchanged() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let pending = fixture.added(&path, b"second");
        let before = fixture.base.dump();
        for document in [format!("{path}/versions/1"), pending] {
            let key = fixture.key(&document).unwrap();
            fixture.system(&*finalise_upload(&key).unwrap()).unwrap();
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn parts_of_an_expired_upload_are_abandoned() {
        let mut fixture = DocumentFixture::new();
        let version = fixture.large();
        fixture.base.pass(DAY);
        let abandoned = sweep(&mut fixture);
        let path = fixture.object_path(&version).parse().unwrap();
        let upload_id = "parts-1".into();
        assert_eq!(abandoned, [AbandonedUpload { path, upload_id }]);
        assert_eq!(fixture.shown(&version)["status"], "expired");
    }

    #[test]
    fn interrupted_verification_finishes_after_the_plan_expired() {
        let mut fixture = DocumentFixture::new();
        let version = fixture.verifying();
        assert_eq!(due(&fixture), []);
        fixture.base.pass(DAY);
        fixture.put_large(&version, Some(Sha256::of(BYTES)));
        sweep(&mut fixture);
        assert_eq!(fixture.shown(&version)["status"], "available");
        assert_eq!(due(&fixture), []);
    }

    #[test]
    fn impossible_verification_expires_with_its_plan() {
        let mut fixture = DocumentFixture::new();
        let version = fixture.verifying();
        let (ben, bea) = (fixture.ben.clone(), fixture.bea.clone());
        fixture.revoke(&ben);
        fixture.base.pass(QUARTER);
        let key = due(&fixture).remove(0);
        let early = fixture
            .system(&*finalise_upload(&key).unwrap())
            .unwrap_err();
        assert_eq!(early.kind, ProblemKind::Conflict);
        fixture.base.pass(DAY);
        assert_eq!(sweep(&mut fixture).len(), 1);
        let shown = fixture.base.get(&bea, &version).expect(200).body;
        assert_eq!(shown["status"], "expired");
    }

    #[test]
    fn finalise_upload_refuses_keys_of_other_records() {
        let fixture = DocumentFixture::new();
        let others = fixture.base.dump();
        assert!(
            others
                .iter()
                .all(|item| finalise_upload(&item.key).is_none())
        );
    }
}
