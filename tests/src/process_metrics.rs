//! Process metrics: disk, memory and processor time of a program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use rustix::process::{Pid, Signal, kill_process};

/// A program that is killed on drop.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Sends SIGTERM, waits and returns the exit code.
    #[must_use]
    pub fn terminate(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        self.0.wait().unwrap().code()
    }

    fn files(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.0.id()))
    }
}

/// Processor time of its threads in nanoseconds: the first number of `schedstat`.
#[must_use]
pub fn processor_time(program: &Running) -> u64 {
    let threads = fs::read_dir(program.files().join("task")).unwrap();
    let time = |thread: fs::DirEntry| -> u64 {
        // A thread may end in between.
        let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        let first = text.split_whitespace().next();
        first.map_or(0, |first| first.parse().unwrap())
    };
    threads.map(|thread| time(thread.unwrap())).sum()
}

/// Its resident memory in bytes.
#[must_use]
pub fn resident(program: &Running) -> u64 {
    let status = fs::read_to_string(program.files().join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kibibytes * 1024
}

/// The size in bytes of a package that contains only this file, under the name that the service
/// expects.
#[must_use]
pub fn zipped(program: &Path, name: &str) -> u64 {
    let package = tempfile::NamedTempFile::new().unwrap();
    let script = "import sys, zipfile\n\
        with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as package:\n\
        \x20   package.write(sys.argv[2], sys.argv[3])\n";
    let status = Command::new("python3")
        .args(["-c", script])
        .args([package.path(), program, Path::new(name)])
        .status();
    assert!(status.unwrap().success(), "the package cannot be made");
    package.path().metadata().unwrap().len()
}

/// Bytes in megabytes (10^6).
#[must_use]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
