//! Counting what a scope holds.
//!
//! The counters of a head are exact, because every commit updates them. A scope of format 1 has none
//! until it is counted, and a fault of this program or of the store could make them wrong. So the
//! sweep counts every scope, again and again, in steps. Commits between two steps keep the part that
//! is counted up to date, so the result is exact at the moment of the last step.

use alloc::{boxed::Box, string::String, vec, vec::Vec};
use core::time::Duration;

use super::update_layout::is_over;
use crate::{
    operation::{
        Context, Count, CountWriter, Facts, Outcome, Problem, ReadRequest, UseCase,
        authority::head_key,
    },
    record::{Corrupt, Counting, Head, Record, Usage},
    storage::{Range, Scope, Sort},
    value::Timestamp,
};

/// The number of records counted in one step.
const STEP: u32 = 100;
/// The time after which a scope is counted again.
const INTERVAL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The result of one step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// Whether another step must follow.
    pub more: bool,
    /// The counters before and after the last step, if they were wrong.
    pub repaired: Option<(Usage, Usage)>,
    /// Records that cannot be read. They are not counted.
    pub damaged: Vec<Corrupt>,
}

/// Counts some records of a scope, if a count is due or under way.
#[must_use]
pub fn count_usage(scope: Scope) -> Box<dyn UseCase<Counted>> {
    Box::new(CountUsage(scope))
}

/// Stores what the projects of an account add up to.
#[must_use]
pub fn store_project_usage(account: Scope, usage: Usage) -> Box<dyn UseCase<()>> {
    Box::new(StoreProjectUsage { account, usage })
}

struct CountUsage(Scope);

/// The prefixes of the records of a scope that add to its usage, in byte order.
fn prefixes(scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::Account(_) => &[Sort::INVITATIONS, Sort::MEMBERS, Sort::TEAMS],
        Scope::Project(_) => &[Sort::GRANTS, Sort::ARTIFACTS, Sort::DOCUMENTS],
        Scope::User(_) | Scope::Identity(_) | Scope::Email(_) | Scope::Surface => &[],
    }
}

impl CountUsage {
    fn head(&self, facts: &Facts) -> Result<Option<Record<Head>>, Problem> {
        Ok(facts.record(&head_key(self.0))?)
    }

    /// The next records to count. `None` after the last ones.
    fn range(&self, after: &Sort) -> Option<Range> {
        let after = after.as_str();
        let mut prefixes = prefixes(self.0).iter();
        let prefix = prefixes.find(|prefix| after < **prefix || after.starts_with(**prefix))?;
        Some(Range {
            after: after.starts_with(prefix).then(|| after.into()),
            limit: Some(STEP),
            ..Range::all(self.0, *prefix)
        })
    }
}

/// The count under way, or a new one if one is due.
fn counting(head: &Record<Head>, now: Timestamp) -> Option<Counting> {
    let counted_at = head.body.counted_at.unwrap_or(head.created_at);
    let can_change = !prefixes(head.body.scope).is_empty();
    let is_over = can_change && is_over(Some(counted_at), INTERVAL, now);
    let is_due = head.body.usage.is_none() || is_over;
    let begin = || Counting {
        after: Sort::from_stored(String::new()),
        usage: Usage::default(),
        left_out: 0,
    };
    let under_way = head.body.counting.clone();
    under_way.or_else(|| is_due.then(begin))
}

impl UseCase<Counted> for CountUsage {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = vec![ReadRequest::Get(head_key(self.0))];
        if facts.has_all(&reads)
            && let Some(head) = self.head(facts)?
            && let Some(counting) = counting(&head, context.env.now)
        {
            reads.extend(self.range(&counting.after).map(ReadRequest::Scan));
        }
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<Counted>, Problem> {
        let head = self.head(facts)?;
        let Some(head) = head else {
            return Ok(Outcome::Reply(Counted::default()));
        };
        let Some(mut counting) = counting(&head, context.env.now) else {
            return Ok(Outcome::Reply(Counted::default()));
        };
        let mut counted = Counted::default();
        if let Some(range) = self.range(&counting.after) {
            let page = facts.scan(&range)?;
            for item in &page.items {
                match Usage::of(item) {
                    Ok(usage) => counting.usage = counting.usage.plus(usage),
                    Err(damaged) => {
                        counting.left_out = counting.left_out.saturating_add(1);
                        counted.damaged.push(damaged);
                    }
                }
            }
            let last = page.items.last().filter(|_| page.more);
            counting.after = match last {
                Some(item) => item.key.sort.clone(),
                None => Sort::after_all(&range.prefix),
            };
            counted.more = self.range(&counting.after).is_some();
        }
        let count = if counted.more {
            Count::Part(counting)
        } else {
            // What commits counted is better than a count that left records out.
            let kept = head.body.usage.filter(|_| counting.left_out > 0);
            let usage = kept.unwrap_or(counting.usage);
            let before = head.body.usage.filter(|before| *before != usage);
            counted.repaired = before.map(|before| (before, usage));
            Count::Whole(usage)
        };
        let batch = CountWriter::new(context).write(&head, count);
        Ok(Outcome::Commit(batch, counted))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.0)
    }
}

struct StoreProjectUsage {
    account: Scope,
    usage: Usage,
}

