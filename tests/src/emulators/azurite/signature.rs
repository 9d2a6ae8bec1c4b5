//! User delegation signatures, reduced to what these tests need.
//! <https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas>

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::header::CONTENT_LENGTH;
use wm_core::value::Timestamp;

use super::{ACCOUNT, Azurite, token_of};
use crate::harness::ObjectRequest;

/// The signed parameters in order. The resource and the bound values of the request stand between
/// them. Parameters that no upload plan has are empty.
const SIGNED: [&str; 28] = [
    "sp", "st", "se", RESOURCE, "skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid",
    "scid", "skdutid", "sduoid", "sip", "spr", "sv", "sr", "snapshot", "ses", HEADERS, PARAMETERS,
    "rscc", "rscd", "rsce", "rscl", "rsct",
];
const RESOURCE: &str = "(resource)";
const HEADERS: &str = "(headers)";
const PARAMETERS: &str = "(parameters)";

impl Azurite {
    /// The URL of an upload as signed at another time, valid for 15 minutes.
    pub async fn signed_at(&self, time: Timestamp, request: &ObjectRequest, size: usize) -> String {
        let (address, query) = request.url.split_once('?').unwrap();
        let mut values: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        values.remove("sig");
        let end = time.after(std::time::Duration::from_mins(15));
        values.insert("st".into(), second(time));
        values.insert("se".into(), second(end));
        let key = self.delegation_key(&values).await;
        let path = percent_decode_str(address.strip_prefix(&self.url).unwrap());
        let resource = format!("/blob/{ACCOUNT}{}", path.decode_utf8().unwrap());
        let headers = bound_headers(&values["srh"], request, size);
        let lines = SIGNED.map(|name| match name {
            RESOURCE => resource.as_str(),
            HEADERS => headers.as_str(),
            name => values.get(name).map_or("", String::as_str),
        });
        let signature = hmac::sign(&key, lines.join("\n").as_bytes());
        values.insert("sig".into(), BASE64_STANDARD.encode(signature));
        let pair = |(name, value): (&String, &String)| {
            format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
        };
        let pairs: Vec<String> = values.iter().map(pair).collect();
        format!("{address}?{}", pairs.join("&"))
    }

    /// The store's delegation key of the identity that these parameters name.
    async fn delegation_key(&self, values: &BTreeMap<String, String>) -> hmac::Key {
        let (start, end) = (&values["skt"], &values["ske"]);
        let key_info = format!("<KeyInfo><Start>{start}</Start><Expiry>{end}</Expiry></KeyInfo>");
        let answer = self
            .client()
            .post(format!(
                "{}/?restype=service&comp=userdelegationkey",
                self.url
            ))
            .bearer_auth(token_of(&values["sktid"], &values["skoid"]))
            .header("x-ms-version", "2026-04-06")
            .header(CONTENT_LENGTH, key_info.len())
            .body(key_info)
            .send()
            .await
            .unwrap();
        let text = answer.text().await.unwrap();
        let (_, rest) = text.split_once("<Value>").expect("a key");
        let value = rest.split('<').next().unwrap();
        let value = BASE64_STANDARD.decode(value).unwrap();
        hmac::Key::new(hmac::HMAC_SHA256, &value)
    }
}

/// A time with a precision of one second, the format of the parameters.
fn second(time: Timestamp) -> String {
    format!("{}Z", &time.to_string()[..19])
}

/// The values of the bound headers in the request, one per line.
fn bound_headers(names: &str, request: &ObjectRequest, size: usize) -> String {
    let value = |name: &str| match name {
        "content-length" => size.to_string(),
        name => {
            let mut headers = request.headers.iter();
            let found = headers.find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        }
    };
    let lines = names
        .split(',')
        .map(|name| format!("{name}:{}\n", value(name)));
    lines.collect()
}
