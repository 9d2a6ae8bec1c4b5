//! The marks that make one event send one recipient one mail, however often it is delivered.

use alloc::{boxed::Box, vec, vec::Vec};
use core::time::Duration;

use serde_json::Value;

use crate::{
    operation::{Ask, Context, Facts, Outcome, Problem, Reply, UseCase},
    record::{Author, Clock, Delivery, Record},
    storage::{Batch, Condition, Key, Operation, Scope},
    value::Sha256,
};

/// How long one attempt has a mail to itself: longer than handing it over takes. An attempt that died
/// in between leaves the mail to the next delivery after that, which may then send it twice; losing it
/// would be worse.
const CLAIM: Duration = Duration::from_secs(60);
/// How long a mark is kept: longer than any bus delivers again.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Claims a mail for this attempt. Answers `true` when it is to be sent now, `false` when it went
/// already; 409 while another attempt has it.
#[must_use]
pub fn claim(scope: Scope, id: Sha256) -> Box<dyn UseCase> {
    Box::new(Mark {
        scope,
        id,
        sent: false,
    })
}

/// Notes that a claimed mail went.
#[must_use]
pub fn sent(scope: Scope, id: Sha256) -> Box<dyn UseCase> {
    Box::new(Mark {
        scope,
        id,
        sent: true,
    })
}

struct Mark {
    scope: Scope,
    id: Sha256,
    sent: bool,
}

impl Mark {
    fn key(&self) -> Key {
        self.scope.key(crate::storage::Sort::delivery(self.id))
    }

    fn body(&self, context: &Context<'_>) -> Delivery {
        Delivery {
            scope: self.scope,
            sent: self.sent,
            claimed_by: context.request_id,
            claimed_until: context.env.now.after(CLAIM),
            expires_at: context.env.now.after(RETENTION),
        }
    }

    /// A mark is garbage after a week and tells nobody anything, so it is not journalled.
    fn batch(&self, context: &Context<'_>, before: Option<&Record<Delivery>>) -> Batch {
        let (now, surface) = (context.env.now, context.surface.id);
        let (record, condition) = match before {
            None => {
                let clock = Clock::default().advanced(surface);
                (
                    Record::new(self.id, self.body(context), clock, now, Author::System),
                    Condition::Absent,
                )
            }
            Some(before) => {
                let clock = before.clock.advanced(surface);
                let next = before.next(self.body(context), false, clock, now, Author::System);
                (next, Condition::Matches(before.etag()))
            }
        };
        let operations = vec![Operation::Put(record.encode(), condition)];
        Batch {
            scope: self.scope,
            commit_id: context.env.id("commit"),
            operations,
        }
    }
}

impl UseCase for Mark {
    fn needs(&self, _: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(vec![Ask::Get(self.key())])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let before: Option<Record<Delivery>> = facts.record(&self.key())?;
        if let Some(mark) = &before {
            if mark.body.sent {
                return Ok(Outcome::Reply(Reply::ok(Value::Bool(false))));
            }
            if !self.sent && context.env.now < mark.body.claimed_until {
                return Err(Problem::conflict("another attempt is sending this mail"));
            }
        }
        let batch = self.batch(context, before.as_ref());
        Ok(Outcome::Commit(batch, Reply::ok(Value::Bool(true))))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn one_attempt_at_a_time_and_one_mail_in_all() {
        let mut world = World::new();
        let ana = world.person("ana");
        let scope = Scope::User(ana.actor.user);
        let id = Sha256::of(b"event and recipient");
        let run = |world: &mut World, mark: Box<dyn UseCase>| {
            world.run(&ana, &*mark, None).map(|reply| reply.body)
        };
        assert_eq!(
            run(&mut world, claim(scope, id)),
            Ok(Some(Value::Bool(true)))
        );
        assert!(run(&mut world, claim(scope, id)).is_err());
        world.pass(CLAIM);
        assert_eq!(
            run(&mut world, claim(scope, id)),
            Ok(Some(Value::Bool(true)))
        );
        assert_eq!(
            run(&mut world, sent(scope, id)),
            Ok(Some(Value::Bool(true)))
        );
        world.pass(CLAIM);
        assert_eq!(
            run(&mut world, claim(scope, id)),
            Ok(Some(Value::Bool(false)))
        );
    }

    /// The executor takes what is stored to the letter for its own: two attempts must not write the same.
    #[test]
    fn attempts_at_one_instant_write_different_marks() {
        let mut world = World::new();
        let ana = world.person("ana");
        let mark = claim(Scope::User(ana.actor.user), Sha256::of(b"event"));
        let mut stored = || match world.decide(&ana, &*mark, None) {
            Ok(Outcome::Commit(batch, _)) => batch.operations,
            _ => panic!("nobody has it yet"),
        };
        assert_ne!(stored(), stored());
    }
}
