//! The layout of the surface's data, and the walk over all scopes that brings it up to date.

use alloc::{boxed::Box, vec, vec::Vec};
use core::time::Duration;

use crate::{
    operation::{Context, Facts, LayoutWriter, Outcome, Problem, ReadRequest, UseCase},
    record::{Layout, Record, Reindex},
    storage::{Scope, WorkPartitions},
    value::Timestamp,
};

/// The time from the end of one walk to the begin of the next.
const INTERVAL: Duration = Duration::from_secs(6 * 60 * 60);

/// A step of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Data of an older layout is to be raised to the current one, and unfinished work gets at least
    /// this many partitions.
    Prepare(WorkPartitions),
    /// This many rows of format 1 were moved.
    MovedRows(u64),
    /// This many scopes were visited.
    Visited {
        /// The number of scopes.
        scopes: u64,
        /// The scope after which the step began.
        from: Option<Scope>,
        /// The scope after which the next step begins.
        to: Option<Scope>,
        /// Whether these were the last scopes.
        is_complete: bool,
    },
}

/// Records a step. Answers the layout after it.
#[must_use]
pub fn update_layout(step: Step) -> Box<dyn UseCase<Layout>> {
    Box::new(UpdateLayout(step))
}

/// Whether a walk is due or under way.
#[must_use]
pub fn is_walk_due(layout: &Layout, now: Timestamp) -> bool {
    let walked_at = layout.walked_at.filter(|_| layout.after.is_none());
    layout.has_rows_of_format_1() || is_over(walked_at, INTERVAL, now)
}

/// Whether this long has passed since a time. A time in the future comes from a clock that was ahead.
pub(super) fn is_over(since: Option<Timestamp>, interval: Duration, now: Timestamp) -> bool {
    since.is_none_or(|since| since > now || since.after(interval) <= now)
}

struct UpdateLayout(Step);

impl Step {
    fn apply(self, before: &Layout, now: Timestamp) -> Layout {
        let mut layout = before.clone();
        match self {
            Self::Prepare(partitions) => {
                layout.work_partitions = partitions.max(before.work_partitions);
                if layout.number < Layout::CURRENT {
                    layout.number = Layout::CURRENT;
                    layout.reindex = Some(Reindex::default());
                    layout.after = None;
                }
            }
            Self::MovedRows(rows) => {
                if let Some(reindex) = &mut layout.reindex {
                    reindex.rows = reindex.rows.saturating_add(rows);
                }
            }
            // Another sweep went on from there.
            Self::Visited { from, .. } if from != before.after => {}
            Self::Visited {
                scopes,
                to,
                is_complete,
                ..
            } => {
                if let Some(reindex) = &mut layout.reindex {
                    reindex.scopes = reindex.scopes.saturating_add(scopes);
                }
                layout.after = to.filter(|_| !is_complete);
                if is_complete {
                    layout.reindex = None;
                    layout.walked_at = Some(now);
                }
            }
        }
        layout
    }
}

impl UseCase<Layout> for UpdateLayout {
    fn reads(&self, _: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(vec![ReadRequest::Get(Layout::only_key())])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<Layout>, Problem> {
        let stored: Option<Record<Layout>> = facts.record(&Layout::only_key())?;
        let before = stored.as_ref().map(|stored| stored.body.clone());
        if before.as_ref().is_some_and(Layout::is_newer) {
            return Err(Problem::internal("a newer program is raising the layout"));
        }
        let layout = self
            .0
            .apply(&before.clone().unwrap_or_default(), context.env.now);
        if before.as_ref() == Some(&layout) {
            return Ok(Outcome::Reply(layout));
        }
        let batch = LayoutWriter::new(context).write(stored.as_ref(), layout.clone());
        Ok(Outcome::Commit(batch, layout))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Surface)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        testing::{Fixture, Person},
        value::{UserId, id::Id},
    };

    struct Case {
        fixture: Fixture,
        caller: Person,
    }

