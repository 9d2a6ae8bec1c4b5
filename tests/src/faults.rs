//! Ports around any surface that count calls, fail, lose answers and crash.

use std::{
    future::{Future, pending},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use wm_aws::records::to_attributes;
use wm_core::{
    jobs::mail::Message,
    operation::Batch,
    record::CloudEvent,
    storage::{self, Item, Key, List, Page, Range, Scope, ScopePage},
    value::{Env, Timestamp},
};
use wm_service::ports::{
    CommitError, EntropyContext, Events, Mail, PortError, PortErrorKind, Provider, Records,
};

/// A surface whose database, bus and mail count their calls and fail on demand. Its pauses are
/// recorded and end at once.
#[derive(Debug)]
pub struct RecordingProvider<P: Provider> {
    pub inner: P,
    /// The counts and the pending faults.
    pub records: RecordingRecords,
}

/// The treatment of the next calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Lets one call pass, so that the next fault hits a later call.
    Pass,
    /// Refuses the call as throttled.
    Throttle,
    /// Fails without processing the call.
    FailBefore,
    /// Processes the call and loses its answer.
    LoseAnswer,
    /// Reports a conflict that does not exist.
    Conflict,
    /// Refuses the call permanently.
    Refuse,
}

/// Whether a process ends before or after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Moment {
    /// Before the call has any effect.
    Before,
    /// After the call, before its answer arrives.
    After,
}

/// Counts and faults.
#[derive(Debug, Default)]
pub struct RecordingRecords {
    calls: AtomicUsize,
    commits: AtomicUsize,
    rounds: AtomicUsize,
    running: AtomicUsize,
    widest: AtomicUsize,
    /// In halves of a unit.
    capacity: AtomicUsize,
    read: AtomicUsize,
    written: AtomicUsize,
    faults: Mutex<Vec<(Operation, Fault)>>,
    crash: Mutex<Option<(usize, Moment)>>,
    crashed: Notify,
    pauses: Mutex<Vec<Duration>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calls that a fault applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Read,
    Commit,
    Publish,
    Send,
}

/// The counts since the last reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// All calls.
    pub calls: usize,
    pub commits: usize,
    /// Sequential rounds. A round begins with a call that starts while no other call runs.
    pub rounds: usize,
    /// The maximum number of concurrent calls.
    pub widest: usize,
}

/// The stored sizes of the items read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of the items that calls returned.
    pub read: usize,
    /// Bytes of the items that commits put.
    pub written: usize,
}

/// Counts a call as running until it is dropped, also if it is cancelled.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl RecordingRecords {
    /// Makes the next call of this kind fail. Several faults apply in order.
    pub fn inject(&self, operation: Operation, fault: Fault) {
        self.inject_many(operation, fault, 1);
    }

    /// Makes this number of calls of this kind fail.
    pub fn inject_many(&self, operation: Operation, fault: Fault, times: usize) {
        lock(&self.faults).extend(std::iter::repeat_n((operation, fault), times));
    }

    /// Removes all pending faults.
    pub fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    /// Runs work until it ends, or until the simulated process dies at this call, counted from 1.
    /// `None` if it died.
    pub async fn until_crash<T>(
        &self,
        call: usize,
        moment: Moment,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        self.take();
        *lock(&self.crash) = Some((call, moment));
        let ended = tokio::select! {
            biased;
            result = work => Some(result),
            () = self.crashed.notified() => None,
        };
        *lock(&self.crash) = None;
        ended
    }

    /// The pauses since the last call of this method.
    pub fn take_pauses(&self) -> Vec<Duration> {
        std::mem::take(&mut lock(&self.pauses))
    }

    /// The counts since the last call of this method.
    pub fn take(&self) -> Counts {
        let take = |counter: &AtomicUsize| counter.swap(0, Ordering::SeqCst);
        Counts {
            calls: take(&self.calls),
            commits: take(&self.commits),
            rounds: take(&self.rounds),
            widest: take(&self.widest),
        }
    }

    /// The item sizes since the last call of this method.
    pub fn take_traffic(&self) -> Traffic {
        Traffic {
            read: self.read.swap(0, Ordering::SeqCst),
            written: self.written.swap(0, Ordering::SeqCst),
        }
    }

    /// The read capacity since the last call of this method, in DynamoDB read units.
    pub fn take_read_units(&self) -> f64 {
        let halves = self.capacity.swap(0, Ordering::SeqCst);
        f64::from(u32::try_from(halves).unwrap()) / 2.0
    }

    /// One unit per started 4 KB of a call's result, at least one, and half of that for eventually
    /// consistent reads.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
    fn read_items<'a>(&self, items: impl IntoIterator<Item = &'a Item>, strong: bool) {
        let bytes: usize = items.into_iter().map(stored_size).sum();
        self.read.fetch_add(bytes, Ordering::SeqCst);
        let halves = bytes.div_ceil(4096).max(1) * if strong { 2 } else { 1 };
        self.capacity.fetch_add(halves, Ordering::SeqCst);
    }

    fn fault(&self, operation: Operation) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let position = faults.iter().position(|(kind, _)| *kind == operation)?;
        Some(faults.remove(position).1).filter(|fault| *fault != Fault::Pass)
    }

    /// Counts a call while it runs. It yields first, so that all calls of a round begin before one
    /// ends.
    async fn counted<T>(&self, call: impl Future<Output = T>) -> T {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let running = self.running.fetch_add(1, Ordering::SeqCst);
        let _running = Running(&self.running);
        if running == 0 {
            self.rounds.fetch_add(1, Ordering::SeqCst);
        }
        self.widest.fetch_max(running + 1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.die(number, Moment::Before).await;
        let result = call.await;
        self.die(number, Moment::After).await;
        result
    }

    /// Never returns if the process must die here.
    async fn die(&self, number: usize, moment: Moment) {
        if *lock(&self.crash) == Some((number, moment)) {
            self.crashed.notify_one();
            pending().await
        }
    }

    async fn read<T>(
        &self,
        call: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        self.carry_out(Operation::Read, call).await
    }

    /// Runs a call with the next fault.
    async fn carry_out<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        let fault = self.fault(operation);
        self.counted(async {
            match fault {
                None | Some(Fault::Pass) => call.await,
                Some(Fault::LoseAnswer) => call.await.and(Err(unavailable())),
                Some(fault) => Err(failure(fault)),
            }
        })
        .await
    }
}

