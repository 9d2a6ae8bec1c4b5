//! Events, mails and secrets on Azure, against emulators that check requests like the services do.

use std::{
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wm_azure::{
    config::{Config, Role},
    events::EventGrid,
    mail::CommunicationMail,
    sdk::Sdk,
    secrets::{self, SecretsError},
};
use wm_core::{jobs::mail::Message, record::CloudEvent};
use wm_service::{
    ports::{Events, Mail, PortError, PortErrorKind},
    variables::Variables,
};
use wm_tests::{
    emulators::azure::{
        AzureCloud, FROM, MAIL_IDENTITY, PUBLIC_URL, SECRET, SURFACE,
        authority::{Authority, VAULT},
        communication,
        managed_identity::{ActingAs, SYSTEM_PRINCIPAL},
        server::{Behaviour, OWN_WORDS, Received, Reply},
    },
    golden, tools,
};

use crate::harness::azure_config;

/// The principal of the identity that sends mail.
const MAILER: &str = "66666666-7777-4888-9999-000000000000";

/// The configuration of a handler in a cloud, with these variables changed.
fn config(cloud: &AzureCloud, more: &[(&str, &str)]) -> Config {
    azure_config(Role::Functions, cloud.environment(), more)
}

fn sdk() -> Sdk {
    let client = Authority::shared().client();
    Sdk::acting_as(
        Arc::new(ActingAs(SYSTEM_PRINCIPAL)),
        Arc::new(ActingAs(MAILER)),
        client,
    )
}

fn event(seq: u64, padding: usize) -> CloudEvent {
    let scope = "ACCOUNT#acc_01arz3ndektsv4rrffq69g5fav";
    serde_json::from_value(json!({
        "specversion": "1.0",
        "id": format!("{SURFACE}/{scope}/{seq}{}", "0".repeat(padding)),
        "source": format!("/surfaces/{SURFACE}"),
        "type": "wm.account.created",
        "subject": scope,
        "time": "2026-11-23T09:30:00.000Z",
        "datacontenttype": "application/json",
        "data": {
            "surface": SURFACE,
            "scope": scope,
            "seq": seq,
            "event": "account.created",
            "actor": "system",
            "request_id": "req_01arz3ndektsv4rrffq69g5fav",
            "changes": [],
        },
    }))
    .unwrap()
}

fn message(text: &str) -> Message {
    Message {
        to: "ana@example.com".parse().unwrap(),
        subject: "You are invited to Grüße".into(),
        text: text.into(),
    }
}

fn says(status: u16) -> Behaviour {
    Behaviour::Answers(Reply::error(status, "Trouble"))
}

/// Asserts the kind of a failure. No text of a service may be visible to a caller.
#[track_caller]
fn assert_fails<T>(result: Result<T, PortError>, kind: PortErrorKind) {
    let error = result.err().expect("it should have failed");
    assert_eq!(error.kind, kind, "{:?}", std::error::Error::source(&error));
    assert!(!error.to_string().contains(OWN_WORDS), "{error}");
}

mod identity {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn identity_comes_from_app_configuration_and_key_vault() {
        let cloud = AzureCloud::start().await;
        let identity = secrets::load(&sdk(), &config(&cloud, &[])).await.unwrap();
        assert_eq!(identity.surface.to_string(), SURFACE);
        assert_eq!(identity.public_url, PUBLIC_URL);
        assert!(!format!("{identity:?}").contains(SECRET));
        let received = cloud.vault.server.received();
        let tokens: Vec<bool> = received
            .iter()
            .map(|received| received.header("authorization").is_some())
            .collect();
        assert_eq!(tokens, [false, true], "first challenged, then answered");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn environment_variables_replace_the_lookup() {
        let cloud = AzureCloud::start().await;
        let given = [
            ("AZURE_SURFACE_ID", SURFACE),
            ("AZURE_PUBLIC_URL", "https://other.example.com/"),
            ("AZURE_SURFACE_SECRET", SECRET),
        ];
        let identity = secrets::load(&sdk(), &config(&cloud, &given))
            .await
            .unwrap();
        assert_eq!(identity.public_url, "https://other.example.com");
        assert!(cloud.vault.server.received().is_empty());
        assert!(cloud.configuration.server.received().is_empty());
        let nowhere = [
            ("AZURE_KEY_VAULT_ENDPOINT", ""),
            ("AZURE_APP_CONFIGURATION_ENDPOINT", ""),
        ];
        let error = secrets::load(&sdk(), &config(&cloud, &nowhere))
            .await
            .unwrap_err();
        assert!(matches!(error, SecretsError::Nowhere { .. }), "{error}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn missing_or_wrong_values_are_named_with_their_place() {
        let cloud = AzureCloud::start().await;
        let text = async || {
            let error = secrets::load(&sdk(), &config(&cloud, &[]))
                .await
                .unwrap_err();
            let text = error.to_string();
            assert!(
                !text.contains(OWN_WORDS) && !text.contains(SECRET),
                "{text}"
            );
            text
        };
        cloud.vault.set("surface-secret", &SECRET[..31]);
        assert_eq!(
            text().await,
            "`surface-secret` must have at least 32 random characters"
        );
        cloud.vault.remove("surface-secret");
        assert_eq!(
            text().await,
            "there is no secret `surface-secret` in the Key Vault: deploy again with `wm deploy azure`"
        );
        for status in [403, 429, 500] {
            cloud.vault.server.always(says(status));
            assert!(
                text()
                    .await
                    .starts_with("`surface-secret` cannot be read: "),
                "{status}"
            );
        }
        cloud.vault.server.always(Behaviour::Normal);
        cloud.vault.set("surface-secret", SECRET);
        cloud.configuration.set("surface-id", "7");
        let wrong = "`surface-id` must be a surface id";
        assert!(text().await.starts_with(wrong));
        cloud.configuration.remove("surface-id");
        assert_eq!(
            text().await,
            "there is no key `surface-id` in App Configuration: deploy again with \
             `wm deploy azure`"
        );
        cloud.configuration.server.always(says(403));
        assert!(
            text()
                .await
                .contains("cannot be read: check that it exists")
        );
    }

    /// A token goes only to a vault whose challenge names its own domain.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn vault_of_another_domain_gets_no_token() {
        let cloud = AzureCloud::start().await;
        let address = cloud.vault.server.origin.replace("https://", "");
        let client = Authority::shared()
            .client_builder()
            .resolve(VAULT, address.parse().unwrap())
            .build()
            .unwrap();
        let acting = Arc::new(ActingAs(SYSTEM_PRINCIPAL));
        let sdk = Sdk::acting_as(acting.clone(), acting, client);
        let port = address.split(':').next_back().unwrap();
        let vault = format!("https://{VAULT}:{port}");
        let given = [("AZURE_KEY_VAULT_ENDPOINT", vault.as_str())];
        let error = secrets::load(&sdk, &config(&cloud, &given))
            .await
            .unwrap_err();
        assert!(matches!(error, SecretsError::Unreadable { .. }), "{error}");
        let received = cloud.vault.server.received();
        assert!(!received.is_empty(), "it received no request");
        assert!(
            received
                .iter()
                .all(|received| received.header("authorization").is_none())
        );
    }
}

mod events {
    use super::*;

    fn bus(cloud: &AzureCloud, endpoint: &str) -> EventGrid {
        let given = [("AZURE_EVENTGRID_ENDPOINT", endpoint)];
        EventGrid::new(&sdk(), &config(cloud, &given)).unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn events_arrive_whole_and_in_order() {
        let cloud = AzureCloud::start().await;
        let events: Vec<CloudEvent> = (0..250).map(|seq| event(seq, 0)).collect();
        let bus = bus(&cloud, &cloud.topic.server.origin);
        let results = bus.publish(&events).await;
        assert_eq!(results.len(), 250);
        assert!(results.iter().all(Result::is_ok), "{:?}", results[0]);
        let expected: Vec<Value> = events
            .iter()
            .map(|event| serde_json::to_value(event).unwrap())
            .collect();
        assert_eq!(cloud.topic.events(), expected);
        assert_eq!(
            cloud.topic.server.received().len(),
            3,
            "a hundred at a time"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn case_57_and_59_only_an_oversized_event_is_refused() {
        let cloud = AzureCloud::start().await;
        let events = [
            event(1, 0),
            event(2, 1_000_000),
            event(3, 0),
            event(4, 990_000),
        ];
        let results = bus(&cloud, &cloud.topic.endpoint()).publish(&events).await;
        let taken: Vec<bool> = results.iter().map(Result::is_ok).collect();
        assert_eq!(taken, [true, false, true, true]);
        assert_eq!(cloud.topic.events().len(), 3);
        let largest = cloud.topic.server.received();
        assert!(
            largest
                .iter()
                .all(|received| received.body.len() <= 1_000_000)
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_failure_is_reported_for_every_event() {
        let cloud = AzureCloud::start().await;
        let bus = bus(&cloud, &cloud.topic.endpoint());
        for (status, kind) in [
            (400, PortErrorKind::Refused),
            (401, PortErrorKind::Refused),
            (403, PortErrorKind::Refused),
            (413, PortErrorKind::Refused),
            (408, PortErrorKind::Unavailable),
            (429, PortErrorKind::Throttled),
            (500, PortErrorKind::Unavailable),
            (503, PortErrorKind::Unavailable),
        ] {
            cloud.topic.server.always(says(status));
            let results = bus.publish(&[event(1, 0), event(2, 0)]).await;
            assert_eq!(results.len(), 2);
            for result in results {
                assert_fails(result, kind);
            }
        }
        assert!(cloud.topic.events().is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn event_publishing_retries_a_failure_but_not_a_limit() {
        let cloud = AzureCloud::start().await;
        let bus = bus(&cloud, &cloud.topic.endpoint());
        cloud.topic.server.next([says(503)]);
        assert!(bus.publish(&[event(1, 0)]).await[0].is_ok());
        // The caller decides about a retry, however long the service asks to wait.
        let limited = Reply::error(429, "Busy").with("retry-after", "60");
        cloud.topic.server.next([Behaviour::Answers(limited)]);
        let begun = Instant::now();
        let result = bus.publish(&[event(2, 0)]).await.remove(0);
        assert_fails(result, PortErrorKind::Throttled);
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(cloud.topic.server.received().len(), 3);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn unresponsive_topic_times_out() {
        let cloud = AzureCloud::start().await;
        cloud.topic.server.always(Behaviour::Hang);
        let begun = Instant::now();
        let bus = bus(&cloud, &cloud.topic.endpoint());
        let result = bus.publish(&[event(1, 0)]).await.remove(0);
        assert_fails(result, PortErrorKind::Unavailable);
        assert!(
            begun.elapsed() < Duration::from_secs(12),
            "{:?}",
            begun.elapsed()
        );
    }
}

mod mail {
    use super::*;

    fn sender(cloud: &AzureCloud, key: &str) -> CommunicationMail {
        let given = [("AZURE_COMMUNICATION_ACCESS_KEY", key)];
        CommunicationMail::new(&sdk(), &config(cloud, &given)).unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn mail_is_sent_with_an_identity_or_a_key() {
        for (key, principal) in [("", Some(MAILER)), (communication::KEY, None)] {
            let cloud = AzureCloud::start().await;
            cloud.mail.set_end(2, "Succeeded");
            let sent = sender(&cloud, key).send(&message("a link\n")).await;
            assert!(
                sent.is_ok(),
                "{:?}",
                std::error::Error::source(&sent.unwrap_err())
            );
            let mails = cloud.mail.mails();
            assert_eq!(mails.len(), 1);
            assert_eq!(mails[0].to(), "ana@example.com");
            assert_eq!(mails[0].subject(), "You are invited to Grüße");
            assert_eq!(mails[0].text(), "a link\n");
            assert_eq!(mails[0].principal.as_deref(), principal);
            assert_eq!(mails[0].body["senderAddress"], FROM);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn case_52_mail_with_a_lost_answer_is_sent_once() {
        let cloud = AzureCloud::start().await;
        let sender = sender(&cloud, "");
        let lost = Behaviour::ProcessesAndAnswers(Reply::error(503, "Lost"));
        cloud.mail.server.next([Behaviour::Normal, lost]);
        assert!(sender.send(&message("once")).await.is_ok());
        assert!(sender.send(&message("once")).await.is_ok());
        assert_eq!(cloud.mail.mails().len(), 1);
        assert!(sender.send(&message("another")).await.is_ok());
        assert_eq!(cloud.mail.mails().len(), 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn failed_mail_may_be_sent_again() {
        let cloud = AzureCloud::start().await;
        let sender = sender(&cloud, "");
        for end in ["Failed", "Canceled"] {
            cloud.mail.set_end(1, end);
            assert_fails(sender.send(&message("again")).await, PortErrorKind::Refused);
        }
        cloud.mail.set_end(1, "Succeeded");
        assert!(sender.send(&message("again")).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn mail_failures_are_reported() {
        let cloud = AzureCloud::start().await;
        let sender = sender(&cloud, "");
        for (status, kind) in [
            (400, PortErrorKind::Refused),
            (401, PortErrorKind::Refused),
            (403, PortErrorKind::Refused),
            (429, PortErrorKind::Throttled),
            (500, PortErrorKind::Unavailable),
        ] {
            cloud.mail.server.always(says(status));
            assert_fails(sender.send(&message("never")).await, kind);
            cloud.mail.server.always(Behaviour::Normal);
            // The mail is unknown first, and then refused.
            cloud.mail.server.next([Behaviour::Normal, says(status)]);
            let sent = sender.send(&message("never")).await;
            // All texts are logged, and the service may quote an e-mail address.
            let logged = format!("{sent:?}");
            assert!(!logged.contains(OWN_WORDS), "{logged}");
            assert_fails(sent, kind);
        }
        assert!(cloud.mail.mails().is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn mail_sending_survives_transient_faults() {
        let cloud = AzureCloud::start().await;
        let trouble = [Behaviour::Normal, Behaviour::Normal, says(429), says(500)];
        cloud.mail.server.next(trouble);
        assert!(sender(&cloud, "").send(&message("slow")).await.is_ok());
        assert_eq!(cloud.mail.mails().len(), 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn wrong_mail_key_is_refused_and_never_shown() {
        let cloud = AzureCloud::start().await;
        let other = "YW5vdGhlciBrZXk=";
        let sender = sender(&cloud, other);
        let shown = format!(
            "{sender:?}{:?}",
            config(&cloud, &[("AZURE_COMMUNICATION_ACCESS_KEY", other)])
        );
        assert!(
            !shown.contains(other) && !shown.contains("another key"),
            "{shown}"
        );
        assert_fails(sender.send(&message("never")).await, PortErrorKind::Refused);
        let nonsense = [("AZURE_COMMUNICATION_ACCESS_KEY", "not base64!")];
        let error = CommunicationMail::new(&sdk(), &config(&cloud, &nonsense)).unwrap_err();
        assert!(!error.to_string().contains("not base64!"));
        assert!(
            error.to_string().contains("AZURE_COMMUNICATION_ACCESS_KEY"),
            "{error}"
        );
    }
}

/// The identifying parts of a request.
fn shape(received: &Received, headers: &[&str]) -> Value {
    let (path, query) = received.target.split_once('?').unwrap();
    let header = |name: &&str| ((*name).to_owned(), json!(received.header(name)));
    let headers: serde_json::Map<String, Value> = headers.iter().map(header).collect();
    json!({ "method": received.method, "path": path, "query": [query], "headers": headers })
}

/// The same parts of the official client's request.
fn official(golden: &Value, name: &str, headers: &[&str]) -> Value {
    let sent = &golden[name];
    let header = |name: &&str| ((*name).to_owned(), sent["headers"][*name].clone());
    let headers: serde_json::Map<String, Value> = headers.iter().map(header).collect();
    json!({
        "method": sent["method"], "path": sent["path"], "query": sent["query"], "headers": headers,
    })
}

fn golden() -> Value {
    let path = wm_tests::repository::root().join("tests/goldens/azure-clients.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn golden_equals_requests_of_the_official_clients() {
    let output = Command::new("node")
        .arg(tools::azure_oracle())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    golden::check(
        "azure-clients.json",
        &String::from_utf8(output.stdout).unwrap(),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_equal_those_of_the_official_clients() {
    let cloud = AzureCloud::start().await;
    let golden = golden();
    let config = config(&cloud, &[]);
    let bus = EventGrid::new(&sdk(), &config).unwrap();
    assert!(bus.publish(&[event(1, 0)]).await[0].is_ok());
    let sender = CommunicationMail::new(&sdk(), &config).unwrap();
    let text = golden["mail-with-token"]["body"]["content"]["plainText"]
        .as_str()
        .unwrap();
    assert!(sender.send(&message(text)).await.is_ok());
    secrets::load(&sdk(), &config).await.unwrap();

    let received = &cloud.topic.server.received()[0];
    let headers = ["content-type"];
    assert_eq!(
        shape(received, &headers),
        official(&golden, "events", &headers)
    );
    let fields = |event: &Value| -> Vec<String> {
        let fields: std::collections::BTreeSet<_> = event.as_object().unwrap().keys().collect();
        fields.into_iter().cloned().collect()
    };
    let official_event = &golden["events"]["body"][0];
    assert_eq!(fields(&received.json()[0]), fields(official_event));

    let received = cloud.mail.server.received();
    assert_eq!(received[1].json(), golden["mail-with-token"]["body"]);
    assert_eq!(
        shape(&received[1], &headers),
        official(&golden, "mail-with-token", &headers)
    );
    let id = received[1].header("operation-id").unwrap();
    let mut expected = official(&golden, "mail-operation", &[]);
    expected["path"] = format!("/emails/operations/{id}").into();
    assert_eq!(shape(&received[2], &[]), expected);

    let vault = cloud.vault.server.received();
    assert_eq!(
        shape(&vault[0], &[]),
        official(&golden, "secret-challenged", &[])
    );
    assert_eq!(shape(&vault[1], &[]), official(&golden, "secret", &[]));
    let setting = official(&golden, "setting", &[]);
    let settings = cloud.configuration.server.received();
    let found = settings
        .iter()
        .any(|received| shape(received, &[]) == setting);
    assert!(found, "{settings:?}");
}

/// The SDK's own credential works only in a process with the variables, so the test runs itself
/// again.
#[test]
fn handler_acts_as_its_managed_identities() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if std::env::var_os("IDENTITY_ENDPOINT").is_some() {
        let config = Config::read(Role::Functions, Variables::of_this_process()).unwrap();
        return runtime.block_on(act(&config));
    }
    let cloud = runtime.block_on(AzureCloud::start());
    let elsewhere = [
        ("AZURE_COSMOS_ACCOUNT", "wm-dev-cosmos"),
        ("AZURE_COSMOS_DATABASE", "workspace"),
        ("AZURE_COSMOS_CONTAINER", "workspace_items"),
        ("AZURE_STORAGE_ACCOUNT", "wmdevdocs"),
        ("AZURE_STORAGE_CONTAINER", "workspace-documents"),
    ];
    let run = || {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "azure_services::handler_acts_as_its_managed_identities",
                "--nocapture",
            ])
            .envs(elsewhere)
            .envs(cloud.environment())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.success(),
            text(&output.stdout) + &text(&output.stderr),
        )
    };
    let (well, printed) = run();
    assert!(well, "{printed}");
    assert_eq!(cloud.topic.events().len(), 2);
    assert_eq!(cloud.mail.mails().len(), 1);
    let mut given = cloud.identity.given();
    given.sort_by(|one, other| one.resource.cmp(&other.resource));
    let resources: Vec<(&str, Option<&str>)> = given
        .iter()
        .map(|given| (given.resource.as_str(), given.client_id.as_deref()))
        .collect();
    assert_eq!(
        resources,
        [
            // One token per service, for any number of requests.
            ("https://azconfig.io", None),
            ("https://communication.azure.com", Some(MAIL_IDENTITY)),
            ("https://eventgrid.azure.net", None),
            ("https://vault.azure.net", None),
        ]
    );
    cloud.identity.fail_with(Some(500));
    let (well, printed) = run();
    assert!(!well && printed.contains("cannot be read"), "{printed}");
}

async fn act(config: &Config) {
    let sdk = Sdk::new(config).unwrap();
    secrets::load(&sdk, config)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let bus = EventGrid::new(&sdk, config).unwrap();
    for seq in 1..=2 {
        assert!(bus.publish(&[event(seq, 0)]).await[0].is_ok());
    }
    let sender = CommunicationMail::new(&sdk, config).unwrap();
    assert!(
        sender
            .send(&message("under its own identity"))
            .await
            .is_ok()
    );
}
