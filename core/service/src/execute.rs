//! The executor: it reads what a use-case needs, lets it decide, commits, and decides again after a
//! conflict.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::try_join_all;
use wm_core::{
    operation::{
        Answer, Assembly, Batch, Context, Drive, Facts, Next, Outcome, Problem, ReadRequest, Stat,
        UseCase,
    },
    storage::{Key, Scope},
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
enum Committed {
    Yes,
    Conflict,
}

/// The answer after a batch is stored: a result, or a refusal that was recorded.
type Concluded = Result<Answered, Problem>;

/// The index of an answer in [`Kept`].
type Answered = usize;

/// A use-case whose answers are stored here. The executor is then compiled once instead of once per
/// answer type, which keeps the functions small.
struct Kept<'a, T> {
    use_case: &'a dyn UseCase<T>,
    answers: Mutex<Vec<T>>,
}

impl<'a, T: Send> Kept<'a, T> {
    fn new(use_case: &'a dyn UseCase<T>) -> Self {
        Self {
            use_case,
            answers: Mutex::default(),
        }
    }

    fn keep(&self, answer: T) -> Answered {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push(answer);
        answers.len() - 1
    }

    fn take(self, answer: Answered) -> Result<T, Problem> {
        let answers = self.answers.into_inner();
        let mut answers = answers.unwrap_or_else(PoisonError::into_inner);
        if answer < answers.len() {
            Ok(answers.swap_remove(answer))
        } else {
            Err(Problem::internal("the executor returned no answer"))
        }
    }
}

