//! Trace context (W3C Trace Context, level 1).

use wm_core::value::Env;

/// The `traceparent` of the answer: the caller's trace or a new one, with a new span.
pub(crate) fn traceparent(received: Option<&str>, env: &Env) -> String {
    let span = hex(&env.bytes("span"), 8);
    let (trace, flags) = received
        .and_then(parse)
        .unwrap_or_else(|| (hex(&env.bytes("trace"), 16), "00".into()));
    format!("00-{trace}-{span}-{flags}")
}

/// Trace id and flags of a well-formed header. Versions above 00 may append fields, which are
/// ignored.
fn parse(header: &str) -> Option<(String, String)> {
    let mut fields = header.split('-');
    let (version, trace, parent, flags) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let hexadecimal = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    let nonzero = |text: &str| text.bytes().any(|digit| digit != b'0');
    let well_formed = hexadecimal(version, 2)
        && version != "ff"
        && (version != "00" || fields.next().is_none())
        && hexadecimal(trace, 32)
        && nonzero(trace)
        && hexadecimal(parent, 16)
        && nonzero(parent)
        && hexadecimal(flags, 2);
    well_formed.then(|| (trace.to_owned(), flags.to_owned()))
}

fn hex(bytes: &[u8], count: usize) -> String {
    bytes
        .iter()
        .take(count)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use wm_core::value::Timestamp;

    use super::*;

    #[test]
    fn traceparent_keeps_the_trace_and_replaces_malformed_ones() {
        let env = Env::new(Timestamp::default(), [1; 32]);
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let kept = traceparent(Some(&format!("00-{trace}-b7ad6b7169203331-01")), &env);
        assert!(
            kept.starts_with(&format!("00-{trace}-")) && kept.ends_with("-01"),
            "{kept}"
        );
        assert!(!kept.contains("b7ad6b7169203331"));
        for malformed in [
            "",
            "00-0-0-0",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        ] {
            let fresh = traceparent(Some(malformed), &env);
            assert!(
                parse(&fresh).is_some() && !fresh.contains(trace),
                "{malformed}: {fresh}"
            );
        }
    }
}
