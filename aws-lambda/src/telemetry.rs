//! Logs: one JSON object a line, to the standard output, where Lambda picks them up.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

/// Begins to log: what `WM_LOG` says, else `info`.
pub(crate) fn start() {
    let said = std::env::var("WM_LOG").ok();
    let said: Option<Targets> = said.and_then(|text| text.parse().ok());
    let wanted = said.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    // Only fails when something logs already, and then there are logs.
    let _ = registry().with(lines).with(wanted).try_init();
}

/// The trace Lambda hands over, as W3C Trace Context writes it: both have 32 digits for the trace and
/// 16 for the span. <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html>
pub(crate) fn traceparent(xray: &str) -> Option<String> {
    let field = |name: &str| {
        let mut fields = xray.split(';').filter_map(|field| field.split_once('='));
        fields.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (version, rest) = field("Root")?.split_once('-')?;
    let (time, random) = rest.split_once('-')?;
    let parent = field("Parent")?;
    let flags = if field("Sampled") == Some("1") {
        "01"
    } else {
        "00"
    };
    let digits = |text: &str, count| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let well_formed = version == "1" && digits(time, 8) && digits(random, 24) && digits(parent, 16);
    well_formed.then(|| format!("00-{time}{random}-{parent}-{flags}").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambdas_trace_becomes_a_traceparent() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        assert_eq!(
            traceparent(header).unwrap(),
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
        );
        for malformed in ["", "Root=1-2-3;Parent=4", "Root=é-é-é;Parent=é"] {
            assert_eq!(traceparent(malformed), None, "{malformed}");
        }
    }
}
