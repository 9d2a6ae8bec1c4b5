//! Logs: one JSON object per line on the standard output. The host takes all lines of the standard
//! error for errors.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

/// Starts logging. `WM_LOG` sets the filter. Default: `info` for this program and `warn` for the
/// SDKs.
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
    // Fails only if logging was started before.
    let _ = registry().with(lines).with(wanted).try_init();
    std::panic::set_hook(Box::new(|panic| {
        // Logs the location without the message, because the message may contain personal data.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic: please report this");
    }));
}
