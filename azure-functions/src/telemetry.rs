//! Logs: one JSON object a line, to the standard output. The host takes lines of the standard error for
//! errors, whatever they say.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

/// Begins to log: what `WM_LOG` says, else `info` for what is ours and `warn` for the kits.
pub(crate) fn start() {
    let said = std::env::var("WM_LOG").ok();
    let said: Option<Targets> = said.and_then(|text| text.parse().ok());
    let wanted = said.unwrap_or_else(|| {
        Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("wm_azure", LevelFilter::INFO)
            .with_target("wm_service", LevelFilter::INFO)
    });
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    // Only fails when something logs already, and then there are logs.
    let _ = registry().with(lines).with(wanted).try_init();
    std::panic::set_hook(Box::new(|panic| {
        // Where, and not what: whatever was at hand may be in the message.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a panic, which is a fault of this program");
    }));
}
