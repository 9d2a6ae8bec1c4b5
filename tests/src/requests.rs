//! A body each route would take, for asking whether it takes it from whom it should not.

use serde_json::{Value, json};

/// A well-formed body for an operation. Operations that take none get an empty object.
pub fn valid(operation: &str) -> Value {
    let user = "usr_01h2xcejqtf2nbrexx3vqjhp41";
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let file = json!({ "name": "a.txt", "media_type": "text/plain", "size": 0, "sha256": digest });
    match operation {
        "create_account" => json!({ "name": "Atelier", "kind": "organisation" }),
        "update_account" | "create_team" | "update_team" | "update_project" => {
            json!({ "name": "Atelier" })
        }
        "update_member" => json!({ "role": "member" }),
        "put_team_member" => json!({ "role": "member" }),
        "create_invitation" => json!({ "email": "new@example.com", "role": "member" }),
        "create_project" => json!({ "name": "House", "visibility": "private" }),
        "create_grant" => json!({ "principal": { "type": "user", "id": user }, "role": "viewer" }),
        "update_grant" => json!({ "role": "viewer" }),
        "create_artifact" | "create_version" => file,
        "update_artifact" => json!({ "name": "b.txt" }),
        "create_derived" => {
            let mut derived = file;
            derived["source_version"] = json!(1);
            derived["kind"] = json!("text");
            derived
        }
        "append_metadata" => json!({ "values": { "pages": 3 } }),
        "append_event" => json!({ "kind": "note", "text": "Seen." }),
        "establish_address" => json!({ "id_token": "none" }),
        "link_identity" => json!({ "access_token": "none" }),
        "accept_invitation" | "decline_invitation" => json!({ "token": "none" }),
        "put_notification_preferences" => json!({ "rules": [] }),
        _ => json!({}),
    }
}
