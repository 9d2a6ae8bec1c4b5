//! The members of a body that belong to one surface.
//!
//! A body is stored in two parts. The shared part is the same on every surface, and the checksum
//! covers it. The local part holds what each surface decides by itself, such as the provider's
//! version of an object. [`Body::LOCAL`](super::Body::LOCAL) names its members.

use alloc::{borrow::ToOwned, string::String};

use serde_json::{Map, Value};

use crate::value::{Invalid, canonical};

/// The path of a member: the names from the body down to it.
pub type Path = &'static [&'static str];

/// Moves the local members out of a body. Returns their canonical text, an object by path. `None`
/// if all of them are null or absent.
pub(super) fn split(body: &mut Value, paths: &[Path]) -> Option<String> {
    let mut local = Map::new();
    for path in paths {
        let taken = parent(body, path).and_then(|(parent, name)| parent.remove(name));
        if let Some(value) = taken.filter(|value| !value.is_null()) {
            local.insert(path.join("."), value);
        }
    }
    (!local.is_empty()).then(|| canonical::canonical(&Value::Object(local)))
}

/// Puts the local members back into a body.
///
/// # Errors
/// [`Invalid`] if `local` is not an object of these members, or if the body has no place for them.
pub(super) fn join(body: &mut Value, local: Option<&str>, paths: &[Path]) -> Result<(), Invalid> {
    const WRONG: Invalid = Invalid("must be an object of local members");
    let mut local: Map<String, Value> = match local {
        Some(text) => serde_json::from_str(text).map_err(|_| WRONG)?,
        None => Map::new(),
    };
    for path in paths {
        let value = local.remove(&path.join("."));
        let (parent, name) = parent(body, path).ok_or(WRONG)?;
        let before = parent.insert(name.to_owned(), value.unwrap_or_default());
        if before.is_some() {
            return Err(WRONG);
        }
    }
    if local.is_empty() { Ok(()) } else { Err(WRONG) }
}

fn parent<'a>(
    body: &'a mut Value,
    path: &[&'static str],
) -> Option<(&'a mut Map<String, Value>, &'static str)> {
    let (name, parents) = path.split_last()?;
    let mut value = body;
    for parent in parents {
        value = value.get_mut(*parent)?;
    }
    Some((value.as_object_mut()?, name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PATHS: &[Path] = &[&["provider"], &["content", "upload_id"]];

    #[test]
    fn split_body_is_joined_again() {
        for (body, shared, local) in [
            (
                json!({ "name": "a", "provider": "aws", "content": { "size": 1, "upload_id": "u" } }),
                json!({ "name": "a", "content": { "size": 1 } }),
                Some(r#"{"content.upload_id":"u","provider":"aws"}"#),
            ),
            (
                json!({ "name": "a", "provider": null, "content": { "size": 1, "upload_id": null } }),
                json!({ "name": "a", "content": { "size": 1 } }),
                None,
            ),
        ] {
            let mut parts = body.clone();
            assert_eq!(split(&mut parts, PATHS).as_deref(), local);
            assert_eq!(parts, shared);
            join(&mut parts, local, PATHS).unwrap();
            assert_eq!(parts, body);
        }
    }

    #[test]
    fn unknown_or_repeated_local_members_are_refused() {
        let shared = json!({ "content": {} });
        for local in ["[]", r#"{"name":1}"#, "{"] {
            assert!(
                join(&mut shared.clone(), Some(local), PATHS).is_err(),
                "{local}"
            );
        }
        let mut repeated = json!({ "provider": "aws", "content": {} });
        assert!(join(&mut repeated, None, PATHS).is_err());
        assert!(join(&mut json!({}), None, PATHS).is_err());
    }
}
