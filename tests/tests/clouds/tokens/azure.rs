//! Tokens like those of Entra External ID, given to the verifier, and attacks on the discovery
//! document.

use std::{
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wm_azure::{
    config::{Config, Role},
    identity::{EntraKeys, issuer, take_easy_auth_token},
    sdk::Sdk,
};
use wm_core::{http::Request, operation::TokenUsage, record::Claims, value::Timestamp};
use wm_service::{
    identity::{TokenError, Verifier},
    ports::KeySource,
};
use wm_test_results::Recording;
use wm_tests::{
    emulators::azure::{
        authority::Authority,
        entra::{
            API, CLIENT, Entra, ISSUER, TENANT, access_claims, access_token, id_claims, id_token,
            object_id, signer,
        },
        managed_identity::{ActingAs, SYSTEM_PRINCIPAL},
        server::{Behaviour, Reply, Server},
    },
    issuer::TestIssuer,
};

use super::{ANA, Verdict, Verifying};
use crate::harness::azure_config;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// Longer than the pause between two key requests.
const PAUSE: Duration = Duration::from_secs(10);

scenarios!(Setting);

/// A tenant and the handler's verifier.
struct Setting {
    entra: Entra,
    keys: EntraKeys,
    verifier: Verifier,
}

fn config(entra: &Entra, more: &[(&str, &str)]) -> Config {
    azure_config(Role::Api, entra.environment(), more)
}

fn keys(config: &Config) -> EntraKeys {
    let acting = Arc::new(ActingAs(SYSTEM_PRINCIPAL));
    let client = Authority::shared().client();
    EntraKeys::new(&Sdk::acting_as(acting.clone(), acting, client), config)
}

impl Setting {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(more: &[(&str, &str)]) -> Self {
        let entra = Entra::start().await;
        let config = config(&entra, more);
        Self {
            entra,
            keys: keys(&config),
            verifier: Verifier::new(vec![issuer(&config.entra)]),
        }
    }

    async fn read(&self, token: &str, usage: TokenUsage) -> Result<Claims, TokenError> {
        self.verifier.verify(&self.keys, token, usage, NOW).await
    }

    async fn at(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let access = TokenUsage::Access;
        self.verifier.verify(&self.keys, token, access, now).await
    }

    async fn accepted(&self, token: &str) -> Claims {
        self.read(token, TokenUsage::Access).await.unwrap()
    }
}

fn verdict(result: Result<Claims, TokenError>) -> Verdict {
    match result {
        Ok(_) => Verdict::Accepted,
        Err(TokenError::Refused(_)) => Verdict::Refused,
        Err(TokenError::KeysUnavailable(_)) => Verdict::Unavailable,
    }
}

/// The claims of an access token with these members changed.
fn changed(members: &[(&str, Value)]) -> Value {
    let mut claims = access_claims(ANA, NOW);
    for (name, value) in members {
        claims[*name] = value.clone();
    }
    claims
}

impl Verifying for Setting {
    const NAME: &str = "azure";
    const PART: &str = "tenant";
    const KEY_ID: &str = "entra-key";
    const REQUIRED_CLAIMS: &[&str] = &[
        "exp", "sub", "oid", "iss", "aud", "azp", "tid", "ver", "scp",
    ];
    const UNIQUE_CLAIMS: &[&str] = &["oid", "sub", "aud"];
    const OTHER_MALFORMED: &[&str] = &["\0"];

    async fn start() -> Self {
        Self::new().await
    }

    fn signer(&self) -> &TestIssuer {
        signer()
    }

    fn published_keys(&self) -> Value {
        signer().jwks()
    }

    fn claims(&self) -> Value {
        access_claims(ANA, NOW)
    }

    fn foreign_claims(&self) -> Vec<Value> {
        let graph = "00000003-0000-0000-c000-000000000000";
        let mut all = Vec::new();
        for name in ["aud", "azp", "tid", "ver"] {
            for value in [
                json!(graph),
                json!(""),
                json!(null),
                json!(7),
                json!("1.0"),
                json!([]),
            ] {
                all.push(changed(&[(name, value)]));
            }
        }
        all.push(changed(&[("aud", json!(format!("api://{API}")))]));
        // An application that acts for no person has roles in place of scopes.
        let roles = json!(["workspace.all"]);
        let mut application = changed(&[("roles", roles), ("idtyp", json!("app"))]);
        application.as_object_mut().unwrap().remove("scp");
        all.push(application);
        all
    }

    fn lookalike_issuers(&self) -> Vec<String> {
        vec![
            format!("{ISSUER}/"),
            ISSUER.replace("/v2.0", ""),
            ISSUER.replace("/v2.0", "/v1.0"),
            ISSUER.replace(".com/", ".com.evil.test/"),
            ISSUER.replace("https", "http"),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            format!("https://sts.windows.net/{TENANT}/"),
            self.entra.discovery_url(),
            String::new(),
        ]
    }

    fn odd_claims() -> Vec<(&'static str, Value)> {
        vec![
            ("exp", json!("soon")),
            ("oid", json!("")),
            ("oid", json!(7)),
            ("sub", json!("")),
            ("nbf", json!("now")),
        ]
    }

    /// One application may be both the API and its client. The audiences are then equal.
    fn id_tokens(&self) -> Vec<String> {
        let mut id = id_claims(ANA, NOW);
        id["aud"] = API.into();
        vec![id_token(ANA, NOW), signer().sign(&id)]
    }

    fn not_id_tokens(&self) -> Vec<String> {
        let all = [
            changed(&[]),
            changed(&[("aud", json!(CLIENT))]),
            changed(&[("azp", json!(null))]),
        ];
        all.map(|claims| signer().sign(&claims)).into()
    }

    async fn judge(&self, token: &str) -> Verdict {
        verdict(self.read(token, TokenUsage::Access).await)
    }

    async fn judge_later(&self, token: &str) -> Verdict {
        verdict(self.at(token, NOW.after(PAUSE)).await)
    }

    async fn judge_id(&self, token: &str) -> Verdict {
        verdict(self.read(token, TokenUsage::Id).await)
    }

    fn key_requests(&self) -> usize {
        self.entra.key_requests()
    }

    fn requests(&self) -> usize {
        self.entra.server.received().len()
    }

    /// Once for the known key, and once after the pause.
    fn key_requests_allowed(_: Duration) -> RangeInclusive<usize> {
        2..=2
    }

    fn publish_keys(&self, keys: Value) {
        self.entra.set_keys(keys);
    }
}

/// The access token is for the API and the ID token for the client. Entra gives one person a
/// different subject in each. Here both must be one identity.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_tokens_of_a_person_are_one_identity() {
    let _recording = Recording::start();
    let setting = Setting::new().await;
    let access = setting.accepted(&access_token(ANA, NOW)).await;
    let id = setting
        .read(&id_token(ANA, NOW), TokenUsage::Id)
        .await
        .unwrap();
    assert_ne!(access_claims(ANA, NOW)["sub"], id_claims(ANA, NOW)["sub"]);
    assert_eq!(access.subject, object_id(ANA));
    assert_eq!(access.scope(), id.scope());
    assert_eq!(access.client.as_deref(), Some(CLIENT));
    assert_eq!(access.verified_email, None);
    assert_eq!(id.verified_email.unwrap().as_str(), ANA);
    let eve = setting
        .accepted(&access_token("eve@example.com", NOW))
        .await;
    assert_ne!(access.scope(), eve.scope());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_08_times_are_checked_to_the_second() {
    let setting = Setting::new().await;
    let token = access_token(ANA, NOW);
    let expiry = NOW.after(Duration::from_secs(3600));
    let moment = Duration::from_millis(1);
    assert!(setting.at(&token, NOW).await.is_ok());
    assert!(setting.at(&token, expiry.before(moment)).await.is_ok());
    assert!(setting.at(&token, expiry).await.is_err());
    assert!(setting.at(&token, NOW.before(moment)).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_13_failing_issuer_makes_requests_retry_later() {
    let huge = Reply {
        body: vec![b' '; 300 * 1024],
        ..Reply::empty(200)
    };
    let elsewhere = Reply::empty(302).with("location", "https://evil.test/");
    let trouble = [
        Behaviour::Answers(Reply::empty(503)),
        Behaviour::Answers(elsewhere),
        Behaviour::Answers(huge),
        Behaviour::Answers(Reply::empty(200)),
        Behaviour::Hang,
    ];
    for behaviour in trouble {
        // First the document fails, then the keys that it names.
        for before in [0, 1] {
            let setting = Setting::new().await;
            let first = std::iter::repeat_n(Behaviour::Normal, before);
            setting.entra.server.next(first.chain([behaviour.clone()]));
            let begun = Instant::now();
            let result = setting
                .read(&access_token(ANA, NOW), TokenUsage::Access)
                .await;
            assert!(
                matches!(result, Err(TokenError::KeysUnavailable(_))),
                "{behaviour:?}: {result:?}"
            );
            assert!(
                begun.elapsed() < Duration::from_secs(7),
                "{:?}",
                begun.elapsed()
            );
            let later = NOW.after(Duration::from_secs(6));
            assert!(setting.at(&access_token(ANA, NOW), later).await.is_ok());
            // Known keys stay usable during an outage.
            setting.entra.server.always(behaviour.clone());
            let much_later = NOW.after(Duration::from_secs(3500));
            assert!(
                setting
                    .at(&access_token(ANA, NOW), much_later)
                    .await
                    .is_ok()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_13_discovery_document_leads_to_no_other_host() {
    let attacker = TestIssuer::ec(ISSUER, "entra-key");
    let keys = attacker.jwks();
    let plain = Server::plain(move |_| Reply::json(200, &keys)).await;
    for (what, document) in [
        (
            "another issuer",
            json!({ "issuer": format!("{ISSUER}/"), "jwks_uri": "KEYS" }),
        ),
        ("no issuer", json!({ "jwks_uri": "KEYS" })),
        ("no keys", json!({ "issuer": ISSUER })),
        (
            "keys without TLS",
            json!({ "issuer": ISSUER, "jwks_uri": plain.origin }),
        ),
        (
            "a file",
            json!({ "issuer": ISSUER, "jwks_uri": "file:///etc/passwd" }),
        ),
        ("nothing", json!({ "issuer": ISSUER, "jwks_uri": "" })),
        ("two issuers", json!([])),
    ] {
        let setting = Setting::new().await;
        let text = document
            .to_string()
            .replace("KEYS", &setting.entra.jwks_url());
        setting
            .entra
            .set_discovery(serde_json::from_str(&text).unwrap());
        let result = setting
            .read(&attacker.sign(&access_claims(ANA, NOW)), TokenUsage::Access)
            .await;
        assert!(
            matches!(result, Err(TokenError::KeysUnavailable(_))),
            "{what}: {result:?}"
        );
        assert_eq!(setting.entra.key_requests(), 0, "{what}");
    }
    assert!(plain.received().is_empty());
    // A certificate of an untrusted authority.
    let setting = Setting::new().await;
    let trusting = reqwest::Client::builder().build().unwrap();
    let acting = Arc::new(ActingAs(SYSTEM_PRINCIPAL));
    let sdk = Sdk::acting_as(acting.clone(), acting, trusting);
    let strict = EntraKeys::new(&sdk, &config(&setting.entra, &[]));
    assert!(strict.fetch(&setting.entra.discovery_url()).await.is_err());
    assert!(setting.entra.server.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_15_unverified_email_address_proves_nothing() {
    let setting = Setting::new().await;
    for verified in [
        json!(false),
        json!("false"),
        json!(null),
        json!(0),
        json!("yes"),
    ] {
        let mut claims = id_claims(ANA, NOW);
        claims["xms_edov"] = verified;
        // Entra has no such claim, so it is ignored.
        claims["email_verified"] = json!(true);
        let read = setting.read(&signer().sign(&claims), TokenUsage::Id).await;
        assert_eq!(read.unwrap().verified_email, None);
    }
    let distrusting = Setting::with(&[("AZURE_ENTRA_TRUSTS_EMAIL", "false")]).await;
    let read = distrusting.read(&id_token(ANA, NOW), TokenUsage::Id).await;
    assert_eq!(read.unwrap().verified_email, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_16_groups_grant_nothing() {
    let _recording = Recording::start();
    let setting = Setting::new().await;
    let plain = setting.accepted(&access_token(ANA, NOW)).await;
    let mut claims = access_claims(ANA, NOW);
    for name in ["groups", "roles", "wids", "role", "cognito:groups"] {
        claims[name] = json!(["admin", "owner", "62e90394-69f5-4237-9190-012177145e10"]);
    }
    assert_eq!(plain, setting.accepted(&signer().sign(&claims)).await);
    let plain = setting.read(&id_token(ANA, NOW), TokenUsage::Id).await;
    let mut claims = id_claims(ANA, NOW);
    claims["roles"] = json!(["owner"]);
    let adorned = setting.read(&signer().sign(&claims), TokenUsage::Id).await;
    assert_eq!(plain.unwrap(), adorned.unwrap());
}

/// The headers of App Service's own authentication are used only if the configuration enables it.
#[test]
fn easy_auth_token_is_accepted_only_if_configured() {
    let token = ("x-ms-token-aad-access-token", "one.two.three");
    let principal = [
        ("x-ms-client-principal", "eyJ1c2VySWQiOiJhbmEifQ=="),
        ("x-ms-client-principal-id", "ana"),
        ("x-ms-client-principal-name", "ana@example.com"),
        ("x-ms-token-aad-id-token", "four.five.six"),
    ];
    let own = ("authorization", "Bearer mine");
    let taken = |easy_auth: bool, headers: &[(&str, &str)]| {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut request = Request {
            headers: headers.iter().map(owned).collect(),
            ..Request::default()
        }
        .combined();
        take_easy_auth_token(easy_auth, &mut request);
        request.header("authorization").map(str::to_owned)
    };
    assert_eq!(taken(false, &[token]), None);
    assert_eq!(taken(true, &[token]).unwrap(), "Bearer one.two.three");
    assert_eq!(taken(true, &[token, own]).unwrap(), "Bearer mine");
    assert_eq!(taken(true, &principal), None);
    assert_eq!(taken(true, &[token, token]), None);
}
