//! Access to a project, and the records that give it.

mod effective;
mod preview;
mod subjects;

use alloc::{string::String, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::Route,
    permission::{Access, Reason, access::SourceKind},
    value::{Capabilities, ProjectRole},
};

pub(super) const ROUTES: &[&Route] = &[&effective::ROUTE, &preview::ROUTE, &subjects::ROUTE];

/// A record that confers a role.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccessReason")]
struct ReasonView {
    /// The kind of the record.
    source: SourceKind,
    /// The id of the grant or the project, or the user id of the member.
    record_id: String,
    /// The role on the project that it amounts to.
    role: ProjectRole,
    /// What it gives, as far as the project's state allows.
    capabilities: Capabilities,
}

impl ReasonView {
    fn all(access: &Access<'_>, reasons: impl IntoIterator<Item = Reason>) -> Vec<Self> {
        let view = |reason: Reason| Self {
            source: reason.source.kind(),
            record_id: reason.source.record_id(),
            role: reason.role,
            capabilities: reason.role.capabilities().intersection(access.possible()),
        };
        reasons.into_iter().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use serde_json::json;

    use crate::{
        operation::Route,
        operations::{access, grants, projects},
        testing::{GrantFixture, principal_of},
    };

    fn body(route: &Route, user: &str) -> Option<serde_json::Value> {
        let grant = json!({ "principal": principal_of(user), "role": "viewer" });
        match route.operation {
            "create_project" => Some(json!({ "name": "x", "visibility": "account" })),
            "update_project" => Some(json!({ "name": "x" })),
            "create_grant" => Some(grant),
            "update_grant" => Some(json!({ "role": "viewer" })),
            "preview_access" => Some(json!({ "add": [grant] })),
            _ => None,
        }
    }

    #[test]
    fn case_17_case_23_every_route_hides_objects_from_outsiders() {
        let mut fixture = GrantFixture::new();
        let eve = fixture.base.person("eve");
        fixture.base.account(&eve);
        let real = [&fixture.account, &fixture.project, &fixture.management].map(String::as_str);
        let unknown = [
            "acc_01h2xcejqtf2nbrexx3vqjhp41",
            "prj_01h2xcejqtf2nbrexx3vqjhp4101h2xcejqtf2nbrexx3vqjhp41",
            "grt_01h2xcejqtf2nbrexx3vqjhp41",
        ];
        let malformed = ["acc_1", "prj_%23GRANT%23", "grt_\u{0}"];
        let before = fixture.base.dump();
        for route in [projects::ROUTES, grants::ROUTES, access::ROUTES].concat() {
            let mut send = |[account, project, grant]: [&str; 3]| {
                let path = route.path.replace("{account}", account);
                let path = path.replace("{project}", project).replace("{grant}", grant);
                let body = body(route, &fixture.ben.id());
                assert_eq!(body.is_some(), route.body.is_some(), "{}", route.operation);
                let method = route.method.as_str();
                let mut answer = fixture
                    .base
                    .send(&eve, method, &path, &[], body)
                    .expect(404);
                answer.body["request_id"] = json!(null);
                answer.body
            };
            let answer = send(real);
            assert_eq!(answer, send(unknown), "{}", route.operation);
            assert_eq!(answer, send(malformed), "{}", route.operation);
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_18_own_account_opens_no_project_of_another() {
        let mut fixture = GrantFixture::new();
        let eve = fixture.base.person("eve");
        let own = fixture.base.account(&eve);
        let forged = fixture.project.replace(
            fixture.account.trim_start_matches("acc_"),
            own.trim_start_matches("acc_"),
        );
        assert_ne!(forged, fixture.project);
        for path in [fixture.path(), format!("/v1/projects/{forged}")] {
            for path in [
                path.clone(),
                format!("{path}/access"),
                format!("{path}/grants"),
            ] {
                fixture.base.get(&eve, &path).expect_problem("not-found");
            }
        }
    }
}