/// The size of an item in a table: the bytes of the names and values of its attributes.
fn stored_size(item: &Item) -> usize {
    let attributes = to_attributes(item);
    let sizes = attributes.iter().map(|(name, value)| {
        let value = value.as_s().or_else(|_| value.as_n());
        name.len() + value.map_or(0, String::len)
    });
    sizes.sum()
}

/// The size of the item that an operation puts.
fn written_size(operation: &storage::Operation) -> usize {
    match operation {
        storage::Operation::Put(item, _) => stored_size(item),
        storage::Operation::Delete(..) => 0,
    }
}

fn failure(fault: Fault) -> PortError {
    match fault {
        Fault::Throttle => throttled(),
        Fault::Refuse => PortError::new(PortErrorKind::Refused, "injected"),
        _ => unavailable(),
    }
}

fn throttled() -> PortError {
    PortError::new(PortErrorKind::Throttled, "injected")
}

fn unavailable() -> PortError {
    PortError::new(PortErrorKind::Unavailable, "injected")
}

impl<P: Provider> RecordingProvider<P> {
    pub fn new(inner: P) -> Self {
        Self {
            inner,
            records: RecordingRecords::default(),
        }
    }
}

/// The database as the executor sees it, borrowed from [`RecordingProvider`].
impl<P: Provider> Records for RecordingProvider<P> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
        let item = self.records.read(self.inner.records().get(key)).await?;
        self.records.read_items(&item, true);
        Ok(item)
    }

    async fn scan(&self, range: &Range) -> Result<Page, PortError> {
        let page = self.records.read(self.inner.records().scan(range)).await?;
        self.records.read_items(&page.items, true);
        Ok(page)
    }

    async fn list(&self, list: &List) -> Result<Page, PortError> {
        let page = self.records.read(self.inner.records().list(list)).await?;
        self.records.read_items(&page.items, false);
        Ok(page)
    }

    async fn scopes(&self, after: Option<Scope>) -> Result<ScopePage, PortError> {
        let scopes = self.inner.records().scopes(after);
        self.records.read(scopes).await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        self.records.commits.fetch_add(1, Ordering::SeqCst);
        let written: usize = batch.operations().iter().map(written_size).sum();
        self.records.written.fetch_add(written, Ordering::SeqCst);
        let fault = self.records.fault(Operation::Commit);
        let inner = self.inner.records();
        self.records
            .counted(async {
                match fault {
                    None | Some(Fault::Pass) => inner.commit(batch).await,
                    Some(Fault::Conflict) => Err(CommitError::Conflict),
                    Some(Fault::LoseAnswer) => {
                        inner.commit(batch).await?;
                        Err(CommitError::Failed(unavailable()))
                    }
                    Some(fault) => Err(CommitError::Failed(failure(fault))),
                }
            })
            .await
    }

    fn lock_scope(&self, scope: Scope) -> impl Future<Output = impl Send> + Send {
        self.inner.records().lock_scope(scope)
    }
}

impl<P: Provider> Events for RecordingProvider<P> {
    async fn publish(&self, entries: &[CloudEvent]) -> Vec<Result<(), PortError>> {
        let inner = self.inner.events();
        let published = self
            .records
            .carry_out(Operation::Publish, async {
                Ok(inner.publish(entries).await)
            })
            .await;
        match published {
            Ok(results) => results,
            Err(error) => entries
                .iter()
                .map(|_| Err(PortError::new(error.kind, "injected")))
                .collect(),
        }
    }
}

impl<P: Provider> Mail for RecordingProvider<P> {
    async fn send(&self, message: &Message) -> Result<(), PortError> {
        let inner = self.inner.mail();
        self.records
            .carry_out(Operation::Send, inner.send(message))
            .await
    }
}

impl<P: Provider> Provider for RecordingProvider<P> {
    type Records = Self;
    type Artifacts = P::Artifacts;
    type Keys = P::Keys;
    type Events = Self;
    type Mail = Self;

    fn records(&self) -> &Self {
        self
    }

    fn artifacts(&self) -> &P::Artifacts {
        self.inner.artifacts()
    }

    fn keys(&self) -> &P::Keys {
        self.inner.keys()
    }

    fn events(&self) -> &Self {
        self
    }

    fn mail(&self) -> &Self {
        self
    }

    fn env(&self, context: EntropyContext<'_>) -> Env {
        self.inner.env(context)
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn sleep(&self, duration: Duration) {
        lock(&self.records.pauses).push(duration);
        tokio::task::yield_now().await;
    }
}
