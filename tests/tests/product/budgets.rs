//! The cost of a request does not depend on the amount of data. Counted at the port on real
//! requests, so that the speed of the machine does not matter. The module [`crate::costs`] compares
//! each operation with its budget.

use serde_json::json;
use wm_core::operation::Budget;
use wm_tests::{client::Person, faults::Counts, surfaces::memory::MemorySurface};

/// The cost of a session with this number of projects, and the number of projects that it shows.
async fn session_with(projects: usize) -> (Counts, usize) {
    let surface = MemorySurface::new();
    let ana = Person::new(&surface, "ana");
    let account = ana.account().await;
    for _ in 0..projects {
        ana.project(&account).await;
    }
    let records = &surface.service.provider().records;
    records.take();
    let session = ana.get("/v1/session").await.expect(200);
    let shown = session.body["projects"].as_array().unwrap().len();
    (records.take(), shown)
}

#[tokio::test]
async fn session_takes_the_same_rounds_for_any_number_of_projects() {
    let (few, shown) = session_with(3).await;
    assert_eq!(shown, 3);
    let (page, shown) = session_with(50).await;
    assert_eq!(shown, 50);
    let (many, shown) = session_with(60).await;
    assert_eq!(shown, 50);
    assert!(few.rounds <= 4, "{few:?}");
    assert!(
        page.rounds <= few.rounds && many.rounds <= few.rounds,
        "{few:?} {page:?} {many:?}"
    );
    assert!(many.widest <= 50, "{many:?}");
    assert!(many.calls <= page.calls, "{many:?} after {page:?}");
    assert_eq!(many.commits, 0);
}

#[tokio::test]
async fn first_request_signs_a_person_up_and_later_ones_do_not() {
    let surface = MemorySurface::new();
    let records = &surface.service.provider().records;
    let ana = Person::new(&surface, "ana");
    ana.get("/v1/preferences/notifications").await.expect(200);
    assert_eq!(records.take().commits, 3);
    ana.get("/v1/preferences/notifications").await.expect(200);
    let known = records.take();
    assert_eq!(Budget::of(known.rounds, known.commits), Budget::READ);
}

#[tokio::test]
async fn decision_reads_three_ranges_for_any_number_of_grants() {
    let surface = MemorySurface::new();
    let ana = Person::new(&surface, "ana");
    let account = ana.account().await;
    let project = ana.project(&account).await;
    let me = ana.id().await;
    let path = format!("/v1/projects/{project}");
    let records = &surface.service.provider().records;
    let mut costs = Vec::new();
    for _ in 0..2 {
        records.take();
        ana.get(&path).await.expect(200);
        costs.push(records.take());
        for number in 0..12 {
            let body = json!({ "name": format!("Team {number}") });
            let teams = format!("/v1/accounts/{account}/teams");
            let team = ana.post(&teams, body).await.expect(201).id();
            ana.put(
                &format!("{teams}/{team}/members/{me}"),
                json!({ "role": "lead" }),
            )
            .await;
            ana.grant(&project, &me, "viewer").await;
        }
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!((costs[0].calls, costs[0].rounds), (3, 1));
}

/// A request for an unknown project makes the same calls as one for a hidden project.
#[tokio::test]
async fn case_23_hidden_project_costs_as_much_as_a_missing_one() {
    let surface = MemorySurface::new();
    let [ana, eve] = ["ana", "eve"].map(|name| Person::new(&surface, name));
    let account = ana.account().await;
    let project = ana.project(&account).await;
    eve.id().await;
    let records = &surface.service.provider().records;
    // Increment one letter in the project's own part.
    let mut absent = project.clone();
    let last = absent.pop().unwrap();
    absent.push(if last == '0' { '1' } else { '0' });
    let mut costs = Vec::new();
    for id in [&project, &absent] {
        records.take();
        eve.get(&format!("/v1/projects/{id}")).await.expect(404);
        costs.push(records.take());
    }
    assert_eq!(costs[0], costs[1]);
}
