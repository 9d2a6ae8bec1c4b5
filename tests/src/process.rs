//! The real programs as processes that can be killed.

use std::{
    env,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, OnceLock},
    thread::{self, JoinHandle},
};

use wm_test_results::PROGRAMS;

/// The stack size of threads in unoptimised binaries. Their futures are several times as large as
/// the deployed ones.
pub const STACK: (&str, &str) = ("RUST_MIN_STACK", "16777216");

/// The path of a workspace binary, such as `wm`, `api`, `handler` or `cosmos`. Without
/// [`PROGRAMS`], the first call builds all of them with the profile of this program, and with the
/// features of the tests, so that no dependency is built twice.
pub fn binary(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let directory = BUILT.get_or_init(|| {
        if let Some(programs) = env::var_os(PROGRAMS) {
            return programs.into();
        }
        let directory = build_directory();
        let profile = match directory.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--workspace", "--bins"])
            .args((profile == "dev").then_some("--tests"))
            .args(["--profile", profile, "--target-dir"])
            .arg(directory.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "the binaries cannot be built");
        directory
    });
    directory.join(name)
}

/// The directory of the binaries. Cargo puts test programs one folder deeper.
fn build_directory() -> PathBuf {
    let program = env::current_exe().unwrap();
    let folder = program.parent().unwrap();
    match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().unwrap().to_owned(),
        _ => folder.to_owned(),
    }
}

/// A running node. It is killed on drop.
#[derive(Debug)]
pub struct Served {
    child: Child,
    pub url: String,
}

impl Served {
    /// Starts `wm serve` on this directory and waits until it answers.
    pub fn start(data: &Path) -> Self {
        let mut child = Command::new(binary("wm"))
            .envs([STACK])
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Reads the whole greeting: a node that cannot write it does not start.
        let greeting: Vec<String> = lines
            .map_while(Result::ok)
            .take_while(|line| !line.starts_with("Ctrl-C"))
            .collect();
        let greeting = greeting.join(" ");
        let url = greeting
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        let url = url.expect("the node prints its URL").to_owned();
        Self { child, url }
    }

    /// Sends SIGKILL.
    pub fn kill(mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "the node ended by itself: {ended:?}");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that ends, with all its children, when this value is dropped or the process that
/// started it ends in any way.
#[derive(Debug)]
pub struct Companion {
    /// A supervising shell. The program is in its process group.
    child: Child,
    /// The shell waits for the end of this pipe.
    lifeline: Option<ChildStdin>,
    output: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// Ends the program when the pipe ends, and the group when the program does. A background process
/// has no standard input of its own, so the pipe uses another descriptor. The shell's own messages
/// only name killed processes, so they are dropped.
const WATCH: &str = r#"
exec 3<&0 2>/dev/null
"$@" </dev/null 3<&- 2>&1 & program=$!
{ cat <&3 >/dev/null; kill -9 $program; } & watcher=$!
wait $program
kill $watcher
wait $watcher
kill -9 0
"#;

impl Companion {
    /// Starts a program and waits for a line that contains `ready`.
    ///
    /// # Errors
    ///
    /// The output, if the program ended before that line.
    pub fn start(command: &Command, ready: &str) -> Result<Self, String> {
        let mut watched = Command::new("sh");
        watched.args(["-c", WATCH, "companion"]);
        watched.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => watched.env(name, value),
                None => watched.env_remove(name),
            };
        }
        watched.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = watched.process_group(0).spawn().unwrap();
        let lifeline = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut output = String::new();
        for line in lines.by_ref().map_while(Result::ok) {
            output.push_str(&line);
            output.push('\n');
            if line.contains(ready) {
                let output = Arc::new(Mutex::new(output));
                let more = Arc::clone(&output);
                let reader = thread::spawn(move || {
                    for line in lines.map_while(Result::ok) {
                        let mut more = more.lock().unwrap();
                        more.push_str(&line);
                        more.push('\n');
                    }
                });
                return Ok(Self {
                    child,
                    lifeline,
                    output,
                    reader: Some(reader),
                });
            }
        }
        drop(lifeline);
        child.wait().unwrap();
        Err(output)
    }

    #[must_use]
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.lifeline = None;
        let _ = self.child.wait();
        // The shell may be the first process of its group to end. The last one closes the output.
        let _ = self.reader.take().map(JoinHandle::join);
    }
}
