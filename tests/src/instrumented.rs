//! Instrumented surfaces: tests control their time and randomness, and where they crash or fail.
//!
//! A program under test wraps its surface in [`Instrumented`]. The control file is read before
//! every call, so that processes and their successors follow the same order. Deployed programs know
//! only the system's clock and randomness.

use std::{
    env, fmt,
    fs::{self, OpenOptions},
    future::{Future, pending},
    io::Write,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    sync::Notify,
    task::{Id, try_id},
};
use wm_core::{
    jobs::mail::Message,
    operation::{Batch, Part, SignDownload, SignUpload, Stat},
    record::CloudEvent,
    storage::{Item, Key, List, ObjectPath, Page, Range, Scope, ScopePage},
    value::{Env, Sha256, Timestamp},
};
use wm_service::ports::{
    Artifacts, CommitError, EntropyContext, Events, Mail, PortError, Provider, Records,
    SignedRequest,
};

use crate::faults::Moment;

mod barrier;
mod defect;

pub use barrier::Barrier;
pub use defect::Defect;
use defect::Memory;

/// The environment variable with the path of the control file.
pub const FILE: &str = "WM_CONTROL_FILE";

/// The exit code of a process that dies on order. The Functions host takes it for a request to
/// restart, Lambda for the end of an instance.
const CRASHED: i32 = 200;

/// The content of a control file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Order {
    /// The time in milliseconds since 1970.
    pub now: i64,
    /// The seed of all randomness.
    pub seed: u64,
    /// The call at which to die.
    pub crash: Option<Crash>,
    /// The defect of the adapters.
    pub defect: Option<Defect>,
    /// The barrier at which commits wait for each other.
    pub barrier: Option<Barrier>,
    /// Whether calls are recorded for [`calls`].
    pub noted: bool,
}

/// The external effect of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Reads,
    /// A lasting change.
    Changes,
}

/// The calls of the programs under this control file since the last call of this function: `r` for
/// each read, `w` for each change.
#[must_use]
pub fn calls(file: &Path) -> String {
    let noted = notes(file);
    let calls = fs::read_to_string(&noted).unwrap_or_default();
    let _ = fs::remove_file(noted);
    calls
}

fn notes(file: &Path) -> PathBuf {
    file.with_extension("calls")
}

/// A call at which to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crash {
    /// The number of the call within a request, counted from 1.
    pub call: usize,
    /// Before or after the call.
    pub moment: Moment,
}

impl Order {
    /// Writes the control file atomically.
    pub fn write(&self, file: &Path) {
        let written = file.with_extension(format!("{}.new", process::id()));
        fs::write(&written, serde_json::to_vec(self).unwrap()).unwrap();
        fs::rename(written, file).unwrap();
    }

    /// Reads a control file.
    #[must_use]
    pub fn read(file: &Path) -> Self {
        let text = fs::read(file).unwrap_or_else(|error| panic!("`{}`: {error}", file.display()));
        serde_json::from_slice(&text).unwrap()
    }

    /// The time and the entropy for this context. The same request and the same job always get the
    /// same bytes, in every process and in every repetition. Ephemeral values take those of
    /// `ephemeral`.
    #[must_use]
    pub fn env(&self, context: EntropyContext<'_>, ephemeral: Env) -> Env {
        let entropy = match context {
            EntropyContext::Request(request) => {
                let trace = request.header("traceparent").unwrap_or_default();
                self.entropy(b"request", trace)
            }
            EntropyContext::Job(about) => self.entropy(b"work", about),
            EntropyContext::Ephemeral => ephemeral.bytes("ephemeral"),
        };
        Env::new(self.time(), entropy)
    }

    #[must_use]
    pub fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn entropy(&self, kind: &[u8], about: &str) -> [u8; 32] {
        let seed = Sha256::of(&self.seed.to_be_bytes());
        *Sha256::keyed(seed.as_bytes(), &[kind, about.as_bytes()]).as_bytes()
    }
}

/// A surface under a control file.
pub struct Instrumented<P> {
    inner: P,
    file: PathBuf,
    counts: Mutex<Vec<Count>>,
    /// Notified when a surface without its own process dies. The caller then stops waiting.
    died: Option<Notify>,
    /// The state of a defect.
    memory: Memory,
}