impl<T: Send> UseCase<Answered> for Kept<'_, T> {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        self.use_case.reads(context, facts)
    }

    fn assembly(&self, context: &Context<'_>, facts: &Facts) -> Result<Option<Assembly>, Problem> {
        self.use_case.assembly(context, facts)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<Answered>, Problem> {
        let outcome = self.use_case.decide(context, facts)?;
        Ok(outcome.map(|answer| self.keep(answer)))
    }

    fn writes(&self, context: &Context<'_>) -> Option<Scope> {
        self.use_case.writes(context)
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Answered, Problem> {
        let answer = self.use_case.replay(context, facts, records)?;
        Ok(self.keep(answer))
    }
}

impl<P: Provider> Service<P> {
    /// Runs a use-case to its end.
    ///
    /// # Errors
    /// The refusal, or 503 if the use-case could not finish in time.
    pub(crate) async fn execute<T: Send>(
        &self,
        use_case: &dyn UseCase<T>,
        context: &Context<'_>,
    ) -> Result<T, Problem> {
        let kept = Kept::new(use_case);
        let answer = self.execute_kept(&kept, context).await?;
        kept.take(answer)
    }

    async fn execute_kept(
        &self,
        use_case: &dyn UseCase<Answered>,
        context: &Context<'_>,
    ) -> Result<Answered, Problem> {
        let deadline = self.provider.now().after(TIMEOUT);
        // Held until the end. On surfaces with a writer queue, writers queue before their first
        // read.
        let _scope_lock = match use_case.writes(context) {
            Some(scope) => Some(self.provider.records().turn(scope).await),
            None => None,
        };
        let mut attempts = Attempts::new(deadline);
        let mut unsure: Vec<(Batch, Concluded)> = Vec::new();
        let mut preparations = 0;
        loop {
            let (batch, concluded) = match self.decide(use_case, context).await? {
                Outcome::Reply(reply) => return Ok(reply),
                Outcome::Commit(batch, reply) => (batch, Some(Ok(reply))),
                Outcome::Reject(batch, problem) => (batch, Some(Err(problem))),
                Outcome::Prepare(batch) => (batch, None),
            };
            let committed = self.commit(&batch, &mut unsure, concluded.as_ref()).await?;
            match (committed, concluded) {
                (Committed::Yes, Some(concluded)) => return concluded,
                (Committed::Yes, None) if preparations < PREPARATIONS => preparations += 1,
                (Committed::Yes, None) => {
                    return Err(Problem::unavailable(
                        "the use-case needs too many preparatory commits",
                    ));
                }
                (Committed::Conflict, _) => {
                    // A commit with a lost answer may have been stored since, and may be the cause
                    // of this conflict.
                    if let Some(concluded) = self.landed(&unsure).await? {
                        return concluded;
                    }
                    attempts.pause(self).await?;
                }
            }
        }
    }

    async fn decide(
        &self,
        use_case: &dyn UseCase<Answered>,
        context: &Context<'_>,
    ) -> Result<Outcome<Answered>, Problem> {
        let mut drive = Drive::new(use_case, context);
        loop {
            match drive.advance()? {
                Next::Done(outcome) => return Ok(outcome),
                Next::ReadRequest(reads) => {
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
        let Assembly {
            path,
            upload_id,
            parts,
        } = assembly;
        let artifacts = self.provider.artifacts();
        self.retried(|| artifacts.assemble(path, upload_id, parts))
            .await
    }

    /// Repeats a call while the service is throttled or unavailable.
    async fn retried<T, F>(&self, call: impl Fn() -> F) -> Result<T, Problem>
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
        let mut unsure = Vec::new();
        self.commit(batch, &mut unsure, None).await.map(drop)
    }

    /// Commits a batch. After an ambiguous failure it reads back whether the batch was stored. Only
    /// if that read fails too is the outcome unknown.
    async fn commit(
        &self,
        batch: &Batch,
        unsure: &mut Vec<(Batch, Concluded)>,
        concluded: Option<&Concluded>,
    ) -> Result<Committed, Problem> {
        let records = self.provider.records();
        let mut attempts = Attempts::new(self.provider.now().after(TIMEOUT));
        loop {
            let error = match records.commit(batch).await {
                Ok(()) => return Ok(Committed::Yes),
                Err(CommitError::Conflict) if self.is_stored(batch).await? => {
                    return Ok(Committed::Yes);
                }
                Err(CommitError::Conflict) => return Ok(Committed::Conflict),
                Err(CommitError::Failed(error)) => error,
            };
            match error.kind {
                PortErrorKind::Refused | PortErrorKind::Full => return Err(port_problem(&error)),
                PortErrorKind::Throttled => {}
                PortErrorKind::Unavailable => {
                    if self.is_stored(batch).await? {
                        return Ok(Committed::Yes);
                    }
                    unsure.extend(concluded.map(|concluded| (batch.clone(), concluded.clone())));
                }
            }
            attempts.pause_after(self, error).await?;
        }
    }

    /// Whether exactly this batch is stored: its journal entry, or the one record of a link, equals
    /// the stored bytes. The commit id makes each entry unique.
    async fn is_stored(&self, batch: &Batch) -> Result<bool, Problem> {
        let Some(witness) = batch.witness() else {
            return Ok(false);
        };
        let read = ReadRequest::Get(witness.key.clone());
        let answer = self.answer(&read, Timestamp::default());
        let Answer::Item(stored) = answer.await? else {
            return Ok(false);
        };
        Ok(stored.is_some_and(|stored| stored.body == witness.body))
    }

    async fn landed(&self, unsure: &[(Batch, Concluded)]) -> Result<Option<Concluded>, Problem> {
        for (batch, concluded) in unsure {
            if self.is_stored(batch).await? {
                return Ok(Some(concluded.clone()));
            }
        }
        Ok(None)
    }
}

fn retryable(kind: PortErrorKind) -> bool {
    matches!(kind, PortErrorKind::Throttled | PortErrorKind::Unavailable)
}

/// The problem for a failed port. The provider's own message goes to the log only.
pub(crate) fn port_problem(error: &PortError) -> Problem {
    let cause = std::error::Error::source(error)
        .map(ToString::to_string)
        .unwrap_or_default();
    let internal = format!("{error}: {cause}");
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
