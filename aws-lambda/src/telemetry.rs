//! Logs: one JSON object per line on the standard output, from which Lambda collects them.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

/// Starts logging. `WM_LOG` sets the filter. Default: `info`.
pub(crate) fn start() {
    let said = std::env::var("WM_LOG").ok();
    let said: Option<Targets> = said.and_then(|text| text.parse().ok());
    let wanted = said.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    // Fails only if logging was started before.
    let _ = registry().with(lines).with(wanted).try_init();
}

/// Converts a trace header of Lambda to the form of W3C Trace Context. Both have 32 digits for the
/// trace and 16 for the span. <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html>
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
    fn lambda_trace_becomes_a_traceparent() {
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
