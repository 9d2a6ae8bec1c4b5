//! Lambda as its functions see it: the Runtime API, one process per instance, one invocation at a
//! time.
//!
//! The headers and the deadline of an invocation follow AWS. An instance that dies or exceeds the
//! deadline is replaced. An instance that dies before it requests work is not replaced, because a
//! function that cannot start is an error of the test.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, pipe},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot, watch},
};

use crate::process::STACK;

mod runtime_api;

/// The configuration of a function.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: String,
    pub program: PathBuf,
    /// The environment without the variables that Lambda sets.
    pub environment: Vec<(String, String)>,
    /// The number of concurrent instances.
    pub instances: usize,
    /// The timeout of an invocation.
    pub timeout: Duration,
}

/// The number of quoted lines in a message.
const LAST: usize = 20;

/// The outcome of an invocation.
#[derive(Debug, Clone)]
pub enum Outcome {
    Answered(Value),
    /// The function reported an error with type and message.
    Failed(Value),
    /// The instance died during the invocation.
    Died,
    /// The deadline passed, and the instance was killed.
    TimedOut,
}

impl Outcome {
    #[track_caller]
    pub fn answer(self) -> Value {
        match self {
            Self::Answered(answer) => answer,
            other => panic!("the function did not answer: {other:?}"),
        }
    }
}

/// A function with its instances, which end on drop.
#[derive(Debug)]
pub struct Function {
    shared: Arc<Shared>,
    slots: Vec<Arc<Slot>>,
    answered: AtomicUsize,
}

/// The shared state of a function's instances.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    waiting: Mutex<VecDeque<Invocation>>,
    arrived: Notify,
    /// The printed lines of all instances, oldest first.
    lines: Mutex<Vec<String>>,
    state: Mutex<State>,
    /// Signals that an instance could not start.
    broke: Notify,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Serving,
    Broken(String),
    Stopping,
}

/// A running invocation.
#[derive(Debug)]
struct Invocation {
    id: String,
    trace: String,
    event: String,
    reply: oneshot::Sender<Outcome>,
}

/// A slot for successive instances.
#[derive(Debug, Default)]
struct Slot {
    /// The invocation of the current instance.
    current: Mutex<Option<Invocation>>,
    child: Mutex<Option<Child>>,
    /// Whether the current instance has requested work.
    started: Mutex<bool>,
    /// The number of ended instances. Changes while `current` is locked.
    ended: watch::Sender<usize>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Function {
    /// Starts the instances of a function in the background.
    pub async fn start(settings: Settings) -> Self {
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            arrived: Notify::new(),
            lines: Mutex::default(),
            state: Mutex::new(State::Serving),
            broke: Notify::new(),
            settings,
        });
        let mut slots = Vec::new();
        for _ in 0..shared.settings.instances {
            let slot = Arc::<Slot>::default();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            tokio::spawn(runtime_api::serve(
                listener,
                Arc::clone(&shared),
                Arc::clone(&slot),
            ));
            let (owner, place) = (Arc::clone(&shared), Arc::clone(&slot));
            thread::spawn(move || owner.supervise(&place, &address));
            slots.push(slot);
        }
        Self {
            shared,
            slots,
            answered: AtomicUsize::new(0),
        }
    }

    /// Invokes the function and waits for the outcome.
    pub async fn invoke(&self, event: &Value) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let number = rand_hex(32);
        let id = format!(
            "{}-{}-4{}-8{}-{}",
            &number[..8],
            &number[8..12],
            &number[13..16],
            &number[17..20],
            &number[20..]
        );
        let seconds = now().as_secs();
        let trace = format!(
            "Root=1-{seconds:08x}-{};Parent={};Sampled=0",
            rand_hex(24),
            rand_hex(16)
        );
        self.shared.push(Invocation {
            id,
            trace,
            event: event.to_string(),
            reply,
        });
        match outcome.await {
            Ok(outcome) => {
                if let Outcome::Answered(_) = outcome {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                }
                outcome
            }
            Err(_) => panic!(
                "`{}` does not start: {}",
                self.shared.settings.name,
                self.shared.why()
            ),
        }
    }

    /// Waits until an instance could not start, and describes its end.
    pub async fn broken(&self) -> String {
        loop {
            let changed = self.shared.broke.notified();
            if let State::Broken(how) = lock(&self.shared.state).clone() {
                return how;
            }
            changed.await;
        }
    }

    /// Kills all busy instances at once and returns their number.
    pub fn kill_busy(&self) -> usize {
        let busy = self
            .slots
            .iter()
            .filter(|slot| lock(&slot.current).is_some());
        busy.map(|slot| slot.kill()).count()
    }

    /// The number of answered invocations.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// The last printed lines of its instances, for messages.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let lines = lock(&self.shared.lines);
        lines[lines.len().saturating_sub(LAST)..].join("\n")
    }

    /// All printed lines of its instances so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        lock(&self.shared.lines).clone()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        *lock(&self.shared.state) = State::Stopping;
        for slot in &self.slots {
            slot.kill();
        }
    }
}

