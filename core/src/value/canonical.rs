//! Canonical JSON (RFC 8785). Checksums and journal hashes are computed over these bytes.

use alloc::{string::String, vec::Vec};

use serde::Serialize;
use serde_json::{Number, Value};

use crate::value::Sha256;

/// The canonical text of a value: no white space, members sorted by the UTF-16 code units of their
/// names, numbers as in ECMAScript (RFC 8785 section 3.2).
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// The SHA-256 digest of the canonical text.
#[must_use]
pub fn checksum(value: &Value) -> Sha256 {
    Sha256::of(canonical(value).as_bytes())
}

/// The JSON value of a type of this crate.
///
/// These types have string keys and finite numbers, so serialisation cannot fail. If it did, the
/// result would be `null`, which no decoder accepts.
#[must_use]
pub fn to_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => write_number(number, text),
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            text.push('{');
            for (position, (name, member)) in sorted.into_iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write_literal(name, text);
                text.push(':');
                write(member, text);
            }
            text.push('}');
        }
        literal => write_literal(literal, text),
    }
}

/// Writes strings, booleans and null. `serde_json` already writes their canonical form.
fn write_literal<T: Serialize + ?Sized>(value: &T, text: &mut String) {
    text.push_str(&serde_json::to_string(value).unwrap_or_default());
}

/// RFC 8785 rounds integers beyond 2^53. This function keeps all digits: two different stored
/// values must not have the same checksum.
fn write_number(number: &Number, text: &mut String) {
    if let Some(whole) = number.as_i64() {
        write_literal(&whole, text);
    } else if let Some(whole) = number.as_u64() {
        write_literal(&whole, text);
    } else {
        let mut buffer = ryu_js::Buffer::new();
        text.push_str(buffer.format(number.as_f64().unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_equals_the_examples_of_rfc_8785() {
        let value: Value = serde_json::from_str(
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
                "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
        )
        .unwrap();
        assert_eq!(
            canonical(&value),
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
    }

    #[test]
    fn canonical_members_are_sorted_by_utf_16_code_units() {
        let value: Value =
            serde_json::from_str(r#"{"\ud83d\ude00":1,"\ufb33":2,"\u20ac":3,"1":4}"#).unwrap();
        assert_eq!(
            canonical(&value),
            "{\"1\":4,\"\u{20ac}\":3,\"\u{1f600}\":1,\"\u{fb33}\":2}"
        );
    }
}
