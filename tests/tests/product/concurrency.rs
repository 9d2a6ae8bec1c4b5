//! Concurrent requests to a complete node over real HTTP: every request gets an answer, no write is
//! lost, and none happens twice.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use wm_tests::{
    client::{Answered, Person},
    surfaces::local::LocalSurface,
};

type Caller<'a> = Person<'a, LocalSurface>;

async fn verify(who: &Caller<'_>, scope: &str) {
    let path = format!("{scope}/journal/verification");
    let verified = who.get(&path).await.expect(200);
    assert_eq!(verified.body["valid"], true, "{}", verified.body);
}

/// The journal of a scope. Its numbers must have no gap.
async fn entries(who: &Caller<'_>, scope: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    loop {
        let path = format!("{scope}/journal?limit=200&after={}", entries.len());
        let page = who.get(&path).await.expect(200);
        let items = page.body["items"].as_array().unwrap();
        if items.is_empty() {
            break;
        }
        entries.extend(items.iter().cloned());
    }
    for (number, entry) in (1_u64..).zip(&entries) {
        assert_eq!(entry["seq"], number);
    }
    entries
}

fn ids(answers: &[Answered]) -> BTreeSet<String> {
    answers.iter().map(Answered::id).collect()
}

fn listed(rows: &[Value]) -> BTreeSet<String> {
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    rows.iter().map(id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_51_64_writers_on_one_project_all_succeed() {
    let surface = LocalSurface::start().await;
    let [ana, ben] = ["ana", "ben"].map(|name| Person::new(&surface, name));
    let account = ana.account().await;
    let project = ana.project(&account).await;
    ana.bring(&account, &ben, "member").await;
    let ben_id = ben.id().await;
    let artifact = ana.upload(&project, "plan.txt", b"plan").await;
    let project = format!("/v1/projects/{project}");
    let before = entries(&ana, &project).await.len();
    let (events, grants) = (
        format!("{project}/artifacts/{artifact}/events"),
        format!("{project}/grants"),
    );
    let grants_before = ana.list(&grants).await.len();
    let writers = (0..64).map(|number| {
        let (ana, events, grants, ben_id) = (&ana, &events, &grants, &ben_id);
        async move {
            if number % 2 == 0 {
                let body = json!({ "kind": "note", "text": format!("Note {number}") });
                return ana.post(events, body).await.expect(201);
            }
            let principal = json!({ "type": "user", "id": ben_id });
            let body = json!({ "principal": principal, "role": "viewer" });
            ana.post(grants, body).await.expect(201)
        }
    });
    let made = ids(&join_all(writers).await);
    assert_eq!(made.len(), 64);
    let (events, grants) = (ana.list(&events).await, ana.list(&grants).await);
    assert_eq!((events.len(), grants.len()), (32, grants_before + 32));
    let there: BTreeSet<String> = listed(&events).union(&listed(&grants)).cloned().collect();
    assert!(made.is_subset(&there));
    assert_eq!(entries(&ana, &project).await.len(), before + 64);
    verify(&ana, &project).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_51_one_of_two_writers_of_one_version_succeeds() {
    let surface = LocalSurface::start().await;
    let ana = Person::new(&surface, "ana");
    let account = ana.account().await;
    let account = format!("/v1/accounts/{account}");
    for round in 0..8 {
        let etag = ana.get(&account).await.expect(200).etag();
        let rename = |name: &str| json!({ "name": format!("{name} {round}") });
        let (one, two) = (rename("One"), rename("Two"));
        let headers = [("if-match", etag.as_str())];
        let answers = tokio::join!(
            ana.send("PATCH", &account, &headers, Some(one)),
            ana.send("PATCH", &account, &headers, Some(two)),
        );
        let mut statuses = [answers.0.status, answers.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }
    assert_eq!(entries(&ana, &account).await.len(), 1 + 8);
    verify(&ana, &account).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_30_owners_who_demote_each_other_at_once_leave_one() {
    let surface = LocalSurface::start().await;
    let [ana, ben] = ["ana", "ben"].map(|name| Person::new(&surface, name));
    let account = ana.account().await;
    ana.bring(&account, &ben, "owner").await;
    let members = format!("/v1/accounts/{account}/members");
    let (anas, bens) = (
        format!("{members}/{}", ana.id().await),
        format!("{members}/{}", ben.id().await),
    );
    for _ in 0..8 {
        let role = |role: &str| json!({ "role": role });
        let answers = tokio::join!(
            ana.patch(&bens, role("member")),
            ben.patch(&anas, role("member")),
        );
        let mut statuses = [answers.0.status, answers.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "{answers:?}");
        // The remaining owner makes the other person an owner again.
        let (owner, other) = if answers.0.status == 200 {
            (&ana, &bens)
        } else {
            (&ben, &anas)
        };
        let rows = owner.list(&members).await;
        let owners = rows.iter().filter(|row| row["role"] == "owner").count();
        assert_eq!(owners, 1);
        owner.patch(other, role("owner")).await.expect(200);
    }
    for _ in 0..4 {
        // The same holds for leaving: the last owner stays.
        let (one, two) = tokio::join!(
            ana.patch(&anas, json!({ "role": "admin" })),
            ben.patch(&bens, json!({ "role": "admin" })),
        );
        let (stayed, owner, left) = if one.status == 200 {
            (two, &ben, &anas)
        } else {
            (one, &ana, &bens)
        };
        stayed.expect_problem("last-owner");
        owner
            .patch(left, json!({ "role": "owner" }))
            .await
            .expect(200);
    }
    verify(&ana, &format!("/v1/accounts/{account}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_34_concurrent_acceptances_create_one_member() {
    let surface = LocalSurface::start().await;
    let [ana, ben] = ["ana", "ben"].map(|name| Person::new(&surface, name));
    let account = ana.account().await;
    let project = ana.project(&account).await;
    ben.id().await;
    let body = json!({
        "email": ben.email,
        "role": "guest",
        "project_grants": [{ "project_id": project, "role": "viewer" }],
    });
    let invitations = format!("/v1/accounts/{account}/invitations");
    ana.post(&invitations, body).await.expect(201);
    let token = ben.invitation_token().await;
    let accept = || ben.post("/v1/invitations/accept", json!({ "token": token }));
    let answers = join_all((0..8).map(|_| accept())).await;
    let (accepted, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(accepted.len(), 1);
    for answer in refused {
        answer.expect_problem("invitation-invalid");
    }
    let (account, project) = (
        format!("/v1/accounts/{account}"),
        format!("/v1/projects/{project}"),
    );
    assert_eq!(ana.list(&format!("{account}/members")).await.len(), 2);
    assert_eq!(ana.list(&format!("{project}/grants")).await.len(), 2);
    let events = entries(&ana, &account).await;
    let joined = |entry: &&Value| entry["event"] == "invitation.accepted";
    assert_eq!(events.iter().filter(joined).count(), 1, "{events:?}");
    verify(&ana, &account).await;
    verify(&ana, &project).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_52_one_key_sent_16_times_at_once_creates_one_record() {
    let surface = LocalSurface::start().await;
    let ana = Person::new(&surface, "ana");
    let bodies = [
        ("teams", json!({ "name": "Review" })),
        (
            "projects",
            json!({ "name": "House", "visibility": "private" }),
        ),
        (
            "invitations",
            json!({ "email": "dan@example.com", "role": "member" }),
        ),
    ];
    let account = json!({ "name": "Atelier", "kind": "organisation" });
    let key = [("idempotency-key", "once")];
    let sixteen = |path: String, body: Value| {
        let (ana, key) = (&ana, &key);
        async move {
            let sent = (0..16).map(|_| ana.send("POST", &path, key, Some(body.clone())));
            let answers = join_all(sent).await;
            let answers: Vec<Answered> = answers
                .into_iter()
                .map(|answer| answer.expect(201))
                .collect();
            let made = ids(&answers);
            assert_eq!(made.len(), 1, "{path}: {made:?}");
            made.into_iter().next().unwrap()
        }
    };
    let account = sixteen("/v1/accounts".into(), account).await;
    for (family, body) in bodies {
        let path = format!("/v1/accounts/{account}/{family}");
        sixteen(path.clone(), body).await;
        assert_eq!(ana.list(&path).await.len(), 1, "{family}");
    }
    let session = ana.get("/v1/session").await.expect(200);
    assert_eq!(session.body["accounts"].as_array().unwrap().len(), 1);
    verify(&ana, &format!("/v1/accounts/{account}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_first_requests_create_one_person() {
    let surface = LocalSurface::start().await;
    let ana = Person::new(&surface, "ana");
    let seen: BTreeSet<String> = join_all((0..16).map(|_| ana.id()))
        .await
        .into_iter()
        .collect();
    assert_eq!(seen.len(), 1);
}
