//! Runs `wm` and its nodes.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use wm_core::{
    operation::TokenUsage,
    value::{Email, ProjectId},
};
use wm_local::{clock, data_directory::Layout, identity::Issuer};
pub(crate) use wm_test_results::Ran;

/// `wm` in this directory, without environment variables that could affect it.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wm"));
    command
        .current_dir(directory)
        .env_remove("WM_TOKEN")
        .env_remove("WM_SERVER")
        .env("XDG_CACHE_HOME", directory.join("cache"))
        .env("NO_COLOR", "1");
    command
}

/// Runs `wm` in this directory and waits for its end.
pub(crate) fn wm(directory: &Path, arguments: &[impl AsRef<OsStr>]) -> Ran {
    Ran::of(&command(directory).args(arguments).output().unwrap())
}

pub(crate) fn directory() -> TempDir {
    TempDir::with_prefix("wm-cli-").unwrap()
}

/// A child process that is killed on drop.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    pub(crate) fn end(mut self) -> Ran {
        let mut output = Output {
            status: self.0.wait().unwrap(),
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        let read = |stream: Option<&mut dyn std::io::Read>, bytes: &mut Vec<u8>| {
            if let Some(stream) = stream {
                stream.read_to_end(bytes).unwrap();
            }
        };
        read(
            self.0.stdout.as_mut().map(|out| out as _),
            &mut output.stdout,
        );
        read(
            self.0.stderr.as_mut().map(|err| err as _),
            &mut output.stderr,
        );
        Ran::of(&output)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A node with its own data directory.
pub(crate) struct Node {
    pub(crate) running: Running,
    pub(crate) url: String,
    pub(crate) data: PathBuf,
    pub(crate) greeting: String,
}

impl Node {
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = command(directory);
        command.args(["serve", "--data", "data"]);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut running = Running::start(command.args(arguments));
        let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        for line in lines.by_ref().map(Result::unwrap) {
            greeting = greeting + &line + "\n";
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        let address = greeting
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        let url = address
            .unwrap_or_else(|| panic!("no address in {greeting}"))
            .to_owned();
        Self {
            running,
            url,
            data: directory.join("data"),
            greeting,
        }
    }

    /// A token for the person with this e-mail address.
    pub(crate) fn token(&self, email: &str) -> String {
        let email: Email = email.parse().unwrap();
        let issuer = Issuer::open(&Layout::new(&self.data).issuer_key()).unwrap();
        issuer
            .mint(TokenUsage::Access, &email, None, clock::now())
            .unwrap()
    }

    pub(crate) fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(self.token("ana@example.com"));
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        let answer = async { request.send().await.unwrap().json().await.unwrap() };
        tokio::runtime::Runtime::new().unwrap().block_on(answer)
    }

    pub(crate) fn project(&self) -> ProjectId {
        let account = json!({ "name": "Harbour", "kind": "organisation" });
        let account = self.call(Method::POST, "/v1/accounts", &account);
        let path = format!("/v1/accounts/{}/projects", account["id"].as_str().unwrap());
        let project = json!({ "name": "Quay", "visibility": "private" });
        let project = self.call(Method::POST, &path, &project);
        project["id"].as_str().unwrap().parse().unwrap()
    }

    /// A command of `wm` that calls this node as Ana.
    pub(crate) fn wm(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut command = command(directory);
        command
            .args(arguments)
            .args(["--server", &self.url, "--data"]);
        command.arg(&self.data).args(["--email", "ana@example.com"]);
        command
    }

    /// Runs `wm` as Ana and waits for its end.
    pub(crate) fn run(&self, directory: &Path, arguments: &[&str]) -> Ran {
        Ran::of(&self.wm(directory, arguments).output().unwrap())
    }
}

/// Polls until the condition holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
