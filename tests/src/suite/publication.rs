//! Events and mails.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{client::Person, harness::Harness, suite::fixture::Fixture};

/// Every journal entry of an account and a project becomes one event with a unique id. No event
/// contains an e-mail address.
pub async fn every_entry_is_published_once<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    surface.drain().await;
    let events = surface.events().await;
    let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), events.len(), "an event was published twice");
    for scope in ["account", "project"] {
        let journal = ana
            .list(&format!("/v1/{scope}s/{}/journal", fixture.id(scope)))
            .await;
        let last = journal.first().unwrap()["seq"].as_u64().unwrap();
        assert_eq!(last, 1);
        for (expected, entry) in (1..).zip(&journal) {
            assert_eq!(entry["seq"], expected);
            let ending = format!("{}/{expected}", fixture.id(scope));
            let mut of_it = events.iter().filter(|event| event.id.ends_with(&ending));
            let event = of_it
                .next()
                .unwrap_or_else(|| panic!("{entry} was not published"));
            assert_eq!(
                event.kind,
                format!("wm.{}", entry["event"].as_str().unwrap())
            );
        }
    }
    let text = serde_json::to_string(&events).unwrap();
    assert!(!text.contains("@example.com"), "{text}");
}

/// Without a rule no mail is sent. With a rule, one event leads to one mail. A person gets no mail
/// about objects that they do not see or did not select.
pub async fn rule_leads_to_exactly_one_mail<H: Harness>(surface: &H) {
    let (ana, ben) = (Person::new(surface, "ana"), Person::new(surface, "ben"));
    let account = ana.account().await;
    ana.bring(&account, &ben, "member").await;
    let mails = async || {
        surface.drain().await;
        surface.mails(&ben.email).await.len()
    };
    let before = mails().await;
    let projects = format!("/v1/accounts/{account}/projects");
    let create = async |visibility: &str| {
        let body = json!({ "name": "House", "visibility": visibility });
        ana.post(&projects, body).await.expect(201).id()
    };
    create("account").await;
    assert_eq!(mails().await, before);
    let rule =
        json!({ "event": "project.created", "channel": "mail", "scope": account, "enabled": true });
    let body = json!({ "rules": [rule] });
    ben.put("/v1/preferences/notifications", body)
        .await
        .expect(200);
    create("private").await;
    assert_eq!(mails().await, before);
    let seen = create("account").await;
    assert_eq!(mails().await, before + 1);
    assert!(
        surface
            .mails(&ben.email)
            .await
            .last()
            .unwrap()
            .contains(&seen)
    );
    ana.patch(&format!("/v1/projects/{seen}"), json!({ "name": "Other" }))
        .await
        .expect(200);
    assert_eq!(mails().await, before + 1);
}
