//! The lifecycle of the executable: start, probe, restart and stop.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use super::{Settings, app::App, guid};
use crate::process::STACK;

/// The interval of the host's probe.
const PROBE: Duration = Duration::from_millis(25);
/// Errors older than this are forgotten, unless a newer error exists.
const REMEMBERED: Duration = Duration::from_secs(30 * 60);
/// The number of errors that stops the host.
const LAST_STRIKE: usize = 3;
/// The exit code that requests a restart and is not an error.
const RESTART: i32 = 200;

/// The state of the executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It started and does not listen yet.
    Starting,
    Ready,
    /// It ended with 0 and is not started again.
    Ended,
    /// It failed too often and the host stopped. The text describes its last end.
    Stopped(String),
}

/// The current executable of an application.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) port: u16,
    pub(super) starts: AtomicUsize,
    pub(super) answered: AtomicUsize,
    settings: Settings,
    child: Mutex<Option<Child>>,
    state: watch::Sender<State>,
    /// The printed lines. `true` marks the standard error.
    lines: Mutex<Vec<(bool, String)>>,
    strikes: Mutex<Vec<Instant>>,
    /// Whether the platform causes the next end, so that it is not an error.
    pardoned: AtomicBool,
    stopping: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A port below the range that the system assigns, so that no other process takes it.
fn port() -> u16 {
    loop {
        let mut bytes = [0; 2];
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        let port = 12_000 + u16::from_be_bytes(bytes) % 18_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Worker {
    pub(super) fn start(app: &Arc<App>, settings: Settings) -> Arc<Self> {
        let worker = Arc::new(Self {
            port: port(),
            starts: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            settings,
            child: Mutex::default(),
            state: watch::Sender::new(State::Starting),
            lines: Mutex::default(),
            strikes: Mutex::default(),
            pardoned: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        });
        let (supervisor, app) = (Arc::clone(&worker), Arc::clone(app));
        thread::spawn(move || supervisor.supervise(&app));
        worker
    }

    /// Starts the executable repeatedly until an end forbids it.
    fn supervise(self: &Arc<Self>, app: &App) {
        loop {
            self.state.send_replace(State::Starting);
            let readers = {
                let mut child = lock(&self.child);
                if self.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let mut started = self.spawn(app);
                self.starts.fetch_add(1, Ordering::SeqCst);
                let output: Box<dyn Read + Send> = Box::new(started.stdout.take().unwrap());
                let errors: Box<dyn Read + Send> = Box::new(started.stderr.take().unwrap());
                *child = Some(started);
                [(output, false), (errors, true)].map(|(pipe, is_error)| {
                    let worker = Arc::clone(self);
                    thread::spawn(move || worker.read(pipe, is_error))
                })
            };
            if self.probe() {
                self.state.send_replace(State::Ready);
            } else {
                // It ended or exceeded its startup timeout, which counts as an error.
                self.end_child();
            }
            for reader in readers {
                reader.join().unwrap();
            }
            let ended = lock(&self.child).take().unwrap().wait().unwrap();
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            if let Some(last) = self.consequence(ended) {
                self.state.send_replace(last);
                return;
            }
        }
    }

    fn spawn(&self, app: &App) -> Child {
        let executable = fs::canonicalize(&app.executable).unwrap();
        Command::new(executable)
            .env_clear()
            .envs([STACK])
            .envs(self.settings.environment.iter().cloned())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", self.port.to_string())
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", guid())
            .env("FUNCTIONS_HTTPWORKER_PORT", self.port.to_string())
            .env("FUNCTIONS_APP_ROOT_PATH", &self.settings.app)
            .current_dir(&self.settings.app)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn read(&self, pipe: Box<dyn Read + Send>, is_error: bool) {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            lock(&self.lines).push((is_error, line));
        }
    }

    /// Probes until an answer arrives, the executable ends, or the timeout passes.
    fn probe(&self) -> bool {
        let deadline = Instant::now() + self.settings.timeout;
        while Instant::now() < deadline && self.runs() {
            if self.answers() {
                return true;
            }
            thread::sleep(PROBE);
        }
        false
    }

    fn answers(&self) -> bool {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else {
            return false;
        };
        stream
            .set_read_timeout(Some(self.settings.timeout))
            .unwrap();
        let asked = format!("GET / HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\r\n", self.port);
        let mut answer = [0; 5];
        let _ = stream.write_all(asked.as_bytes());
        stream.read_exact(&mut answer).is_ok() && answer == *b"HTTP/"
    }

    fn runs(&self) -> bool {
        let mut child = lock(&self.child);
        let child = child.as_mut();
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// The state that follows from the end of the executable, or none if it is started again.
    fn consequence(&self, ended: ExitStatus) -> Option<State> {
        if self.pardoned.swap(false, Ordering::SeqCst) {
            lock(&self.strikes).clear();
            return None;
        }
        match ended.code() {
            Some(0) => return Some(State::Ended),
            Some(RESTART) => return None,
            _ => {}
        }
        let mut strikes = lock(&self.strikes);
        let now = Instant::now();
        if strikes.last().is_some_and(|last| now - *last > REMEMBERED) {
            strikes.clear();
        }
        strikes.push(now);
        (strikes.len() >= LAST_STRIKE).then(|| State::Stopped(ended.to_string()))
    }

    pub(super) async fn ready(&self) -> State {
        self.wait(|state| *state != State::Starting).await
    }

    pub(super) async fn over(&self) -> State {
        self.wait(|state| matches!(state, State::Ended | State::Stopped(_)))
            .await
    }

    async fn wait(&self, until: impl FnMut(&State) -> bool) -> State {
        let mut state = self.state.subscribe();
        state.wait_for(until).await.unwrap().clone()
    }

    pub(super) fn kill(&self) {
        // The next request finds no executable and waits for another one.
        self.state.send_if_modified(|state| {
            let listens = *state == State::Ready;
            if listens {
                *state = State::Starting;
            }
            listens
        });
        self.end_child();
    }

    fn end_child(&self) {
        if let Some(child) = lock(&self.child).as_mut() {
            let _ = child.kill();
        }
    }

    pub(super) fn replace(&self) {
        self.pardoned.store(true, Ordering::SeqCst);
        self.kill();
    }

    pub(super) fn terminate(&self) {
        let child = lock(&self.child);
        let process = Pid::from_child(child.as_ref().expect("it runs"));
        kill_process(process, Signal::TERM).unwrap();
    }

    pub(super) fn process(&self) -> Option<u32> {
        lock(&self.child).as_ref().map(Child::id)
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.end_child();
    }

    pub(super) fn output(&self, of_errors: bool) -> Vec<String> {
        let lines = lock(&self.lines);
        let wanted = lines.iter().filter(|(is_error, _)| *is_error == of_errors);
        wanted.map(|(_, line)| line.clone()).collect()
    }
}
