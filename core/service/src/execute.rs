//! The executor: it reads what a use-case needs, lets it decide, commits, and decides again after a
//! conflict.

use std::{mem, time::Duration};

use futures_util::future::try_join_all;
use wm_core::{
    operation::{
        Answer, Assembly, Batch, Context, Drive, Next, Outcome, Problem, ReadRequest, Stat, UseCase,
    },
    value::Timestamp,
};

use crate::{
    Service,
    ports::{Artifacts, CommitError, EntropyContext, PortError, PortErrorKind, Provider, Records},
};

/// The maximum number of decisions after conflicts.
const ATTEMPTS: u32 = 8;
/// The time limit for all decisions together.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum number of commits before the final one. Only jobs that work in chunks need more than
/// one.
const PREPARATIONS: u32 = 256;

/// The result of committing a batch.
enum CommitOutcome {
    Committed,
    /// Another commit came first. If an answer was lost before, that commit may have been this one.
    Conflict {
        answer_lost: bool,
    },
}

impl<P: Provider> Service<P> {
    /// Runs a use-case to its end. Only this loop and [`Self::decide`] are compiled for each type of
    /// answer, which keeps the functions small.
    ///
    /// # Errors
    /// The refusal, or 503 if the use-case could not finish in time.
    pub(crate) async fn execute<T: Send>(
        &self,
        use_case: &dyn UseCase<T>,
        context: &Context<'_>,
    ) -> Result<T, Problem> {
        let deadline = self.provider.now().after(TIMEOUT);
        // Held until the end. On surfaces with a writer queue, writers queue before their first
        // read.
        let _scope_lock = match use_case.writes(context) {
            Some(scope) => Some(self.provider.records().lock_scope(scope).await),
            None => None,
        };
        let mut attempts = Attempts::new(deadline);
        // Commits with a lost answer, each with the result of its decision.
        let mut ambiguous = Vec::new();
        let mut preparations = 0;
        loop {
            let (batch, recorded) = match self.decide(use_case, context).await? {
                Outcome::Reply(reply) => return Ok(reply),
                Outcome::Commit(batch, reply) => (batch, Some(Ok(reply))),
                Outcome::Reject(batch, problem) => (batch, Some(Err(problem))),
                Outcome::Prepare(batch) => (batch, None),
            };
            match (self.commit(&batch).await?, recorded) {
                (CommitOutcome::Committed, Some(recorded)) => return recorded,
                (CommitOutcome::Committed, None) if preparations < PREPARATIONS => {
                    preparations += 1
                }
                (CommitOutcome::Committed, None) => {
                    return Err(Problem::unavailable(
                        "the use-case needs too many preparatory commits",
                    ));
                }
                (CommitOutcome::Conflict { answer_lost }, recorded) => {
                    if answer_lost {
                        ambiguous.extend(recorded.map(|recorded| (batch, recorded)));
                    }
                    // A commit with a lost answer may have been stored since, and may be the cause
                    // of this conflict.
                    for (batch, recorded) in mem::take(&mut ambiguous) {
                        if self.is_stored(&batch).await? {
                            return recorded;
                        }
                        ambiguous.push((batch, recorded));
                    }
                    attempts.pause(self).await?;
                }
            }
        }
    }

    async fn decide<T>(
        &self,
        use_case: &dyn UseCase<T>,
        context: &Context<'_>,
    ) -> Result<Outcome<T>, Problem> {
        let mut drive = Drive::new(use_case, context);
        loop {
            match drive.advance()? {
                Next::Done(outcome) => return Ok(outcome),
                Next::Read(reads) => {
                    for (read, answer) in self.answer_all(reads, context.env.now).await? {
                        drive.answer(read, answer);
                    }
                }
                Next::Assemble(assembly) => drive.assembled(self.assemble(&assembly).await?),
            }
        }
    }

    /// Performs one read round. The reads run in parallel.
    pub(crate) async fn answer_all(
        &self,
        reads: Vec<ReadRequest>,
        now: Timestamp,
    ) -> Result<Vec<(ReadRequest, Answer)>, Problem> {
        let round = reads.into_iter().map(|read| async move {
            let answer = self.answer(&read, now).await?;
            Ok((read, answer))
        });
        try_join_all(round).await
    }

    async fn answer(&self, read: &ReadRequest, now: Timestamp) -> Result<Answer, Problem> {
        let (records, artifacts) = (self.provider.records(), self.provider.artifacts());
        match read {
            ReadRequest::Get(key) => self.retried(|| records.get(key)).await.map(Answer::Item),
            ReadRequest::Scan(range) => {
                self.retried(|| records.scan(range)).await.map(Answer::Page)
            }
            ReadRequest::List(list) => self.retried(|| records.list(list)).await.map(Answer::Page),
            ReadRequest::Stat { path, hash } => self
                .retried(|| artifacts.stat(path, *hash))
                .await
                .map(Answer::Stat),
            ReadRequest::Token { token, usage } => {
                self.claims(token, *usage, now).await.map(Answer::Claims)
            }
        }
    }

