//! Driving a use-case to its decision, without doing any input or output.
//!
//! Ask [`Drive::next`] what to do; answer its questions; ask again. Whoever drives (the executor of
//! a surface, a test) carries the questions out in parallel, wave by wave.

use alloc::vec::Vec;

use crate::{
    api::{Problem, ProblemKind},
    context::Context,
    facts::{Answer, Ask, Facts},
    model::{Idempotency, Record},
    storage::Key,
    use_case::{Outcome, UseCase},
};

/// One use-case on its way to a decision.
pub struct Drive<'a> {
    use_case: &'a dyn UseCase,
    context: &'a Context<'a>,
    facts: Facts,
    waves: u32,
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Answer these questions.
    Ask(Vec<Ask>),
    /// The decision.
    Done(Outcome),
}

/// More waves than any operation needs; beyond it a use-case is asking in circles.
const WAVES: u32 = 16;

impl<'a> Drive<'a> {
    /// Begins, knowing nothing.
    #[must_use]
    pub fn new(use_case: &'a dyn UseCase, context: &'a Context<'a>) -> Self {
        Self {
            use_case,
            context,
            facts: Facts::default(),
            waves: 0,
        }
    }

    /// Takes an answer in.
    pub fn answer(&mut self, ask: Ask, answer: Answer) {
        self.facts.insert(ask, answer);
    }

    /// What to do next.
    ///
    /// # Errors
    /// Why the operation is refused.
    pub fn next(&mut self) -> Result<Next, Problem> {
        let mut asks = self.use_case.needs(self.context, &self.facts)?;
        let idempotency = self.idempotency_key();
        asks.extend(idempotency.iter().cloned().map(Ask::Get));
        let earlier = match &idempotency {
            Some(key) if self.facts.has(&Ask::Get(key.clone())) => self.facts.record(key)?,
            _ => None,
        };
        if let Some(earlier) = &earlier {
            asks.extend(self.earlier_records(earlier)?);
        }
        asks.retain(|ask| !self.facts.has(ask));
        if !asks.is_empty() {
            self.waves += 1;
            if self.waves > WAVES {
                return Err(Problem::internal("a use-case asks in circles"));
            }
            asks.sort();
            asks.dedup();
            return Ok(Next::Ask(asks));
        }
        match earlier {
            Some(earlier) => {
                let records = &earlier.body.records;
                let reply = self.use_case.replay(self.context, &self.facts, records)?;
                Ok(Next::Done(Outcome::Reply(reply)))
            }
            None => self
                .use_case
                .decide(self.context, &self.facts)
                .map(Next::Done),
        }
    }

    fn idempotency_key(&self) -> Option<Key> {
        let request = self.context.idempotency.as_ref()?;
        let scope = self.use_case.writes(self.context)?;
        Some(scope.key(crate::storage::Sort::idempotency(request.id)))
    }

    /// The records an earlier request under the same key made.
    fn earlier_records(&self, earlier: &Record<Idempotency>) -> Result<Vec<Ask>, Problem> {
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
        Ok(earlier.body.records.iter().cloned().map(Ask::Get).collect())
    }
}
