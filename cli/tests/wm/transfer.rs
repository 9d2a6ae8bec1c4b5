//! Tests of `wm upload` and `wm download`.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    proxy::{Proxy, Wire},
    support::{Node, Running, directory, eventually},
};

const MIB: u64 = 1024 * 1024;

/// A project on a node whose storage is reached through a proxy.
struct Site {
    home: TempDir,
    node: Node,
    wire: Arc<Wire>,
    project: String,
}

impl Site {
    fn new(arguments: &[&str]) -> Self {
        let home = directory();
        let proxy = Proxy::new();
        let url = proxy.url.clone();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap().to_string();
        drop(port);
        let direct = ["--listen", &address, "--public-url", &url];
        let mut node = Node::start(home.path(), &[&direct, arguments].concat());
        let wire = proxy.lead_to(address.clone());
        // Requests of the API go to the node directly. Only signed URLs lead through the proxy.
        node.url = format!("http://{address}");
        let project = node.project().to_string();
        Self {
            home,
            node,
            wire,
            project,
        }
    }

    fn in_small_parts() -> Self {
        Self::new(&[
            "--upload-single-limit",
            "1048576",
            "--upload-part-size",
            "1048576",
        ])
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    fn artifact(&self, line: &str) -> String {
        let artifact = line.split_whitespace().next().unwrap();
        assert!(artifact.starts_with("art_"), "{line}");
        artifact.to_owned()
    }

    fn upload(&self, file: &str) -> String {
        let arguments = ["upload", file, "--project", &self.project];
        let ran = self.node.run(self.home.path(), &arguments).expect(0);
        self.artifact(&ran.stdout)
    }

    fn download(&self, artifact: &str, out: &str) -> crate::support::Ran {
        let arguments = [
            "download",
            "--project",
            &self.project,
            "--artifact",
            artifact,
            "--out",
            out,
        ];
        self.node.run(self.home.path(), &arguments)
    }

    /// The number of parts that the state file of the running upload lists as sent.
    fn parts_remembered(&self) -> usize {
        let journals = fs::read_dir(self.path("cache/wm/uploads"))
            .into_iter()
            .flatten();
        let texts = journals.filter_map(|entry| fs::read(entry.unwrap().path()).ok());
        let journals = texts.filter_map(|text| serde_json::from_slice::<Value>(&text).ok());
        journals
            .map(|journal| journal["parts"].as_object().unwrap().len())
            .sum()
    }

    fn artifacts(&self) -> usize {
        let path = format!("/v1/projects/{}/artifacts", self.project);
        let list: Value = self.node.call(Method::GET, &path, &Value::Null);
        list["items"].as_array().unwrap().len()
    }
}

/// Writes bytes that differ in every part.
fn write_file(path: &Path, size: u64) {
    let mut file = std::io::BufWriter::new(fs::File::create(path).unwrap());
    let mut state = 1_u64;
    for _ in 0..size / 8 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        file.write_all(&state.to_le_bytes()).unwrap();
    }
    file.write_all(&[7; 8][..usize::try_from(size % 8).unwrap()])
        .unwrap();
    file.flush().unwrap();
}

fn assert_same(left: &Path, right: &Path) {
    assert!(
        fs::read(left).unwrap() == fs::read(right).unwrap(),
        "the bytes differ"
    );
}

#[test]
fn files_of_every_size_survive_upload_and_download() {
    let site = Site::in_small_parts();
    for (name, size) in [
        ("empty.txt", 0),
        ("small.txt", 5),
        ("limit.bin", MIB),
        ("parts.bin", 3 * MIB + 1),
    ] {
        write_file(&site.path(name), size);
        let artifact = site.upload(name);
        let out = format!("copy-{name}");
        site.download(&artifact, &out).expect(0);
        assert_same(&site.path(name), &site.path(&out));
    }
    assert_eq!(site.artifacts(), 4);
}

#[test]
fn repeated_upload_creates_a_version_and_keeps_old_ones() {
    let site = Site::new(&[]);
    fs::write(site.path("a.txt"), "one").unwrap();
    let artifact = site.upload("a.txt");
    fs::write(site.path("a.txt"), "two").unwrap();
    let arguments = [
        "upload",
        "a.txt",
        "--project",
        &site.project,
        "--artifact",
        &artifact,
    ];
    let ran = site.node.run(site.home.path(), &arguments).expect(0);
    assert!(ran.stdout.contains("  2  a.txt"), "{}", ran.stdout);
    let arguments = [
        "download",
        "--project",
        &site.project,
        "--artifact",
        &artifact,
    ];
    let first = [&arguments[..], &["--version", "1", "--out", "b.txt"]].concat();
    site.node.run(site.home.path(), &first).expect(0);
    assert_eq!(fs::read_to_string(site.path("b.txt")).unwrap(), "one");
    // The default file name exists already.
    site.node
        .run(site.home.path(), &arguments)
        .expect_error(1, &["`a.txt`", "--force"]);
    let forced = [&arguments[..], &["--force"]].concat();
    site.node.run(site.home.path(), &forced).expect(0);
    let two = [
        "upload",
        "a.txt",
        "b.txt",
        "--project",
        &site.project,
        "--artifact",
        &artifact,
    ];
    site.node
        .run(site.home.path(), &two)
        .expect_error(2, &["--artifact"]);
}

