//! Azure Resource Manager: reading resources, and changes that take time.
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>

use azure_core::http::{Method, StatusCode};
use serde_json::Value;
use tokio::time::Instant;
use wm_deploy::{
    service_error::ServiceError,
    wait::{Pauses, TIMEOUT},
};

use super::{
    error::{refused, unreadable},
    rest::{Answer, Rest},
    step::Step,
};

/// Error codes for an earlier request that is in progress, or for a dependency that does not exist
/// yet.
const BUSY: &[&str] = &[
    "AnotherOperationInProgress",
    "ConcurrentUpdateError",
    "Conflict",
    "MissingSubscriptionRegistration",
    "PrincipalNotFound",
    "ResourceGroupBeingDeleted",
    "StorageAccountIsNotProvisioned",
    "StorageAccountOperationInProgress",
];
/// States of a change that is in progress.
const IN_PROGRESS: &[&str] = &[
    "Accepted",
    "Creating",
    "InProgress",
    "Initializing",
    "Provisioning",
    "Registering",
    "ResolvingDNS",
    "Running",
    "Updating",
];

/// The manager of one subscription.
#[derive(Debug, Clone)]
pub struct Arm {
    rest: Rest,
}

impl Arm {
    #[must_use]
    pub fn new(rest: Rest) -> Self {
        Self { rest }
    }

    /// A token of the signed-in operator, for reading its claims.
    ///
    /// # Errors
    /// Without a sign-in.
    pub async fn token(&self) -> Result<String, ServiceError> {
        self.rest.token("sign-in").await
    }

    /// Reads a resource. `None` if it does not exist.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn get(&self, id: &str, api: &str) -> Result<Option<Value>, ServiceError> {
        self.get_with(id, api, "").await
    }

    /// As [`Arm::get`], with a further query that begins with `&`.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn get_with(
        &self,
        id: &str,
        api: &str,
        query: &str,
    ) -> Result<Option<Value>, ServiceError> {
        let action = action(id, "read");
        let path = format!("{id}?api-version={api}{query}");
        let answer = self.send(&action, Method::Get, &path, None).await?;
        match answer.status {
            StatusCode::NotFound => Ok(None),
            status if status.is_success() => Ok(Some(json(&action, &answer.body)?)),
            status => Err(refused(&action, status, &answer.body)),
        }
    }

    /// Whether a resource with this name exists anywhere, in any account.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn is_name_taken(&self, path: &str, api: &str) -> Result<bool, ServiceError> {
        let action = action(path, "read");
        let path = format!("{path}?api-version={api}");
        let answer = self.send(&action, Method::Head, &path, None).await?;
        match answer.status {
            StatusCode::NotFound => Ok(false),
            status if status.is_success() => Ok(true),
            status => Err(refused(&action, status, &answer.body)),
        }
    }

    /// Calls an action that changes nothing.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn post(&self, id: &str, api: &str, body: &Value) -> Result<Value, ServiceError> {
        let action = action(id, "action");
        let path = format!("{id}?api-version={api}");
        let answer = self.send(&action, Method::Post, &path, Some(body)).await?;
        match answer.status.is_success() {
            true => json(&action, &answer.body),
            false => Err(refused(&action, answer.status, &answer.body)),
        }
    }

    /// Runs a step and waits until it has finished. `progress` receives the reason for waiting.
    /// While the service is busy with an earlier request, the step is retried for three minutes.
    ///
    /// # Errors
    /// If the service refuses.
    pub async fn write(&self, step: &Step, progress: impl Fn(&str)) -> Result<(), ServiceError> {
        let verb = if step.method == Method::Post {
            "action"
        } else {
            "write"
        };
        let action = action(&format!("{}{}", step.id, step.suffix), verb);
        let path = format!("{}{}?api-version={}", step.id, step.suffix, step.api);
        let deadline = Instant::now() + TIMEOUT;
        let mut pauses = Pauses::default();
        loop {
            let sent = self.send(&action, step.method, &path, step.body.as_ref());
            let answer = sent.await?;
            if answer.status.is_success() {
                return self.poll_until_done(&action, step, answer, progress).await;
            }
            let error = refused(&action, answer.status, &answer.body);
            let is_busy = error.code().is_some_and(|code| BUSY.contains(&code));
            match error.code() {
                // A concurrent run, or another program, assigned the same role under another name.
                Some("RoleAssignmentExists") => return Ok(()),
                _ if is_busy && Instant::now() < deadline => pauses.next().await,
                _ => return Err(error),
            }
        }
    }

    /// Waits for a resource whose change another program started.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn get_when_done(&self, id: &str, api: &str) -> Result<Option<Value>, ServiceError> {
        let mut pauses = Pauses::default();
        loop {
            match self.get(id, api).await? {
                Some(found) if is_in_progress(&found) => pauses.next().await,
                found => return Ok(found),
            }
        }
    }

    async fn poll_until_done(
        &self,
        action: &str,
        step: &Step,
        answer: Answer,
        progress: impl Fn(&str),
    ) -> Result<(), ServiceError> {
        let mut answer = answer;
        let mut pauses = Pauses::default();
        let mut is_reported = false;
        let operation = ["azure-asyncoperation", "location"];
        let operation = operation.into_iter().find_map(|name| {
            let url = answer.header(name)?;
            let is_accepted = answer.status == StatusCode::Accepted;
            // Tokens are sent to the manager only. An operation with a status URL elsewhere is
            // observed at the resource.
            let path = url.strip_prefix(self.rest.endpoint())?;
            let path = path.starts_with('/').then_some(path)?;
            (name != "location" || is_accepted).then(|| path.to_owned())
        });
        while let Some(path) = &operation {
            answer = self.send(action, Method::Get, path, None).await?;
            if !answer.status.is_success() {
                return Err(refused(action, answer.status, &answer.body));
            }
            let status = json(action, &answer.body).ok();
            let state = status.as_ref().and_then(|status| status.get("status"));
            let state = state.and_then(Value::as_str);
            if matches!(state, Some("Failed" | "Canceled")) {
                return Err(refused(action, StatusCode::Conflict, &answer.body));
            }
            let is_under_way = state.map_or(answer.status == StatusCode::Accepted, |state| {
                IN_PROGRESS.contains(&state)
            });
            if !is_under_way {
                break;
            }
            if !std::mem::replace(&mut is_reported, true) {
                progress(&format!("waiting: {step}"));
            }
            pauses.next().await;
        }
        if !step.has_provisioning_state {
            return Ok(());
        }
        let found = self.get_when_done(&step.id, step.api).await?;
        match found.as_ref().and_then(state) {
            Some("Failed" | "Canceled") => Err(unreadable(
                action,
                format!("`{}` was left unfinished", step.id),
            )),
            _ => Ok(()),
        }
    }

    async fn send(
        &self,
        action: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ServiceError> {
        let headers = [("content-type", "application/json".to_owned())];
        let bytes = body.map(ToString::to_string).unwrap_or_default();
        let headers = if body.is_some() { &headers[..] } else { &[] };
        self.rest
            .send(action, method, path, headers, bytes.into())
            .await
    }
}

