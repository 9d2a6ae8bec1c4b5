//! Signature Version 4, reduced to what these tests need.

use std::{collections::BTreeMap, fmt::Write};

use aws_lc_rs::hmac;
use wm_core::value::{Sha256, Timestamp};
use wm_service::clock::now;

use super::REGION;

/// The credentials of a caller.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id of the access key.
    pub key: String,
    pub secret: String,
    /// The session token of an assumed role.
    pub token: Option<String>,
}

impl Credentials {
    /// The credentials that ministack accepts as the account's root.
    #[must_use]
    pub fn root() -> Self {
        Self {
            key: "test".into(),
            secret: "test".into(),
            token: None,
        }
    }

    /// The headers of a signed request: the given ones and those that signing adds. A query in the
    /// target must be in canonical order.
    pub(super) fn sign(
        &self,
        service: &str,
        method: &str,
        (base, target): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<(String, String)> {
        let (date, time) = moment(now());
        let host = base.split_once("://").unwrap().1;
        let digest = Sha256::of(body).to_string();
        let mut signed: Vec<(String, String)> = [
            ("host", host),
            ("x-amz-date", &time),
            ("x-amz-content-sha256", &digest),
        ]
        .iter()
        .chain(headers)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        let token = self.token.clone();
        signed.extend(token.map(|token| ("x-amz-security-token".to_owned(), token)));
        signed.sort();
        let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut canonical = format!("{method}\n{path}\n{query}\n");
        for (name, value) in &signed {
            writeln!(canonical, "{name}:{}", value.trim()).unwrap();
        }
        write!(canonical, "\n{names}\n{digest}").unwrap();
        let scope = format!("{date}/{REGION}/{service}/aws4_request");
        let signature = self.signature(service, &time, &canonical);
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.key
        );
        signed.retain(|(name, _)| name != "host");
        signed.push(("authorization".into(), value));
        signed
    }

    /// A presigned URL as signed at another time. The given headers are all those that it binds.
    #[must_use]
    pub fn presigned_at(
        &self,
        time: Timestamp,
        method: &str,
        url: &str,
        headers: &BTreeMap<String, String>,
    ) -> String {
        let (date, time) = moment(time);
        let (address, query) = url.split_once('?').unwrap();
        let credential = format!("{}%2F{date}%2F{REGION}%2Fs3%2Faws4_request", self.key);
        let mut query: BTreeMap<&str, &str> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .collect();
        query.remove("X-Amz-Signature");
        query.insert("X-Amz-Date", &time);
        query.insert("X-Amz-Credential", &credential);
        let pairs: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let query = pairs.join("&");
        let (_, rest) = address.split_once("://").unwrap();
        let path = &rest[rest.find('/').unwrap()..];
        let mut canonical = format!("{method}\n{path}\n{query}\n");
        for (name, value) in headers {
            writeln!(canonical, "{name}:{value}").unwrap();
        }
        let names: Vec<&str> = headers.keys().map(String::as_str).collect();
        write!(canonical, "\n{}\nUNSIGNED-PAYLOAD", names.join(";")).unwrap();
        let signature = self.signature("s3", &time, &canonical);
        format!("{address}?{query}&X-Amz-Signature={signature}")
    }

    /// The signature of a canonical request.
    fn signature(&self, service: &str, time: &str, canonical: &str) -> String {
        let date = &time[..8];
        let scope = format!("{date}/{REGION}/{service}/aws4_request");
        let hashed = Sha256::of(canonical.as_bytes());
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [date, REGION, service, "aws4_request", &text] {
            key = keyed(&key, part);
        }
        let mut signature = String::new();
        for byte in key {
            write!(signature, "{byte:02x}").unwrap();
        }
        signature
    }
}

/// `20261123` and `20261123T101112Z`.
fn moment(now: Timestamp) -> (String, String) {
    let text = now.to_string();
    let digits: String = text
        .chars()
        .filter(|character| !"-:".contains(*character))
        .collect();
    (digits[..8].to_owned(), format!("{}Z", &digits[..15]))
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}
