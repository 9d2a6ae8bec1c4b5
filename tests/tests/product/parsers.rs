//! Every parser on any input: it never panics, and it writes accepted input in the same form, so
//! that no two texts have one meaning.

use std::{fmt::Display, str::FromStr};

use proptest::prelude::*;
use wm_core::{
    http::{self, Request},
    operation::{Handler, IfMatch, invitation_token::InvitationToken},
    operations,
    selection::BackendSelection,
    storage::{ETag, ObjectPath, Scope},
    value::{
        AccountId, AccountRole, ArtifactId, Capability, Cursor, Description, Email, FileName, Kind,
        MediaType, Name, ProjectId, ProjectRole, Reason, Sha256, SurfaceId, Text, Timestamp,
        UserId,
    },
};
use wm_test_results::Recording;

/// Accepted text has one canonical form, and that form parses to the same value.
fn round_trips<T: FromStr + Display + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        let again = written.parse::<T>().ok();
        assert!(
            again.as_ref() == Some(&value),
            "{text:?} became {written:?}"
        );
        assert_eq!(again.map(|value| value.to_string()), Some(written));
    }
}

/// Accepted text is written exactly as it was read.
fn is_exact<T: FromStr + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
}

/// Texts similar to valid input, and arbitrary ones.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z]{2,4}_[0-9a-hjkmnp-tv-zA-Z]{24,28}",
        "prj_[0-7][0-9a-hjkmnp-tv-z]{25}[0-7][0-9a-hjkmnp-tv-z]{25}",
        "srf_[0-7][0-9a-hjkmnp-tv-z]{25}_[0-9]{4,6}",
        "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{0,12})?(Z|z|[+-][0-2][0-9]:[0-5][0-9])?",
        "[ A-Za-z.+-]{0,10}@[A-Za-z.-]{0,12}",
        "[a-zA-Z0-9]{1,8}/[a-z0-9.+; =-]{0,12}",
        "[0-9a-fA-F]{62,66}",
        "(USER|EMAIL|ACCOUNT|PROJECT|IDENTITY)#[a-z0-9_]{0,60}",
        "[^/]{0,20}\\.[a-z]{1,4}",
        "(W/)?\"[0-9a-f]{30,34}\"(, ?(W/)?\"[0-9a-f]{32}\")?",
        "[A-Za-z0-9_-]{0,200}",
    ]
}

#[test]
fn ids_and_keys_have_one_spelling() {
    let _recording = Recording::start();
    let config = ProptestConfig::with_source_file(file!());
    proptest!(config, |(text in texts())| {
        is_exact::<AccountId>(&text);
        is_exact::<UserId>(&text);
        is_exact::<ArtifactId>(&text);
        is_exact::<ProjectId>(&text);
        is_exact::<SurfaceId>(&text);
        is_exact::<Sha256>(&text);
        is_exact::<Kind>(&text);
        is_exact::<Scope>(&text);
        is_exact::<ObjectPath>(&text);
        is_exact::<ETag>(&text);
        is_exact::<AccountRole>(&text);
        is_exact::<ProjectRole>(&text);
        is_exact::<Capability>(&text);
    });
}

#[test]
fn object_paths_have_one_spelling() {
    let _recording = Recording::start();
    let config = ProptestConfig::with_source_file(file!());
    proptest!(config, |(file in "[^/]{0,30}", number in 0_u64..5_000_000_000)| {
        let ulid = "01h2xcejqtf2nbrexx3vqjhp41";
        let project = format!("prj_{ulid}{ulid}");
        is_exact::<ObjectPath>(&format!(
            "accounts/acc_{ulid}/projects/{project}/artifacts/art_{ulid}/raw/{number}/{file}"
        ));
    });
}

proptest! {
    #[test]
    fn parsed_values_have_one_canonical_form(text in texts()) {
        round_trips::<Timestamp>(&text);
        round_trips::<Email>(&text);
        round_trips::<MediaType>(&text);
        round_trips::<FileName>(&text);
        round_trips::<Name>(&text);
        round_trips::<Description>(&text);
        round_trips::<Text>(&text);
        round_trips::<Reason>(&text);
    }

    #[test]
    fn unsigned_texts_are_refused(text in texts()) {
        prop_assert!(Cursor::verify(&text, b"secret", &[b"ana"]).is_err());
        prop_assert!(InvitationToken::open(&text, &[7; 32]).is_err());
        let _ = text.parse::<IfMatch>();
        prop_assert!(BackendSelection::read(&text).is_err());
    }

    #[test]
    fn requests_are_parsed_or_refused(
        segments in proptest::collection::vec(texts(), 0..6),
        query in "[a-z_]{0,8}=?[ -~]{0,20}(&[a-z]{0,6}=[^&]{0,10})?",
        body in proptest::collection::vec(any::<u8>(), 0..200),
        method in "(GET|POST|PUT|PATCH|DELETE|[A-Z]{0,7})",
    ) {
        let path = format!("/v1/{}", segments.join("/"));
        let _ = parse(&Request { method, path, query, headers: json_headers(), body });
    }

    /// Arbitrary JSON bodies on every route.
    #[test]
    fn every_route_survives_any_json(
        name in "(name|kind|role|email|size|sha256|values|rules|token|parts|add|revoke|[a-z_]{1,9})",
        value in "(null|true|-1|1e400|18446744073709551616|\"[ -!#-\\[\\]-~]{0,20}\"|\\[\\[\\]\\]|\\{\"a\":1\\})",
    ) {
        for route in operations::routes() {
            let ulid = "01h2xcejqtf2nbrexx3vqjhp41";
            let project = format!("prj_{ulid}{ulid}");
            let path = route.path.replace("{project}", &project).replace("{number}", "1");
            let path = ["account:acc_", "artifact:art_", "grant:grt_", "team:team_", "user:usr_", "derived:drv_", "invitation:inv_"]
                .iter()
                .filter_map(|pair| pair.split_once(':'))
                .fold(path, |path, (parameter, prefix)| {
                    path.replace(&format!("{{{parameter}}}"), &format!("{prefix}{ulid}"))
                });
            let body = format!("{{\"{name}\":{value}}}").into_bytes();
            let method = route.method.as_str().to_owned();
            let result = parse(&Request { method, path, query: String::new(), headers: json_headers(), body });
            prop_assert!(result.is_none_or(|status| (400..500).contains(&status)));
        }
    }
}

fn json_headers() -> Vec<(String, String)> {
    vec![("content-type".into(), "application/json".into())]
}

/// Routes and parses a request like the service. Returns the status of a refusal.
fn parse(request: &Request) -> Option<u16> {
    let parsed = http::find(request).and_then(|(route, mut parsed)| {
        parsed.read_query(route)?;
        match route.handler {
            Handler::UseCase(parse) => parse(&parsed).map(drop),
            Handler::Public(_) => Ok(()),
        }
    });
    parsed.err().map(|problem| problem.kind.status())
}
