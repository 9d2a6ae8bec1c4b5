//! Requests, independent of the HTTP server.

use alloc::{string::String, vec::Vec};

use crate::operation::Parsed;

/// A request, independent of the HTTP server.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method as sent.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The query as sent, without `?`. Empty if the request has none.
    pub query: String,
    /// The headers by lower-case name. Each name occurs once, because servers pass
    /// [`combined`](Self::combined) requests.
    pub headers: Vec<(String, String)>,
    /// The body. Servers read at most [`Request::BODY_LIMIT`] bytes and one more, so that a larger
    /// body is recognised.
    pub body: Vec<u8>,
}

impl Request {
    /// The maximum size of a body in bytes: 1 MiB.
    pub const BODY_LIMIT: usize = Parsed::BODY_LIMIT;

    /// The value of the header with this name. Repeated headers were combined by the server.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Combines headers of the same name into one line, separated by commas and in their order (RFC
    /// 9110 section 5.3). Some gateways combine them and others do not. Without this step, the same
    /// request could have two meanings.
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
    fn headers_of_one_name_are_combined_in_order() {
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