/// The number of calls of a task within its current request or job. Other work of a node is not
/// counted.
#[derive(Debug)]
struct Count {
    task: Option<Id>,
    calls: usize,
}

/// The number of tasks to remember. Earlier tasks have ended.
const TASKS: usize = 64;

impl<P> fmt::Debug for Instrumented<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Instrumented")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl<P: Provider> Instrumented<P> {
    /// Wraps a surface. The environment names its control file.
    pub fn new(inner: P) -> Self {
        let file = env::var_os(FILE).unwrap_or_else(|| panic!("`{FILE}` is not set"));
        Self {
            died: None,
            ..Self::by(inner, file.into())
        }
    }

    /// Wraps a surface in the test process, with this control file.
    pub fn by(inner: P, file: PathBuf) -> Self {
        Self {
            inner,
            file,
            counts: Mutex::default(),
            died: Some(Notify::new()),
            memory: Memory::default(),
        }
    }

    /// Runs work until it ends. `None` if the order made it die.
    pub async fn until_death<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let died = async {
            match &self.died {
                Some(died) => died.notified().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            result = work => Some(result),
            () = died => None,
        }
    }

    pub fn inner(&self) -> &P {
        &self.inner
    }

    fn order(&self) -> Order {
        Order::read(&self.file)
    }

    fn counts(&self) -> MutexGuard<'_, Vec<Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the count of the present task.
    fn begin(&self) {
        let mut counts = self.counts();
        let task = try_id();
        counts.retain(|count| count.task != task);
        let surplus = counts.len().saturating_sub(TASKS);
        counts.drain(..surplus);
        counts.push(Count { task, calls: 0 });
    }

    /// The number of this call within its request. `None` for a call outside counted work.
    fn count(&self) -> Option<usize> {
        let (mut counts, task) = (self.counts(), try_id());
        let count = counts.iter_mut().find(|count| count.task == task)?;
        count.calls += 1;
        Some(count.calls)
    }

    /// An external call. The process may die before or after it.
    async fn external_call<T>(
        &self,
        order: &Order,
        effect: Effect,
        call: impl Future<Output = T>,
    ) -> T {
        let Some(number) = self.count() else {
            return call.await;
        };
        if order.noted {
            self.note(effect);
        }
        self.die(order, number, Moment::Before).await;
        let result = call.await;
        self.die(order, number, Moment::After).await;
        result
    }

    fn note(&self, effect: Effect) {
        let mut notes = OpenOptions::new()
            .create(true)
            .append(true)
            .open(notes(&self.file))
            .unwrap();
        let note = match effect {
            Effect::Reads => b"r",
            Effect::Changes => b"w",
        };
        notes.write_all(note).unwrap();
    }

    async fn die(&self, order: &Order, call: usize, moment: Moment) {
        if order.crash == Some(Crash { call, moment }) {
            // The crash happens once: the next process must live.
            let crash = None;
            Order {
                crash,
                ..order.clone()
            }
            .write(&self.file);
            match &self.died {
                Some(died) => died.notify_one(),
                None => process::exit(CRASHED),
            }
            pending::<()>().await;
        }
    }
}

impl<P: Provider> Provider for Instrumented<P> {
    type Records = Self;
    type Artifacts = Self;
    type Keys = P::Keys;
    type Events = Self;
    type Mail = Self;

    fn records(&self) -> &Self {
        self
    }

    fn artifacts(&self) -> &Self {
        self
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
        if !matches!(context, EntropyContext::Ephemeral) {
            self.begin();
        }
        let ephemeral = self.inner.env(EntropyContext::Ephemeral);
        self.order().env(context, ephemeral)
    }

    fn now(&self) -> Timestamp {
        self.order().time()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        self.inner.sleep(duration)
    }
}

