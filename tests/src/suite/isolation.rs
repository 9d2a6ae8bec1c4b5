//! Cases B: tenants do not see each other.

use wm_core::{api::Method, operations};

use crate::{client::Person, harness::Harness};

/// Every route with an id of another account answers as if it did not exist.
pub async fn case_17_ids_of_another_account_do_not_exist<H: Harness>(surface: &H) {
    let (ana, eve) = (Person::new(surface, "ana"), Person::new(surface, "eve"));
    let account = ana.account().await;
    let project = ana.project(&account).await;
    let artifact = ana.upload(&project, "plan.txt", b"plan").await;
    eve.account().await;
    let user = ana.id().await;
    for route in operations::routes().filter(|route| route.path.contains('{')) {
        let path = route
            .path
            .replace("{account}", &account)
            .replace("{project}", &project)
            .replace("{artifact}", &artifact)
            .replace("{number}", "1")
            .replace("{user}", &user);
        if path.contains('{') {
            continue;
        }
        let headers = [("if-match", "*")];
        let body = (route.method != Method::Get && route.method != Method::Delete)
            .then(|| crate::requests::valid(route.operation));
        let foreign = eve
            .send(route.method.as_str(), &path, &headers, body.clone())
            .await;
        foreign.expect_problem("not-found");
    }
}
