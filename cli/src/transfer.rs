//! Transfers with progress bars that can be resumed.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wm_client::{Client, Phase, Progress, ProgressMeter, Transfer};

use crate::output::plain;

pub(crate) fn transfer(client: &Client) -> Transfer<'_> {
    let transfer = Transfer::new(client).progress(Arc::new(Bars));
    match uploads() {
        Some(directory) => transfer.resume_directory(directory),
        None => transfer,
    }
}

/// The directory of unfinished uploads: `$XDG_CACHE_HOME/wm/uploads`, or the default cache
/// directory.
fn uploads() -> Option<PathBuf> {
    let named = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let caches = named("XDG_CACHE_HOME")
        .or_else(|| named("LOCALAPPDATA"))
        .or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(caches.join("wm").join("uploads"))
}

/// Progress bars on the standard error, if that is a terminal.
#[derive(Debug)]
struct Bars;

struct Bar(ProgressBar);

impl Progress for Bars {
    fn begin(&self, phase: Phase, name: &str, size: u64) -> Box<dyn ProgressMeter> {
        let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr());
        let template = "{prefix} {wide_msg} {bytes:>10}/{total_bytes:<10} [{bar:24}] {binary_bytes_per_sec:>12} {eta:>4}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(format!("{:>11}", verb(phase)));
        bar.set_message(plain(name));
        bar.enable_steady_tick(Duration::from_millis(200));
        Box::new(Bar(bar))
    }
}

fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Reading => "reading",
        Phase::Uploading => "uploading",
        Phase::Downloading => "downloading",
    }
}

impl ProgressMeter for Bar {
    fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    fn finish(&self) {
        self.0.finish_and_clear();
    }
}
