//! `GET /v1/projects/{project}/artifacts/{artifact}/versions/{number}`

use crate::{operation::Route, operations::content::get::GetContent, record::Version};

pub(super) const ROUTE: Route = GetContent::<Version>::route(
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}",
    "get_version",
    "Show a version",
);

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use crate::{
        record::{EventType, Record, Version},
        testing::document_fixture::{BYTES, DocumentFixture},
        value::{ArtifactId, VersionId, id::Id},
    };

    #[test]
    fn version_shows_the_upload_state() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        let vera = fixture.vera.clone();
        let pending = fixture.base.get(&vera, &version).expect(200).body;
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(pending["status"], "pending");
        assert!(pending["upload_expires_at"].is_string());
        fixture.put(&version, BYTES);
        fixture.complete(&version).expect(200);
        let available = fixture.base.get(&vera, &version).expect(200).body;
        assert_eq!(available["status"], "available");
        assert!(available.get("upload_expires_at").is_none());
        DocumentFixture::assert_no_internal_fields(&available);
    }

    #[test]
    fn version_is_found_by_number_and_by_id() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/versions", fixture.declared(BYTES));
        let shown = fixture.shown(&format!("{path}/1"));
        let by_id = format!("{path}/{}", shown["id"].as_str().unwrap());
        assert_eq!(fixture.shown(&by_id), shown);
        assert_eq!(fixture.base.rounds, 1);
        fixture.put(&format!("{path}/1"), BYTES);
        fixture.complete(&by_id).expect(200);
        assert_eq!(fixture.shown(&by_id)["status"], "available");
        let (ben, other) = (fixture.ben.clone(), by_id.replace("ver_0", "ver_1"));
        fixture.base.get(&ben, &other).expect_problem("not-found");
    }

    /// A declared version, and the path of its document's versions.
    fn declared() -> (DocumentFixture, String, Record<Version>) {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/versions", fixture.declared(BYTES));
        let key = fixture.key(&format!("{path}/1")).unwrap();
        let version = fixture.base.record(&key).unwrap();
        (fixture, path, version)
    }

    #[test]
    fn version_of_format_1_is_found_by_its_own_id_only() {
        let (mut fixture, path, first) = declared();
        let (ben, scope) = (fixture.ben.clone(), first.key().scope);
        let artifact = first.body.artifact_id;
        let old = VersionId::of_format_1(artifact, 2);
        let event = EventType::VersionCreated;
        fixture.base.write(&ben, scope, event, |_, commit| {
            let body = Version {
                number: 2,
                ..first.body.clone()
            };
            commit.create(old, body);
        });
        let stored = fixture.key(&format!("{path}/2")).unwrap();
        assert!(stored.sort.as_str().ends_with("#00000000000000000002"));
        let object = fixture.object_path(&format!("{path}/2"));
        assert!(object.ends_with("/raw/2/report.pdf"), "{object}");
        let shown = fixture.shown(&format!("{path}/2"));
        assert_eq!(fixture.shown(&format!("{path}/{old}")), shown);
        let other = VersionId::of_format_1(ArtifactId::from_ulid(ulid::Ulid::nil()), 2);
        let other = format!("{path}/{other}");
        fixture.base.get(&ben, &other).expect_problem("not-found");
    }

    #[test]
    fn number_of_two_versions_is_refused_with_their_ids() {
        let (mut fixture, path, first) = declared();
        let (ben, scope) = (fixture.ben.clone(), first.key().scope);
        // As another surface can declare it at the same time.
        let second = VersionId::new(1, ulid::Ulid::from_parts(1, 1));
        let event = EventType::VersionCreated;
        fixture.base.write(&ben, scope, event, |_, commit| {
            commit.create(second, first.body.clone());
        });
        let refused = fixture.base.get(&ben, &format!("{path}/1"));
        let refused = refused.expect_problem("conflict");
        for id in [first.id, second] {
            assert!(refused.text("detail").contains(&format!("`{id}`")));
            fixture.shown(&format!("{path}/{id}"));
        }
    }

    #[test]
    fn case_24_version_number_has_one_spelling() {
        let mut fixture = DocumentFixture::new();
        let (ben, otto, path) = (
            fixture.ben.clone(),
            fixture.otto.clone(),
            fixture.uploaded(),
        );
        for number in ["0", "01", "+1", "1%20", "-1", "2", "4294967296", "x"] {
            let version = format!("{path}/versions/{number}");
            fixture.base.get(&ben, &version).expect_problem("not-found");
        }
        let version = format!("{path}/versions/1");
        fixture
            .base
            .get(&otto, &version)
            .expect_problem("not-found");
    }
}
