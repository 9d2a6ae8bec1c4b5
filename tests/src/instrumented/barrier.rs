//! A barrier at which commits of any process wait for each other.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

/// The polling interval of a waiting commit.
const POLL: Duration = Duration::from_millis(1);
/// The maximum wait, for the case that the other process has died.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Two commits wait here until both have arrived. Then they proceed one after the other, so each
/// was decided before the other was carried out. An open barrier stops no commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barrier(PathBuf);

/// A commit that has arrived at a barrier.
#[derive(Debug)]
pub(super) struct Arrival(PathBuf);

impl Barrier {
    /// Creates a barrier in this folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        Self(folder.to_owned())
    }

    pub fn remove(self) {
        fs::remove_dir_all(self.0).unwrap();
    }

    /// Lets every commit pass, because the other commit will not arrive.
    pub fn open(&self) {
        fs::write(self.opened(), "").unwrap();
    }

    fn opened(&self) -> PathBuf {
        self.0.join("opened")
    }

    /// Waits until the other commit has arrived. The second commit also waits until the first is
    /// done.
    pub(super) async fn arrive(&self) -> Arrival {
        static ARRIVED: AtomicUsize = AtomicUsize::new(0);
        let number = ARRIVED.fetch_add(1, Ordering::SeqCst);
        let own = format!("{:010}-{number:010}.here", process::id());
        let arrival = Arrival(self.0.join(&own));
        fs::write(&arrival.0, "").unwrap();
        let waiting = async {
            while !self.lets_through(&own) {
                tokio::time::sleep(POLL).await;
            }
        };
        let _ = timeout(TIMEOUT, waiting).await;
        arrival
    }

    fn lets_through(&self, own: &str) -> bool {
        if self.opened().exists() {
            return true;
        }
        let mut here: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| !name.starts_with("opened"))
            .collect();
        here.sort();
        // Sorted by name, so that both processes agree on the order.
        match here
            .iter()
            .position(|name| name.trim_end_matches(".done") == own)
        {
            Some(0) => here.len() > 1,
            Some(_) => here.first().is_some_and(|first| first.ends_with(".done")),
            None => true,
        }
    }
}

impl Arrival {
    /// Lets the other commit proceed.
    pub(super) fn leave(self) {
        let mut done = self.0.clone().into_os_string();
        done.push(".done");
        // Renamed, so that it keeps its place in the order.
        fs::rename(&self.0, done).unwrap();
    }
}
