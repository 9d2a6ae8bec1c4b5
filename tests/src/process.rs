//! The real program, as a process that can be killed.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// The `wm` of this build, built once a test run if need be. It is where cargo puts it: beside the
/// directory of the test programs.
///
/// # Panics
/// Where cargo cannot build it.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = env::current_exe().unwrap();
        let directory = test.ancestors().nth(2).unwrap();
        let profile = match directory.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "wm", "--bin", "wm"])
            .args(["--profile", profile, "--target-dir"])
            .arg(directory.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "`wm` cannot be built");
        directory.join("wm")
    })
}

/// A running node, which ends with this value, and not gently.
#[derive(Debug)]
pub struct Served {
    child: Child,
    /// Where it answers.
    pub url: String,
}

impl Served {
    /// Starts `wm serve` over this directory; it answers once this returns.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(data: &Path) -> Self {
        let mut child = Command::new(program())
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // To its end: a node whose greeting nobody takes does not start.
        let greeting: Vec<String> = lines
            .map_while(Result::ok)
            .take_while(|line| !line.starts_with("Ctrl-C"))
            .collect();
        let greeting = greeting.join(" ");
        let url = greeting
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        let url = url.expect("the node tells where it answers").to_owned();
        Self { child, url }
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// When it ended by itself before.
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
