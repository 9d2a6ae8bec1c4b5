//! Ports that count, fail and lose answers, around any surface.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use wm_core::{
    env::Env,
    storage::{Batch, Item, Key, List, Page, Range, Scope},
};
use wm_service::ports::{CommitError, PortError, PortErrorKind, Provider, Records};

/// A surface whose database counts its calls and misbehaves on demand.
#[derive(Debug)]
pub struct Watched<P: Provider> {
    /// The surface itself.
    pub inner: P,
    /// The database around its own.
    pub records: WatchedRecords,
}

/// What a database does to the next calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Refuses for being busy; nothing happens.
    Throttle,
    /// Fails before anything happens.
    FailBefore,
    /// Carries the call out and loses the answer.
    LoseAnswer,
    /// Reports a conflict that is none.
    Conflict,
}

/// Counts and faults.
#[derive(Debug, Default)]
pub struct WatchedRecords {
    calls: AtomicUsize,
    commits: AtomicUsize,
    waves: AtomicUsize,
    running: AtomicUsize,
    widest: AtomicUsize,
    faults: Mutex<Vec<(Operation, Fault)>>,
}

/// Which calls a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Any read.
    Read,
    /// A commit.
    Commit,
}

/// What was counted since the last reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Calls of any kind.
    pub calls: usize,
    /// Commits among them.
    pub commits: usize,
    /// Sequential waves: a wave begins when a call begins and no other is running.
    pub waves: usize,
    /// The most calls that ran at once.
    pub widest: usize,
}

impl WatchedRecords {
    /// Makes the next call of this kind go wrong this way; several faults strike one after another.
    pub fn inject(&self, operation: Operation, fault: Fault) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((operation, fault));
    }

    /// What was counted since the last call of this, which starts over.
    pub fn take(&self) -> Counts {
        let take = |counter: &AtomicUsize| counter.swap(0, Ordering::SeqCst);
        Counts {
            calls: take(&self.calls),
            commits: take(&self.commits),
            waves: take(&self.waves),
            widest: take(&self.widest),
        }
    }

    fn fault(&self, operation: Operation) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let position = faults.iter().position(|(kind, _)| *kind == operation)?;
        Some(faults.remove(position).1)
    }

    /// Counts a call while it runs. Yielding first lets all calls of a wave begin before any ends.
    async fn counted<T>(&self, call: impl Future<Output = T>) -> T {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst);
        if running == 0 {
            self.waves.fetch_add(1, Ordering::SeqCst);
        }
        self.widest.fetch_max(running + 1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let result = call.await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        result
    }

    async fn read<T>(
        &self,
        call: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        let fault = self.fault(Operation::Read);
        self.counted(async {
            match fault {
                Some(Fault::Throttle) => Err(throttled()),
                Some(_) => Err(unavailable()),
                None => call.await,
            }
        })
        .await
    }
}

fn throttled() -> PortError {
    PortError::new(PortErrorKind::Throttled, "injected")
}

fn unavailable() -> PortError {
    PortError::new(PortErrorKind::Unavailable, "injected")
}

impl<P: Provider> Watched<P> {
    /// This surface, watched.
    pub fn new(inner: P) -> Self {
        Self {
            inner,
            records: WatchedRecords::default(),
        }
    }
}

/// The database as the executor sees it: borrowed out of [`Watched`].
impl<P: Provider> Records for Watched<P> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
        self.records.read(self.inner.records().get(key)).await
    }

    async fn scan(&self, range: &Range) -> Result<Page, PortError> {
        self.records.read(self.inner.records().scan(range)).await
    }

    async fn list(&self, list: &List) -> Result<Page, PortError> {
        self.records.read(self.inner.records().list(list)).await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        self.records.commits.fetch_add(1, Ordering::SeqCst);
        let fault = self.records.fault(Operation::Commit);
        let inner = self.inner.records();
        self.records
            .counted(async {
                match fault {
                    Some(Fault::Throttle) => Err(CommitError::Failed(throttled())),
                    Some(Fault::FailBefore) => Err(CommitError::Failed(unavailable())),
                    Some(Fault::Conflict) => Err(CommitError::Conflict),
                    Some(Fault::LoseAnswer) => {
                        inner.commit(batch).await?;
                        Err(CommitError::Failed(unavailable()))
                    }
                    None => inner.commit(batch).await,
                }
            })
            .await
    }

    fn turn(&self, scope: Scope) -> impl Future<Output = impl Send> + Send {
        self.inner.records().turn(scope)
    }
}

impl<P: Provider> Provider for Watched<P> {
    type Records = Self;
    type Artifacts = P::Artifacts;
    type Keys = P::Keys;
    type Events = P::Events;
    type Mail = P::Mail;

    fn records(&self) -> &Self {
        self
    }

    fn artifacts(&self) -> &P::Artifacts {
        self.inner.artifacts()
    }

    fn keys(&self) -> &P::Keys {
        self.inner.keys()
    }

    fn events(&self) -> &P::Events {
        self.inner.events()
    }

    fn mail(&self) -> &P::Mail {
        self.inner.mail()
    }

    fn env(&self) -> Env {
        self.inner.env()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        self.inner.sleep(duration)
    }
}
