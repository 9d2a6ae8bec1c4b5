//! Progress bars, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on the standard error that counts bytes; nothing at all where that is no terminal.
pub(super) fn bar(size: u64, name: &str, doing: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr());
    let template = "{prefix} {wide_msg} {bytes:>10}/{total_bytes:<10} [{bar:24}] {binary_bytes_per_sec:>12} {eta:>4}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(format!("{doing:>11}"));
    bar.set_message(crate::output::plain(name));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