#[test]
fn interrupted_upload_resumes_with_the_missing_parts() {
    let site = Site::in_small_parts();
    let size = 32 * MIB;
    write_file(&site.path("large.bin"), size);
    site.wire.may_send.store(12 * MIB, Ordering::SeqCst);
    let arguments = ["upload", "large.bin", "--project", &site.project];
    let upload = Running::start(&mut site.node.wm(site.home.path(), &arguments));
    eventually("7 parts arrived and are written down", || {
        site.parts_remembered() >= 7
    });
    upload.signal(Signal::INT);
    upload.end().expect_error(1, &["interrupted", "again"]);
    site.wire.may_send.store(u64::MAX, Ordering::SeqCst);
    let before = site.wire.sent.load(Ordering::SeqCst);
    let artifact = site.upload("large.bin");
    let sent = site.wire.sent.load(Ordering::SeqCst) - before;
    assert!(
        sent < size - 6 * MIB,
        "{sent} of {size} bytes were sent again"
    );
    assert_eq!(site.artifacts(), 1, "the same upload continued");
    site.download(&artifact, "copy.bin").expect(0);
    assert_same(&site.path("large.bin"), &site.path("copy.bin"));
    let left = fs::read_dir(site.path("cache/wm/uploads")).unwrap().count();
    assert_eq!(left, 0, "the state of a finished upload is removed");
}

#[test]
fn case_52_lost_storage_answer_is_no_failure() {
    for refuses in [false, true] {
        let site = Site::new(&[]);
        write_file(&site.path("a.bin"), MIB);
        site.wire.refuses.store(refuses, Ordering::SeqCst);
        site.wire.breaks_after.store(0, Ordering::SeqCst);
        site.wire.received.store(1, Ordering::SeqCst);
        let artifact = site.upload("a.bin");
        let broke = site.wire.breaks_after.load(Ordering::SeqCst) == u64::MAX;
        assert!(broke, "the bytes were stored without an answer");
        site.download(&artifact, "b.bin").expect(0);
        assert_same(&site.path("a.bin"), &site.path("b.bin"));
        assert_eq!(site.artifacts(), 1);
    }
}

#[test]
fn interrupted_download_resumes() {
    let site = Site::new(&[]);
    let size = 16 * MIB;
    write_file(&site.path("large.bin"), size);
    let artifact = site.upload("large.bin");
    let before = site.wire.received.load(Ordering::SeqCst);
    site.wire
        .breaks_after
        .store(before + 6 * MIB, Ordering::SeqCst);
    site.download(&artifact, "copy.bin").expect(0);
    assert_eq!(
        site.wire.breaks_after.load(Ordering::SeqCst),
        u64::MAX,
        "it broke"
    );
    let received = site.wire.received.load(Ordering::SeqCst) - before;
    assert!(received < size + 4 * MIB, "{received} of {size} bytes came");
    assert_same(&site.path("large.bin"), &site.path("copy.bin"));
}

#[test]
fn partial_download_is_used_only_if_it_matches() {
    let site = Site::new(&[]);
    write_file(&site.path("a.bin"), MIB);
    let artifact = site.upload("a.bin");
    let digest = wm_core::value::Sha256::of(&fs::read(site.path("a.bin")).unwrap()).to_string();
    let part = site.path(&format!(".b.bin.{}.part", &digest[..16]));
    fs::write(&part, [0; 1000]).unwrap();
    site.download(&artifact, "b.bin")
        .expect_error(1, &["were deleted"]);
    assert!(!site.path("b.bin").exists() && !part.exists());
    site.download(&artifact, "b.bin").expect(0);
    assert_same(&site.path("a.bin"), &site.path("b.bin"));
}

#[test]
fn refusals_are_printed_in_one_line() {
    let site = Site::new(&[]);
    fs::write(site.path("a.txt"), "one").unwrap();
    let artifact = site.upload("a.txt");
    let mut stranger = crate::support::command(site.home.path());
    stranger.args([
        "download",
        "--project",
        &site.project,
        "--artifact",
        &artifact,
    ]);
    stranger.args(["--out", "b.txt", "--server", &site.node.url, "--token"]);
    let ran = stranger
        .arg(site.node.token("eve@example.com"))
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let printed = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(printed.contains("cannot see it"), "{printed}");
    site.node
        .run(
            site.home.path(),
            &["upload", "none.txt", "--project", &site.project],
        )
        .expect_error(1, &["`none.txt`"]);
}

/// Uploads 256 MiB in parts. Memory use must not depend on the size of the file.
#[test]
#[cfg(target_os = "linux")]
fn memory_use_does_not_depend_on_file_size() {
    let site = Site::new(&[
        "--upload-single-limit",
        "8388608",
        "--upload-part-size",
        "4194304",
    ]);
    let file = fs::File::create(site.path("huge.bin")).unwrap();
    file.set_len(256 * MIB).unwrap();
    let arguments = ["upload", "huge.bin", "--project", &site.project];
    let mut upload = Running::start(&mut site.node.wm(site.home.path(), &arguments));
    let mut peak = 0;
    let pid = upload.0.id();
    while upload.0.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(kibibytes.unwrap_or(0_u64));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    upload.end().expect(0);
    assert!(peak > 0 && peak < 64 * 1024, "{peak} KiB");
}
