//! Lambda, as its functions see it: the Runtime API, one process per instance, one invocation at a time.
//!
//! What is as on AWS: the headers of an invocation, its deadline, the end of an instance that passes
//! it or dies, and a new instance in its place. An instance that dies before it asks for work is not
//! replaced: a function that cannot start is a fault of the test's.

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

/// How a function is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: String,
    /// Its binary.
    pub program: PathBuf,
    /// Its environment, but for what Lambda itself sets.
    pub environment: Vec<(String, String)>,
    /// How many instances run at once.
    pub instances: usize,
    /// How long an invocation may take.
    pub timeout: Duration,
}

/// How many lines a message quotes.
const LAST: usize = 20;

/// What came of an invocation.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The function answered.
    Answered(Value),
    /// The function reported an error: its type and message.
    Failed(Value),
    /// The instance died over it.
    Died,
    /// The deadline passed, and the instance was killed.
    TimedOut,
}

impl Outcome {
    /// The answer.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn answer(self) -> Value {
        match self {
            Self::Answered(answer) => answer,
            other => panic!("the function did not answer: {other:?}"),
        }
    }
}

/// A function with its instances, which end with this value.
#[derive(Debug)]
pub struct Function {
    shared: Arc<Shared>,
    slots: Vec<Arc<Slot>>,
    answered: AtomicUsize,
}

/// What the instances of a function share.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    waiting: Mutex<VecDeque<Invocation>>,
    arrived: Notify,
    /// What instances printed, oldest first.
    lines: Mutex<Vec<String>>,
    state: Mutex<State>,
    /// Tells that an instance could not start.
    broke: Notify,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Serving,
    /// An instance could not start.
    Broken(String),
    Stopping,
}

/// One invocation on its way.
#[derive(Debug)]
struct Invocation {
    id: String,
    trace: String,
    event: String,
    reply: oneshot::Sender<Outcome>,
}

/// A place for one instance after another.
#[derive(Debug, Default)]
struct Slot {
    /// What its instance works on.
    current: Mutex<Option<Invocation>>,
    child: Mutex<Option<Child>>,
    /// Whether its instance has asked for work.
    started: Mutex<bool>,
    /// How many instances ended here. Changes while `current` is locked.
    ended: watch::Sender<usize>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Function {
    /// Starts a function's instances; they come up by themselves.
    ///
    /// # Panics
    /// Without a port on loopback.
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

    /// Invokes it and waits for what comes of it.
    ///
    /// # Panics
    /// When it cannot start.
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

    /// Waits until an instance could not start, and says how it ended.
    pub async fn broken(&self) -> String {
        loop {
            let changed = self.shared.broke.notified();
            if let State::Broken(how) = lock(&self.shared.state).clone() {
                return how;
            }
            changed.await;
        }
    }

    /// Kills every instance that works on something, at once, and says how many there were.
    pub fn kill_busy(&self) -> usize {
        let busy = self
            .slots
            .iter()
            .filter(|slot| lock(&slot.current).is_some());
        busy.map(|slot| slot.kill()).count()
    }

    /// How many invocations it answered.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// The last lines its instances printed, for messages.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let lines = lock(&self.shared.lines);
        lines[lines.len().saturating_sub(LAST)..].join("\n")
    }

    /// Every line its instances printed so far.
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

    /// Takes back what an instance did not live to take up.
    fn put_back(&self, invocation: Invocation) {
        lock(&self.waiting).push_front(invocation);
        self.arrived.notify_one();
    }

    /// The next invocation, whenever it comes.
    async fn next(&self) -> Invocation {
        loop {
            // Counted from here on, so that nothing comes between the look and the wait.
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

    /// Keeps an instance in a place until the function ends.
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

    /// An instance, and both its outputs as one.
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

/// What Lambda sets, as its documentation lists it.
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

/// So many random digits of base 16, at most 32.
fn rand_hex(digits: usize) -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    let mut text = format!("{:032x}", u128::from_be_bytes(bytes));
    text.truncate(digits);
    text
}
