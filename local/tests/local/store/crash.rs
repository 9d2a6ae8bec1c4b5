//! Processes that are killed.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tokio::runtime::Runtime;
use wm_core::storage::Condition;
use wm_local::data_directory::{DataDirectory, OpenError};
use wm_service::ports::Records;

use super::{
    stored,
    support::{creating_under, etag, item, scope},
};

/// The variable with the data directory of the child process.
const DIRECTORY: &str = "WM_TEST_DATA_DIRECTORY";

/// Commits in a loop and prints every acknowledged number. Runs in its own process.
#[test]
fn child() {
    let Some(directory) = env::var_os(DIRECTORY) else {
        return;
    };
    let data = DataDirectory::open(PathBuf::from(directory)).unwrap();
    let runtime = Runtime::new().unwrap();
    let first = runtime.block_on(acknowledged(&data)) + 1;
    for number in first.. {
        let body = "x".repeat(number as usize * 37 % 3_000);
        let entry = item(scope(1), &format!("JOURNAL#{number:020}"), number, body);
        let head = item(scope(1), "#0HEAD", number, "");
        let condition = match number {
            1 => Condition::Absent,
            _ => Condition::Matches(etag(number - 1)),
        };
        let batch = creating_under(scope(1), [entry], head, condition);
        runtime.block_on(data.records.commit(&batch)).unwrap();
        // Bypasses the test harness, which would capture the line.
        writeln!(std::io::stdout().lock(), "acknowledged {number}").unwrap();
    }
}

/// The last committed number. All numbers before it and the head are checked too.
async fn acknowledged(data: &DataDirectory) -> u64 {
    let entries = stored(&data.records, 1, "JOURNAL#").await;
    for (at, entry) in (1..).zip(&entries) {
        assert_eq!(entry.key.sort.as_str(), format!("JOURNAL#{at:020}"));
        assert_eq!(entry.body.len() as u64, at * 37 % 3_000);
    }
    let last = entries.len() as u64;
    let head = item(scope(1), "#0HEAD", last, "");
    let stored = data.records.get(&head.key).await.unwrap();
    assert_eq!(stored, (last > 0).then_some(head));
    last
}

fn start(directory: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "store::crash::child", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The numbers that a child printed before it ended.
fn numbers(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .filter_map(|line| line.ok()?.rsplit_once("acknowledged ")?.1.parse().ok())
}

#[test]
fn case_63_every_acknowledged_commit_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let mut random = 17_u64;
    let mut total = 0;
    for _ in 0..20 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let mut child = start(directory.path());
        let mut lines = numbers(&mut child);
        // Some children are killed before their first commit.
        let mut last = if random >> 63 == 0 {
            lines.next()
        } else {
            None
        };
        thread::sleep(Duration::from_micros((random >> 33) % 60_000));
        child.kill().unwrap();
        last = lines.last().or(last);
        child.wait().unwrap();
        let data = DataDirectory::open(directory.path()).unwrap();
        let stored = runtime.block_on(acknowledged(&data));
        assert!(stored >= last.unwrap_or(total), "{stored} of {last:?}");
        total = stored;
    }
    assert!(total > 20, "the children did commit: {total}");
}

#[test]
fn case_67_second_process_learns_that_the_directory_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = start(directory.path());
    let first = numbers(&mut child).next();
    let refused = DataDirectory::open(directory.path()).err();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(first, Some(1));
    let Some(refused @ OpenError::InUse(_)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        refused.to_string(),
        format!(
            "the data directory `{}` is in use by another process: stop that one, or choose another directory with `--data`",
            directory.path().display()
        )
    );
    DataDirectory::open(directory.path()).unwrap();
}