impl UseCase<()> for StoreProjectUsage {
    fn reads(&self, _: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(vec![ReadRequest::Get(head_key(self.account))])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<()>, Problem> {
        let head: Option<Record<Head>> = facts.record(&head_key(self.account))?;
        let head = head.filter(|head| head.body.projects != Some(self.usage));
        Ok(match head {
            None => Outcome::Reply(()),
            Some(head) => {
                let count = Count::Projects(self.usage);
                Outcome::Commit(CountWriter::new(context).write(&head, count), ())
            }
        })
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::{Condition, Operation},
        testing::document_fixture::{BYTES, DocumentFixture},
        value::ProjectId,
    };

    struct Case {
        documents: DocumentFixture,
        scope: Scope,
    }

    impl Case {
        fn new() -> Self {
            let documents = DocumentFixture::new();
            let artifacts = documents.artifacts();
            let project = artifacts.split('/').nth(3).unwrap();
            let project: ProjectId = project.parse().unwrap();
            Self {
                documents,
                scope: Scope::Project(project),
            }
        }

        fn head(&self) -> Record<Head> {
            self.documents.base.record(&head_key(self.scope)).unwrap()
        }

        /// Overwrites the counters, as no commit does.
        fn spoil(&mut self, usage: Option<Usage>) {
            let before = self.head();
            let spoilt = before.with_body(Head {
                usage,
                ..before.body.clone()
            });
            let put = Operation::Put(spoilt.encode(), Condition::Matches(before.etag()));
            self.documents
                .base
                .store
                .commit(self.scope, &[put])
                .unwrap();
        }

        /// A step whose result no other check compares with the records.
        fn commit_step(&mut self) -> Counted {
            let caller = self.documents.otto.clone();
            let use_case = count_usage(self.scope);
            let outcome = self.documents.base.decide(&caller, &*use_case, None);
            let Ok(Outcome::Commit(batch, counted)) = outcome else {
                panic!("{outcome:?}");
            };
            let operations = batch.operations();
            let store = &mut self.documents.base.store;
            store.commit(self.scope, operations).unwrap();
            counted
        }

        fn step(&mut self) -> Counted {
            self.documents.system(&*count_usage(self.scope)).unwrap()
        }
    }

    #[test]
    fn scope_that_changes_during_a_count_is_counted_exactly() {
        let mut case = Case::new();
        for _ in 0..=STEP {
            case.documents.uploaded();
        }
        case.spoil(None);
        let mut documents = Vec::new();
        let mut steps = 1;
        while case.step().more {
            steps += 1;
            // Before and after the position of the count, and across it.
            documents.push(case.documents.uploaded());
            let first = documents.first().unwrap().clone();
            case.documents.added(&first, BYTES);
            let deleted = case.documents.uploaded();
            let ana = case.documents.ana.clone();
            case.documents.base.delete(&ana, &deleted).expect(204);
            let (bea, scope) = (case.documents.bea.clone(), case.scope);
            if steps == 2 {
                case.documents.revoke(&bea);
            }
            let counting = case.head().body.counting.unwrap();
            let passed = case
                .documents
                .base
                .counted(scope, |sort| *sort <= counting.after);
            assert_eq!(counting.usage, passed);
        }
        assert!(steps > 3, "{steps}");
        let head = case.head();
        let counted = case.documents.base.counted(case.scope, |_| true);
        assert_eq!((head.body.usage, head.body.counting), (Some(counted), None));
        assert_eq!(head.body.counted_at, Some(case.documents.base.now));
    }

    #[test]
    fn counters_are_checked_once_a_week_and_repaired() {
        let mut case = Case::new();
        case.documents.uploaded();
        let (right, wrong) = (case.head().body.usage.unwrap(), Usage::default());
        case.spoil(Some(wrong));
        let before = case.documents.base.dump();
        assert_eq!(case.step(), Counted::default());
        assert_eq!(case.documents.base.dump(), before);
        case.documents.base.pass(INTERVAL);
        let head = case.head();
        let mut repaired = None;
        for _ in 0..3 {
            repaired = case.commit_step().repaired;
        }
        assert_eq!(repaired, Some((wrong, right)));
        let after = case.head();
        assert_eq!(after.body.usage, Some(right));
        // Nothing else of the head changes, so the journal does not either.
        let others = |head: &Record<Head>| (head.clock.clone(), head.body.seq, head.body.hash);
        assert_eq!(others(&after), others(&head));
        assert_eq!(case.step(), Counted::default());
    }

    #[test]
    fn damaged_record_is_left_out_and_named() {
        let mut case = Case::new();
        case.documents.uploaded();
        case.spoil(None);
        let key = case
            .documents
            .base
            .dump()
            .into_iter()
            .find(|item| item.key.sort.content().is_some());
        let mut damaged = key.unwrap();
        damaged.body = String::new();
        let condition = Condition::Matches(damaged.etag.clone());
        let put = Operation::Put(damaged, condition);
        case.documents
            .base
            .store
            .commit(case.scope, &[put])
            .unwrap();
        let mut named = 0;
        let mut usage = None;
        while usage.is_none() {
            named += case.commit_step().damaged.len();
            usage = case.head().body.usage;
        }
        let usage = usage.unwrap();
        assert_eq!((named, usage.artifacts, usage.versions), (1, 1, 0));
        // Counters that are known stay.
        let known = Usage {
            versions: 1,
            ..usage
        };
        case.spoil(Some(known));
        case.documents.base.pass(INTERVAL);
        while case.head().body.counted_at != Some(case.documents.base.now) {
            case.commit_step();
        }
        assert_eq!(case.head().body.usage, Some(known));
    }
}