/// An action named as in roles, such as `Microsoft.Storage/storageAccounts/write`: the types of an
/// id without the names.
fn action(id: &str, verb: &str) -> String {
    let types = match id.rsplit_once("/providers/") {
        Some((_, rest)) => rest,
        None => "Microsoft.Resources/subscriptions/subscription/resourceGroups/group",
    };
    let mut parts = types.split('/');
    let namespace = parts.next().unwrap_or_default();
    let kinds: Vec<&str> = parts.step_by(2).collect();
    let kinds = kinds.iter().map(|kind| format!("{kind}/"));
    format!("{namespace}/{}{verb}", kinds.collect::<String>())
}

fn json(action: &str, body: &[u8]) -> Result<Value, ServiceError> {
    serde_json::from_slice(body).map_err(|error| unreadable(action, error.to_string()))
}

/// The provisioning state of a resource.
fn state(resource: &Value) -> Option<&str> {
    let state = resource.pointer("/properties/provisioningState");
    state.or(resource.get("registrationState"))?.as_str()
}

fn is_in_progress(resource: &Value) -> bool {
    state(resource).is_some_and(|state| IN_PROGRESS.contains(&state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_named_as_roles_name_them() {
        let group = "/subscriptions/s/resourceGroups/g";
        for (id, name) in [
            (
                group.to_owned(),
                "Microsoft.Resources/subscriptions/resourceGroups/write",
            ),
            (
                format!(
                    "{group}/providers/Microsoft.Storage/storageAccounts/a/blobServices/default/containers/c"
                ),
                "Microsoft.Storage/storageAccounts/blobServices/containers/write",
            ),
            (
                format!(
                    "{group}/providers/Microsoft.Storage/storageAccounts/a/providers/Microsoft.Authorization/roleAssignments/r"
                ),
                "Microsoft.Authorization/roleAssignments/write",
            ),
        ] {
            assert_eq!(action(&id, "write"), name);
        }
    }
}
