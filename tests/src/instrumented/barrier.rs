//! A place where commits wait for each other, whichever processes they are in.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

/// How often a commit that waits looks around.
const LOOK: Duration = Duration::from_millis(1);
/// How long it waits at most: whoever was to come has died.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Two commits wait here until both are there; then they go one after the other. Each was decided before the
/// other was carried out. Once opened, the barrier holds nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barrier(PathBuf);

/// A commit's place at a barrier.
#[derive(Debug)]
pub(super) struct Place(PathBuf);

impl Barrier {
    /// A barrier in this folder, which is made.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        Self(folder.to_owned())
    }

    /// Takes it away again.
    ///
    /// # Panics
    /// When it is not there.
    pub fn remove(self) {
        fs::remove_dir_all(self.0).unwrap();
    }

    /// Lets everybody through: the other commit will not come.
    ///
    /// # Panics
    /// When the folder is gone.
    pub fn open(&self) {
        fs::write(self.opened(), "").unwrap();
    }

    fn opened(&self) -> PathBuf {
        self.0.join("opened")
    }

    /// Waits until the other commit is here too and, for whoever came second, until the first is through.
    pub(super) async fn arrive(&self) -> Place {
        static ARRIVED: AtomicUsize = AtomicUsize::new(0);
        let number = ARRIVED.fetch_add(1, Ordering::SeqCst);
        let own = format!("{:010}-{number:010}.here", process::id());
        let turn = Place(self.0.join(&own));
        fs::write(&turn.0, "").unwrap();
        let waiting = async {
            while !self.lets_through(&own) {
                tokio::time::sleep(LOOK).await;
            }
        };
        let _ = timeout(TIMEOUT, waiting).await;
        turn
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
        // By name, so that both agree on who is first.
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

impl Place {
    /// Lets the other one go on.
    pub(super) fn leave(self) {
        let mut done = self.0.clone().into_os_string();
        done.push(".done");
        // Renamed, so that it stays in its place of the order.
        fs::rename(&self.0, done).unwrap();
    }
}
