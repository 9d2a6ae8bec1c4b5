//! Requests, whichever server received them.

use alloc::{string::String, vec::Vec};

use crate::operation::Parsed;

/// A request, whichever server received it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method as sent.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The query as sent, without `?`; empty for none.
    pub query: String,
    /// The headers, names in lower case, each once: servers hand over what is [`combined`](Self::combined).
    pub headers: Vec<(String, String)>,
    /// The body. Servers hand over at most [`Request::BODY_LIMIT`] and one more byte.
    pub body: Vec<u8>,
}

impl Request {
    /// The largest body: 1 MiB.
    pub const BODY_LIMIT: usize = Parsed::BODY_LIMIT;

    /// The header of this name: all lines of it, since the server combined them.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The same with every header on one line: the values of several of one name, in their order, between
    /// commas (RFC 9110 section 5.3). Some gateways do that and others hand on all lines, so that without it
    /// one and the same request would mean different things.
    #[must_use]
    pub fn combined(self) -> Self {
        let mut headers: Vec<(String, String)> = Vec::with_capacity(self.headers.len());
        for (name, value) in self.headers {
            match headers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => {
                    values.push(',');
                    values.push_str(&value);
                }
                None => headers.push((name, value)),
            }
        }
        Self { headers, ..self }
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;

    use super::*;

    #[test]
    fn lines_of_one_name_are_one_list_in_their_order() {
        let lines = [
            ("if-match", "\"one\""),
            ("accept", "*/*"),
            ("if-match", ""),
            ("x-empty", ""),
            ("if-match", "\"two\", \"three\""),
        ];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let request = Request {
            method: "PUT".into(),
            headers: lines.map(owned).into(),
            ..Request::default()
        }
        .combined();
        let expected = [
            ("if-match", "\"one\",,\"two\", \"three\""),
            ("accept", "*/*"),
            ("x-empty", ""),
        ];
        assert_eq!(request.headers, expected.map(owned));
        assert_eq!(request.header("if-match"), Some(expected[0].1));
        assert_eq!(
            (request.header("x-empty"), request.header("x")),
            (Some(""), None)
        );
        assert_eq!(request.clone().combined().headers, request.headers);
        assert_eq!(request.method, "PUT");
    }
}
