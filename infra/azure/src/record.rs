//! The previous deployment. The manager stores the parameters and outputs of deployments.

use serde_json::Value;
use wm_terminal::failure::Failure;

use crate::{account::Account, deployment::Names, stack::Parameters};

/// The API version of `Microsoft.Resources`.
pub(crate) const API: &str = "2025-04-01";

/// The last deployment with a name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Record {
    /// The parameters, without secret values.
    pub(crate) parameters: Parameters,
    /// The outputs. Empty if the deployment did not finish.
    outputs: Parameters,
}

impl Record {
    /// The last deployment. `None` before the first one.
    ///
    /// # Errors
    /// If the manager does not answer.
    pub(crate) async fn find(
        account: &Account,
        names: &Names,
        deployment: &str,
    ) -> Result<Option<Self>, Failure> {
        let resource_group = names.resource_group(&account.subscription);
        let id = resource_group.id(&format!("Microsoft.Resources/deployments/{deployment}"));
        let found = account.arm.get(&id, API).await?;
        Ok(found.map(|found| Self::of(&found)))
    }

    fn of(found: &Value) -> Self {
        let values = |name: &str| {
            let members = found.pointer(name).and_then(Value::as_object);
            let members = members.into_iter().flatten();
            let value = |(name, member): (&String, &Value)| {
                let value = member.get("value").filter(|value| !value.is_null());
                Some((name.clone(), value?.clone()))
            };
            members.filter_map(value).collect()
        };
        Self {
            parameters: values("/properties/parameters"),
            outputs: values("/properties/outputs"),
        }
    }

    /// Whether the deployment finished.
    pub(crate) fn is_finished(&self) -> bool {
        !self.outputs.is_empty()
    }

    pub(crate) fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).and_then(Value::as_str)
    }

    /// The value of a required output.
    ///
    /// # Errors
    /// If the deployment does not have the output.
    pub(crate) fn needed(&self, names: &Names, name: &str) -> Result<&str, Failure> {
        self.output(name).ok_or_else(|| {
            let base_name = &names.base_name;
            Failure::new(format!(
                "the deployment `{base_name}` has no output `{name}`: run `wm deploy azure` again"
            ))
        })
    }
}

/// The last deployment, for commands that need `wm deploy azure` first.
///
/// # Errors
/// If there is none.
pub(crate) async fn deployed(account: &Account, names: &Names) -> Result<Record, Failure> {
    let base_name = names.base_name.to_string();
    Record::find(account, names, &base_name).await?.ok_or_else(|| {
        let group = &names.group;
        Failure::new(format!(
            "the deployment `{base_name}` is not in the group `{group}`: run `wm deploy azure` first"
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secret_parameters_have_no_value() {
        let found = json!({ "properties": {
            "parameters": {
                "mailFrom": { "type": "String", "value": "docs@example.com" },
                "surfaceSecret": { "type": "SecureString" },
            },
            "outputs": null,
        } });
        let record = Record::of(&found);
        let names: Vec<&String> = record.parameters.keys().collect();
        assert_eq!(names, ["mailFrom"]);
        assert!(!record.is_finished());
    }
}