    impl Case {
        fn new() -> Self {
            let mut fixture = Fixture::new();
            let caller = fixture.person("ana");
            Self { fixture, caller }
        }

        fn step(&mut self, step: Step) -> Layout {
            let use_case = update_layout(step);
            self.fixture.run(&self.caller, &*use_case, None).unwrap()
        }

        fn visited(&mut self, scopes: u64, from: Option<Scope>, next: Option<Scope>) -> Layout {
            let (to, is_complete) = (next, next.is_none());
            self.step(Step::Visited {
                scopes,
                from,
                to,
                is_complete,
            })
        }
    }

    fn partitions(number: u8) -> WorkPartitions {
        number.try_into().unwrap()
    }

    #[test]
    fn layout_is_raised_by_one_complete_walk() {
        let (mut case, scope) = (Case::new(), Scope::User(UserId::from_ulid(7.into())));
        assert!(Layout::default().has_rows_of_format_1());
        let begun = case.step(Step::Prepare(partitions(4)));
        assert_eq!((begun.number, begun.reindex), (2, Some(Reindex::default())));
        assert!(begun.has_rows_of_format_1() && is_walk_due(&begun, case.fixture.now));
        case.step(Step::MovedRows(3));
        // There was no time for a scope.
        let waiting = case.step(Step::Visited {
            scopes: 0,
            from: None,
            to: None,
            is_complete: false,
        });
        assert!(waiting.reindex.is_some() && waiting.walked_at.is_none());
        case.visited(2, None, Some(scope));
        // After a crash, the walk is prepared again. It goes on where it was.
        let resumed = case.step(Step::Prepare(partitions(4)));
        let progress = Reindex { rows: 3, scopes: 2 };
        assert_eq!(
            (resumed.reindex, resumed.after),
            (Some(progress), Some(scope))
        );
        // The step of another sweep, which began before.
        let unchanged = case.visited(2, None, None);
        assert_eq!(unchanged, resumed);
        let raised = case.visited(1, Some(scope), None);
        assert_eq!((raised.reindex, raised.after), (None, None));
        assert!(!raised.has_rows_of_format_1());
        assert!(!is_walk_due(&raised, case.fixture.now));
        assert!(is_walk_due(&raised, case.fixture.now.after(INTERVAL)));
        // The clock was ahead.
        assert!(is_walk_due(&raised, case.fixture.now.before(INTERVAL)));
        let under_way = case.visited(1, None, Some(scope));
        assert!(is_walk_due(&under_way, case.fixture.now));
        assert_eq!(under_way.reindex, None);
    }

    #[test]
    fn step_does_not_touch_a_newer_layout() {
        let mut case = Case::new();
        let newer = Layout {
            number: Layout::CURRENT + 1,
            reindex: Some(Reindex::default()),
            ..Layout::default()
        };
        let context = case
            .fixture
            .context(&case.fixture.surface, &case.caller, None);
        let batch = LayoutWriter::new(&context).write(None, newer);
        case.fixture.commit(&batch);
        let before = case.fixture.dump();
        for step in [
            Step::Prepare(partitions(64)),
            Step::MovedRows(1),
            Step::Visited {
                scopes: 1,
                from: None,
                to: None,
                is_complete: true,
            },
        ] {
            let use_case = update_layout(step);
            let refused = case.fixture.run(&case.caller, &*use_case, None);
            assert!(refused.is_err(), "{step:?}");
        }
        assert_eq!(case.fixture.dump(), before);
    }

    #[test]
    fn number_of_partitions_only_grows() {
        let mut case = Case::new();
        for (asked, given) in [(4, 4), (64, 64), (16, 64)] {
            let layout = case.step(Step::Prepare(partitions(asked)));
            assert_eq!(layout.work_partitions, partitions(given));
        }
        let before = case.fixture.dump();
        case.step(Step::Prepare(partitions(4)));
        assert_eq!(case.fixture.dump(), before);
    }
}
