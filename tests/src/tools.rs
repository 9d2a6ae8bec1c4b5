//! Programs the tests run against: pinned, and installed by the tests themselves into `.tools`.
//!
//! Whoever needs a tool first installs it, once per checkout; other test programs wait for it. A
//! tool that cannot be installed fails the test that needs it.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use wm_core::value::Sha256;

use crate::repository;

/// The emulator of AWS: the Python whose module `ministack` it is.
///
/// # Panics
/// When it cannot be installed.
pub fn ministack() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED
        .get_or_init(|| python_environment("ministack", "tests/tools/ministack/requirements.txt"))
}

/// The strict DynamoDB: a script for Node.
///
/// # Panics
/// When it cannot be installed.
pub fn dynalite() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let directory = node_packages("dynalite", &[]);
        directory.join("node_modules/dynalite/cli.js")
    })
}

/// The emulator of Blob Storage: a script for Node.
///
/// # Panics
/// When it cannot be installed.
pub fn azurite() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| node_packages("azurite", &["serve.js"]).join("serve.js"))
}

/// The official clients of Azure for Node: a script that prints what they send.
///
/// # Panics
/// When it cannot be installed.
pub fn azure_oracle() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| node_packages("azure-oracle", &["oracle.mjs"]).join("oracle.mjs"))
}

/// A directory with exactly the packages that the lock file of this tool lists, and with these scripts of
/// ours beside them.
///
/// # Panics
/// When they cannot be installed.
fn node_packages(name: &str, scripts: &[&str]) -> PathBuf {
    let of_tool = repository::root().join("tests/tools").join(name);
    let files = ["package.json", "package-lock.json"].iter().chain(scripts);
    let pins: Vec<PathBuf> = files.map(|file| of_tool.join(file)).collect();
    let major = "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)";
    require("Node 20", Command::new("node").args(["-e", major]));
    Tool::new(name, &pins).install(|directory| {
        for pin in &pins {
            fs::copy(pin, directory.join(pin.file_name().unwrap())).unwrap();
        }
        let mut command = Command::new("npm");
        command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        vec![command]
    })
}

/// The Python of an environment that holds exactly these requirements.
///
/// # Panics
/// When it cannot be installed.
pub fn python_environment(name: &str, requirements: &str) -> PathBuf {
    let requirements = repository::root().join(requirements);
    let recent = "import sys, venv; sys.exit(sys.version_info < (3, 11))";
    require(
        "Python 3.11 with venv",
        Command::new("python3").args(["-c", recent]),
    );
    let directory = Tool::new(name, std::slice::from_ref(&requirements)).install(|directory| {
        let mut environment = Command::new("python3");
        environment.args(["-m", "venv", "."]);
        let mut packages = Command::new(directory.join("bin/python"));
        packages
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-compile",
                "--disable-pip-version-check",
            ])
            .args([
                "--require-hashes",
                "--only-binary",
                ":all:",
                "--requirement",
            ])
            .arg(&requirements);
        vec![environment, packages]
    });
    directory.join("bin/python")
}

/// Fails clearly where the machine lacks what a tool runs on.
fn require(what: &str, command: &mut Command) {
    let there = command.output().is_ok_and(|output| output.status.success());
    assert!(
        there,
        "the tests of the clouds need {what}: install it and run them again"
    );
}

/// A tool in a directory of its own below `.tools`.
struct Tool {
    name: String,
    /// What is installed: it changes with every pin.
    pin: String,
}

impl Tool {
    /// The tool of this name, pinned by these files.
    fn new(name: &str, pins: &[PathBuf]) -> Self {
        let mut pinned = name.as_bytes().to_vec();
        for pin in pins {
            pinned.extend(fs::read(pin).unwrap());
        }
        Self {
            name: name.to_owned(),
            pin: Sha256::of(&pinned).to_string(),
        }
    }

    /// Its directory, where these commands install it unless it is there. The mark is written last, so
    /// that an installation that was interrupted begins again.
    fn install(&self, commands: impl FnOnce(&Path) -> Vec<Command>) -> PathBuf {
        let tools = repository::root().join(".tools");
        fs::create_dir_all(&tools).unwrap();
        let _alone = alone(&tools.join(format!("{}.lock", self.name)));
        let directory = tools.join(&self.name);
        let mark = directory.join(".installed");
        if fs::read_to_string(&mark).is_ok_and(|installed| installed == self.pin) {
            return directory;
        }
        say(&format!("installing {} into .tools, once", self.name));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        for mut command in commands(&directory) {
            self.run(command.current_dir(&directory));
        }
        fs::write(mark, &self.pin).unwrap();
        directory
    }

    fn run(&self, command: &mut Command) {
        let output = command.output();
        let output = output.unwrap_or_else(|error| panic!("{}: {command:?}: {error}", self.name));
        assert!(
            output.status.success(),
            "{} cannot be installed: {command:?}: {}{}",
            self.name,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
}

/// Holds a lock among all processes of this checkout while the value lives.
///
/// # Panics
/// When the file cannot be locked.
pub fn alone(path: &Path) -> File {
    let file = File::create(path).unwrap();
    file.lock().unwrap();
    file
}

/// Prints a line, also from a test that passes.
pub fn say(line: &str) {
    // Not `println!`: the test harness keeps what a passing test prints to itself.
    let line = format!("{line}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
