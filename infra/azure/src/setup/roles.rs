//! The signed-in operator and their roles.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use wm_core::value::Sha256;
use wm_deploy::{
    plan::{Resource, Verdict},
    service_error::ServiceError,
};

use super::{
    Wanted,
    arm::Arm,
    step::{Step, list, text},
};

/// The API version of `Microsoft.Authorization`.
const API: &str = "2022-04-01";

/// A user or service principal that can have roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The object id in the directory.
    pub id: String,
    /// `User` or `ServicePrincipal`.
    pub kind: &'static str,
}

/// A token without the id of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongToken;

impl fmt::Display for WrongToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the sign-in does not name its user: run `az login` and try again")
    }
}

impl std::error::Error for WrongToken {}

impl Principal {
    /// The owner of a token. The token is not verified, because it is only sent to the service that
    /// issued it.
    ///
    /// # Errors
    /// If the token does not name its owner.
    pub fn of_token(token: &str) -> Result<Self, WrongToken> {
        #[derive(Deserialize)]
        struct Claims {
            oid: String,
            #[serde(default)]
            idtyp: String,
        }
        let claims = token.split('.').nth(1).unwrap_or_default();
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| WrongToken)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| WrongToken)?;
        Ok(Self {
            id: claims.oid,
            kind: match claims.idtyp.as_str() {
                "app" => "ServicePrincipal",
                _ => "User",
            },
        })
    }
}

/// The roles of a principal at a resource and its parents.
pub(super) async fn describe(
    arm: &Arm,
    scope: &str,
    principal: &Principal,
) -> Result<Value, ServiceError> {
    let id = format!("{scope}/providers/Microsoft.Authorization/roleAssignments");
    let query = format!("&$filter=principalId%20eq%20'{}'", principal.id);
    let found = arm.get_with(&id, API, &query).await?;
    Ok(found.unwrap_or_default())
}

/// Assigns the role at this resource, unless it is assigned there or at a parent.
pub(super) fn plan(
    plan: &mut Resource<Step>,
    wanted: &Wanted,
    scope: &str,
    found: Option<&Value>,
    role: (&str, &str),
) {
    let (name, role) = role;
    let principal = &wanted.principal;
    let scope_lower = scope.to_ascii_lowercase();
    let is_it = |given: &&Value| {
        let at = text(given, "/properties/scope").to_ascii_lowercase();
        let is_above = at == "/" || scope_lower == at || scope_lower.starts_with(&format!("{at}/"));
        text(given, "/properties/roleDefinitionId").ends_with(role) && is_above
    };
    let setting = format!("role of {}", principal.id);
    let given = found.map(|found| list(found, "/value")).unwrap_or_default();
    if given.iter().any(|given| is_it(&given)) {
        return plan.note(&setting, Verdict::Unchanged(name.to_owned()));
    }
    let definition = format!(
        "{}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        wanted.resource_group.subscription_id()
    );
    let id = format!(
        "{scope}/providers/Microsoft.Authorization/roleAssignments/{}",
        guid(&[scope, &principal.id, role])
    );
    let body = json!({ "properties": {
        "roleDefinitionId": definition,
        "principalId": principal.id,
        "principalType": principal.kind,
    } });
    let step = Step::once(&format!("give the role {name}"), &id, API, body);
    plan.compare(&setting, None, name, step);
}

/// An id derived from these parts, so that two runs assign a role once.
fn guid(parts: &[&str]) -> String {
    let digest = Sha256::of(parts.join("\n").as_bytes()).to_string();
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    // Version 8: a custom UUID.
    format!(
        "{}-{}-8{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("x.{}.y", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn principal_is_read_from_a_token() {
        let user = Principal::of_token(&token(r#"{"oid":"1","name":"Ana"}"#)).unwrap();
        assert_eq!((user.id.as_str(), user.kind), ("1", "User"));
        let app = Principal::of_token(&token(r#"{"oid":"2","idtyp":"app"}"#)).unwrap();
        assert_eq!(app.kind, "ServicePrincipal");
        for wrong in ["", "x", "a.b.c", &token("{}")] {
            assert_eq!(Principal::of_token(wrong), Err(WrongToken));
        }
    }

    #[test]
    fn role_assignment_has_a_stable_name() {
        let name = guid(&["a", "b"]);
        assert_eq!(name, guid(&["a", "b"]));
        assert_ne!(name, guid(&["a", "c"]));
        let lengths: Vec<usize> = name.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