    /// Completes a multipart upload. `None` if a part is missing.
    async fn assemble(&self, assembly: &Assembly) -> Result<Option<Stat>, Problem> {
        let (path, upload_id) = (assembly.path(), assembly.upload_id());
        let artifacts = self.provider.artifacts();
        self.retried(|| artifacts.assemble(path, upload_id, assembly.parts()))
            .await
    }

    /// Repeats a call while the service is throttled or unavailable.
    pub(crate) async fn retried<T, F>(&self, call: impl Fn() -> F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, PortError>>,
    {
        let mut attempts = Attempts::new(self.provider.now().after(TIMEOUT));
        loop {
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) if retryable(error.kind) => attempts.pause_after(self, error).await?,
                Err(error) => return Err(port_problem(&error)),
            }
        }
    }

    /// Commits a batch that creates missing records. Afterwards they exist, whether this commit or
    /// another one created them.
    pub(crate) async fn create(&self, batch: &Batch) -> Result<(), Problem> {
        self.commit(batch).await.map(drop)
    }

    /// Commits a batch. After an ambiguous failure it reads back whether the batch was stored. Only
    /// if that read fails too is the outcome unknown.
    async fn commit(&self, batch: &Batch) -> Result<CommitOutcome, Problem> {
        let records = self.provider.records();
        let mut answer_lost = false;
        let mut attempts = Attempts::new(self.provider.now().after(TIMEOUT));
        loop {
            let error = match records.commit(batch).await {
                Ok(()) => return Ok(CommitOutcome::Committed),
                Err(CommitError::Conflict) if self.is_stored(batch).await? => {
                    return Ok(CommitOutcome::Committed);
                }
                Err(CommitError::Conflict) => return Ok(CommitOutcome::Conflict { answer_lost }),
                Err(CommitError::Failed(error)) => error,
            };
            match error.kind {
                PortErrorKind::Refused | PortErrorKind::Full => return Err(port_problem(&error)),
                PortErrorKind::Throttled => {}
                PortErrorKind::Unavailable => {
                    if self.is_stored(batch).await? {
                        return Ok(CommitOutcome::Committed);
                    }
                    answer_lost = true;
                }
            }
            attempts.pause_after(self, error).await?;
        }
    }

    /// Whether exactly this batch is stored: its journal entry, or the one record of a link, equals
    /// the stored bytes. The commit id makes each entry unique.
    async fn is_stored(&self, batch: &Batch) -> Result<bool, Problem> {
        let Some(proof) = batch.proof_item() else {
            return Ok(false);
        };
        let records = self.provider.records();
        let stored = self.retried(|| records.get(&proof.key)).await?;
        Ok(stored.is_some_and(|stored| stored.body == proof.body))
    }
}

fn retryable(kind: PortErrorKind) -> bool {
    matches!(kind, PortErrorKind::Throttled | PortErrorKind::Unavailable)
}

/// The problem for a failed port. The provider's own message goes to the log only.
pub(crate) fn port_problem(error: &PortError) -> Problem {
    let internal = describe(error);
    match error.kind {
        PortErrorKind::Throttled | PortErrorKind::Unavailable => Problem::unavailable(internal),
        PortErrorKind::Refused => Problem::internal(internal),
        PortErrorKind::Full => Problem {
            retry_after: Some(60),
            detail: "the storage is full; nothing was changed".into(),
            ..Problem::unavailable(internal)
        },
    }
}

/// The failure and its cause, for the log.
pub(crate) fn describe(error: &PortError) -> String {
    let cause = std::error::Error::source(error)
        .map(ToString::to_string)
        .unwrap_or_default();
    format!("{error}: {cause}")
}

/// Bounded waiting with jitter between attempts.
struct Attempts {
    made: u32,
    deadline: Timestamp,
}

impl Attempts {
    fn new(deadline: Timestamp) -> Self {
        Self { made: 0, deadline }
    }

    async fn pause<P: Provider>(&mut self, service: &Service<P>) -> Result<(), Problem> {
        self.wait(service).await.ok_or_else(|| {
            Problem::unavailable("the scope kept changing while the request was decided")
        })
    }

    async fn pause_after<P: Provider>(
        &mut self,
        service: &Service<P>,
        error: PortError,
    ) -> Result<(), Problem> {
        self.wait(service).await.ok_or_else(|| port_problem(&error))
    }

    /// Waits between half and all of 10, 20, 40 … ms, at random, so that writers that collided once
    /// do not collide again. `None` once attempts or time are used up.
    async fn wait<P: Provider>(&mut self, service: &Service<P>) -> Option<()> {
        self.made += 1;
        if self.made >= ATTEMPTS || service.provider.now() >= self.deadline {
            return None;
        }
        let full = 10_u64 << self.made.min(6);
        let env = service.provider.env(EntropyContext::Ephemeral);
        let random = env.bytes("jitter").first().copied().unwrap_or_default();
        let millis = full / 2 + full * u64::from(random) / 512;
        service.provider.sleep(Duration::from_millis(millis)).await;
        Some(())
    }
}
