//! Drives a use-case to its decision without any input or output.
//!
//! A driver, such as the executor of a surface, calls [`Drive::advance`] in a loop. It carries out
//! the reads of each round in parallel and passes the answers to [`Drive::answer`].

use alloc::vec::Vec;

use crate::{
    operation::{
        Answer, Assembly, Context, Facts, Outcome, Problem, ProblemKind, ReadRequest, Reply, Stat,
        UseCase,
    },
    record::{Idempotency, Record},
    storage::{Condition, Key},
};

/// The progress of one use-case towards its decision.
pub struct Drive<'a, T = Reply> {
    use_case: &'a dyn UseCase<T>,
    context: &'a Context<'a>,
    facts: Facts,
    rounds: u32,
}

/// The next step for the driver.
#[derive(Debug)]
pub enum Next<T = Reply> {
    /// Carry out these reads and pass the answers to [`Drive::answer`].
    Read(Vec<ReadRequest>),
    /// Assemble this multipart upload and pass the result to [`Drive::assembled`].
    Assemble(Assembly),
    /// The decision.
    Done(Outcome<T>),
}

/// The maximum number of read rounds. A use-case that exceeds it does not terminate.
const ROUNDS: u32 = 16;

impl<'a, T> Drive<'a, T> {
    /// Starts without facts.
    #[must_use]
    pub fn new(use_case: &'a dyn UseCase<T>, context: &'a Context<'a>) -> Self {
        Self {
            use_case,
            context,
            facts: Facts::default(),
            rounds: 0,
        }
    }

    /// Adds the answer to a read.
    pub fn answer(&mut self, read: ReadRequest, answer: Answer) {
        self.facts.insert(read, answer);
    }

    /// Adds the result of the assembly. `None` if a part is missing.
    pub fn assembled(&mut self, object: Option<Stat>) {
        self.facts.insert_assembled(object);
    }

    /// Returns the next step.
    ///
    /// # Errors
    /// The refusal of the operation.
    pub fn advance(&mut self) -> Result<Next<T>, Problem> {
        let mut reads = self.use_case.reads(self.context, &self.facts)?;
        let idempotency = self.idempotency_key();
        reads.extend(idempotency.iter().cloned().map(ReadRequest::Get));
        let stored: Option<Record<Idempotency>> = match &idempotency {
            Some(key) if self.facts.has(&ReadRequest::Get(key.clone())) => {
                self.facts.record(key)?
            }
            _ => None,
        };
        let now = self.context.env.now;
        let (earlier, expired) = match stored {
            Some(record) if now >= record.body.expires_at => (None, Some(record)),
            record => (record, None),
        };
        if let Some(earlier) = &earlier {
            reads.extend(self.earlier_records(earlier)?);
        }
        reads.retain(|read| !self.facts.has(read));
        if !reads.is_empty() {
            self.rounds += 1;
            if self.rounds > ROUNDS {
                return Err(Problem::internal("a use-case did not finish its reads"));
            }
            reads.sort();
            reads.dedup();
            return Ok(Next::Read(reads));
        }
        match earlier {
            Some(earlier) => {
                let records = &earlier.body.records;
                let reply = self.use_case.replay(self.context, &self.facts, records)?;
                Ok(Next::Done(Outcome::Reply(reply)))
            }
            None => {
                if self.facts.assembled().is_none()
                    && let Some(assembly) = self.use_case.assembly(self.context, &self.facts)?
                {
                    return Ok(Next::Assemble(assembly));
                }
                let mut outcome = self.use_case.decide(self.context, &self.facts)?;
                if let (Some(expired), Outcome::Commit(batch, _) | Outcome::Reject(batch, _)) =
                    (expired, &mut outcome)
                {
                    // The stored key is expired but not collected yet, so the new record must
                    // replace it.
                    batch.condition(&expired.key().sort, &Condition::Matches(expired.etag()));
                }
                Ok(Next::Done(outcome))
            }
        }
    }

    fn idempotency_key(&self) -> Option<Key> {
        let request = self.context.idempotency.as_ref()?;
        let scope = self.use_case.writes(self.context)?;
        Some(scope.key(crate::storage::Sort::idempotency(request.id)))
    }

    /// The reads of the records that an earlier request with the same key created.
    fn earlier_records(&self, earlier: &Record<Idempotency>) -> Result<Vec<ReadRequest>, Problem> {
        let same = self
            .context
            .idempotency
            .as_ref()
            .is_some_and(|request| request.fingerprint == earlier.body.fingerprint);
        if !same {
            return Err(Problem::new(
                ProblemKind::IdempotencyMismatch,
                "this `Idempotency-Key` was used with another body; send a new key",
            ));
        }
        Ok(earlier
            .body
            .records
            .iter()
            .cloned()
            .map(ReadRequest::Get)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::{
        operation::commit::IDEMPOTENCY_RETENTION,
        storage::{Scope, Sort},
        testing::Fixture,
    };

    #[test]
    fn case_62_expired_idempotency_record_counts_as_absent() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let path = alloc::format!("/v1/accounts/{account}/teams");
        let create = |fixture: &mut Fixture| {
            let body = Some(json!({ "name": "Review" }));
            fixture
                .send(&ana, "POST", &path, &[("idempotency-key", "once")], body)
                .expect(201)
                .id()
        };
        let first = create(&mut fixture);
        fixture.pass(IDEMPOTENCY_RETENTION - Duration::from_millis(1));
        assert_eq!(create(&mut fixture), first);
        fixture.pass(Duration::from_millis(1));
        let second = create(&mut fixture);
        assert_ne!(second, first);
        assert_eq!(create(&mut fixture), second);
    }

    /// Reads this many records, one round each.
    struct ReadsInTurn(usize);

    impl UseCase for ReadsInTurn {
        fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
            let read = |number| {
                let sort = Sort::from_stored(alloc::format!("{number}"));
                ReadRequest::Get(Scope::User(context.user()).key(sort))
            };
            let known = (0..self.0)
                .take_while(|number| facts.has(&read(*number)))
                .count();
            Ok((0..self.0.min(known + 1)).map(read).collect())
        }

        fn decide(&self, _: &Context<'_>, _: &Facts) -> Result<Outcome, Problem> {
            Ok(Outcome::Reply(Reply::no_content()))
        }
    }

    #[test]
    fn endless_reads_are_stopped() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        assert!(fixture.decide(&ana, &ReadsInTurn(16), None).is_ok());
        assert_eq!(fixture.rounds, 16);
        let stopped = fixture.decide(&ana, &ReadsInTurn(17), None).unwrap_err();
        assert_eq!(
            stopped.internal.unwrap(),
            "a use-case did not finish its reads"
        );
    }

    /// Requests two records, and the first of them again.
    struct ReadsTwice;

    impl UseCase for ReadsTwice {
        fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
            let scope = Scope::User(context.user());
            let keys = [
                scope.key(Sort::user()),
                scope.key(Sort::head()),
                scope.key(Sort::user()),
            ];
            Ok(keys.map(ReadRequest::Get).into())
        }

        fn decide(&self, _: &Context<'_>, _: &Facts) -> Result<Outcome, Problem> {
            Ok(Outcome::Reply(Reply::no_content()))
        }
    }

    #[test]
    fn repeated_read_is_sent_once() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        assert!(fixture.decide(&ana, &ReadsTwice, None).is_ok());
        assert_eq!(fixture.widest, 2);
    }
}