impl Slot {
    fn kill(&self) {
        if let Some(child) = lock(&self.child).as_mut() {
            let _ = child.kill();
        }
    }
}

impl Shared {
    fn push(&self, invocation: Invocation) {
        if *lock(&self.state) == State::Serving {
            lock(&self.waiting).push_back(invocation);
            self.arrived.notify_one();
        }
    }

    /// Returns an invocation that an instance died before accepting.
    fn put_back(&self, invocation: Invocation) {
        lock(&self.waiting).push_front(invocation);
        self.arrived.notify_one();
    }

    /// Waits for the next invocation.
    async fn next(&self) -> Invocation {
        loop {
            // Register before the check, so that no arrival is missed.
            let arrived = self.arrived.notified();
            if let Some(invocation) = lock(&self.waiting).pop_front() {
                return invocation;
            }
            arrived.await;
        }
    }

    fn why(&self) -> String {
        format!("{:?}\n{}", lock(&self.state), lock(&self.lines).join("\n"))
    }

    /// Keeps an instance running in a slot until the function ends.
    fn supervise(&self, slot: &Slot, address: &str) {
        loop {
            *lock(&slot.started) = false;
            let output = {
                let mut child = lock(&slot.child);
                if *lock(&self.state) != State::Serving {
                    return;
                }
                let (reader, started) = self.spawn(address);
                *child = Some(started);
                reader
            };
            for line in output.lines().map_while(Result::ok) {
                lock(&self.lines).push(line);
            }
            let ended = lock(&slot.child).take().unwrap().wait().unwrap();
            let started = *lock(&slot.started);
            let mut current = lock(&slot.current);
            slot.ended.send_modify(|ended| *ended += 1);
            if let Some(invocation) = current.take() {
                let _ = invocation.reply.send(Outcome::Died);
            }
            drop(current);
            let mut state = lock(&self.state);
            if !started && *state == State::Serving {
                *state = State::Broken(ended.to_string());
                lock(&self.waiting).clear();
                self.broke.notify_waiters();
            }
        }
    }

    /// Starts an instance with both outputs combined.
    fn spawn(&self, address: &str) -> (BufReader<std::io::PipeReader>, Child) {
        let (reader, writer) = pipe().unwrap();
        let mut command = Command::new(&self.settings.program);
        command
            .env_clear()
            .envs([STACK])
            .envs(lambda_environment(&self.settings.name, address))
            .envs(self.settings.environment.iter().cloned())
            .current_dir(self.settings.program.parent().unwrap_or(Path::new("/")))
            .stdin(Stdio::null())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer);
        (BufReader::new(reader), command.spawn().unwrap())
    }
}

/// The environment variables that Lambda documents.
fn lambda_environment(name: &str, address: &str) -> Vec<(&'static str, String)> {
    [
        ("AWS_LAMBDA_RUNTIME_API", address),
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/23/[$LATEST]0"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("_HANDLER", "bootstrap"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Random hexadecimal digits, at most 32.
fn rand_hex(digits: usize) -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    let mut text = format!("{:032x}", u128::from_be_bytes(bytes));
    text.truncate(digits);
    text
}