impl<P: Provider> Records for Instrumented<P> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
        let order = self.order();
        self.external_call(&order, Effect::Reads, async {
            let found = self.inner.records().get(key).await?;
            Ok(defect::got(order.defect, found))
        })
        .await
    }

    async fn scan(&self, range: &Range) -> Result<Page, PortError> {
        let order = self.order();
        self.external_call(&order, Effect::Reads, async {
            let page = self.inner.records().scan(range).await?;
            Ok(self.memory.scanned(order.defect, range, page))
        })
        .await
    }

    async fn list(&self, list: &List) -> Result<Page, PortError> {
        let order = self.order();
        self.external_call(&order, Effect::Reads, async {
            let page = self.inner.records().list(list).await?;
            Ok(defect::listed(order.defect, page))
        })
        .await
    }

    async fn scopes(&self, after: Option<Scope>) -> Result<ScopePage, PortError> {
        let scopes = self.inner.records().scopes(after);
        self.external_call(&self.order(), Effect::Reads, scopes)
            .await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        let order = self.order();
        let arrival = match &order.barrier {
            Some(barrier) => Some(barrier.arrive().await),
            None => None,
        };
        let committed = self
            .external_call(
                &order,
                Effect::Changes,
                defect::commit(order.defect, self.inner.records(), batch, &self.memory),
            )
            .await;
        if let Some(arrival) = arrival {
            arrival.leave();
        }
        committed
    }

    fn lock_scope(&self, scope: Scope) -> impl Future<Output = impl Send> + Send {
        self.inner.records().lock_scope(scope)
    }
}

impl<P: Provider> Artifacts for Instrumented<P> {
    async fn begin_parts(&self, upload: &SignUpload) -> Result<String, PortError> {
        self.external_call(
            &self.order(),
            Effect::Changes,
            self.inner.artifacts().begin_parts(upload),
        )
        .await
    }

    async fn sign_upload(&self, upload: &SignUpload) -> Result<SignedRequest, PortError> {
        self.external_call(
            &self.order(),
            Effect::Reads,
            self.inner.artifacts().sign_upload(upload),
        )
        .await
    }

    async fn sign_parts(
        &self,
        upload: &SignUpload,
        upload_id: &str,
    ) -> Result<Vec<SignedRequest>, PortError> {
        let artifacts = self.inner.artifacts();
        self.external_call(
            &self.order(),
            Effect::Reads,
            artifacts.sign_parts(upload, upload_id),
        )
        .await
    }

    async fn sign_download(&self, download: &SignDownload) -> Result<SignedRequest, PortError> {
        self.external_call(
            &self.order(),
            Effect::Reads,
            self.inner.artifacts().sign_download(download),
        )
        .await
    }

    async fn assemble(
        &self,
        path: &ObjectPath,
        upload_id: &str,
        parts: &[Part],
    ) -> Result<Option<Stat>, PortError> {
        let artifacts = self.inner.artifacts();
        self.external_call(
            &self.order(),
            Effect::Changes,
            artifacts.assemble(path, upload_id, parts),
        )
        .await
    }

    async fn stat(&self, path: &ObjectPath, hash: bool) -> Result<Option<Stat>, PortError> {
        self.external_call(
            &self.order(),
            Effect::Reads,
            self.inner.artifacts().stat(path, hash),
        )
        .await
    }

    async fn remove(&self, path: &ObjectPath, upload_id: Option<&str>) -> Result<(), PortError> {
        self.external_call(
            &self.order(),
            Effect::Changes,
            self.inner.artifacts().remove(path, upload_id),
        )
        .await
    }

    async fn older_than(
        &self,
        time: Timestamp,
        after: Option<&ObjectPath>,
        limit: u32,
    ) -> Result<Vec<ObjectPath>, PortError> {
        let artifacts = self.inner.artifacts();
        self.external_call(
            &self.order(),
            Effect::Reads,
            artifacts.older_than(time, after, limit),
        )
        .await
    }
}

impl<P: Provider> Events for Instrumented<P> {
    async fn publish(&self, entries: &[CloudEvent]) -> Vec<Result<(), PortError>> {
        self.external_call(
            &self.order(),
            Effect::Changes,
            self.inner.events().publish(entries),
        )
        .await
    }
}

impl<P: Provider> Mail for Instrumented<P> {
    async fn send(&self, message: &Message) -> Result<(), PortError> {
        self.external_call(
            &self.order(),
            Effect::Changes,
            self.inner.mail().send(message),
        )
        .await
    }
}
