//! Pinned external programs, which the tests install into `.tools`.
//!
//! The first test that needs a tool installs it, once per checkout, and other test programs wait
//! for it. If the installation fails, the test fails.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use wm_core::value::Sha256;

use crate::repository;

/// The AWS emulator: the Python interpreter with the module `ministack`.
pub fn ministack() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED
        .get_or_init(|| python_environment("ministack", "tests/tools/ministack/requirements.txt"))
}

/// The strict DynamoDB emulator: a script for Node.
pub fn dynalite() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let directory = node_packages("dynalite", &[]);
        directory.join("node_modules/dynalite/cli.js")
    })
}

/// The Blob Storage emulator: a script for Node.
pub fn azurite() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| node_packages("azurite", &["serve.js"]).join("serve.js"))
}

/// The official Azure clients for Node: a script that prints their requests.
pub fn azure_oracle() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| node_packages("azure-oracle", &["oracle.mjs"]).join("oracle.mjs"))
}

/// A directory with exactly the packages of this tool's lock file, and these scripts of the
/// repository.
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

/// The Python interpreter of an environment with exactly these requirements.
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

/// Fails with a clear message if the machine lacks a prerequisite of a tool.
fn require(what: &str, command: &mut Command) {
    let there = command.output().is_ok_and(|output| output.status.success());
    assert!(
        there,
        "the tests of the clouds need {what}: install it and run them again"
    );
}

/// A tool in its own directory below `.tools`.
struct Tool {
    name: String,
    /// Identifies the installed content. It changes with every pin.
    pin: String,
}

impl Tool {
    /// The tool with this name, pinned by these files.
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

    /// Returns its directory. If it is missing, these commands install it. The marker file is
    /// written last, so that an interrupted installation starts again.
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

/// Holds a lock among all processes of this checkout until the value is dropped.
pub fn alone(path: &Path) -> File {
    let file = File::create(path).unwrap();
    file.lock().unwrap();
    file
}

/// Prints a line, also from a passing test.
pub fn say(line: &str) {
    // Bypasses `println!`, because the test harness captures the output of passing tests.
    let line = format!("{line}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
