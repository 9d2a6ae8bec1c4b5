//! The parameters of the template.

use std::{collections::BTreeSet, fs, path::Path};

use clap::Args;
use serde_json::{Value, json};
use wm_azure::secrets::SURFACE_ID_KEY;
use wm_core::value::{Email, SurfaceId};
use wm_deploy::{
    origin::Origin,
    parameters::{name_and_value, new_surface, public_url},
};
use wm_terminal::{failure::Failure, flags::given};

use crate::{
    account::Account,
    deploy::TEMPLATE,
    deployment::{Choice, Data, Names},
    record::Record,
    setup::baseline::BASELINE,
    stack::Parameters,
};

/// Parameters that only this program sets.
const RESERVED: &[&str] = &[
    "prefix",
    "environment",
    "surfaceId",
    "surfaceSecret",
    "dataExists",
    "functionsPublished",
    "setupPrincipalId",
    "setupPrincipalType",
];

/// The flags for template parameters.
#[derive(Debug, Args)]
pub struct Settings {
    /// The exact issuer of access tokens. Required for the first deployment
    #[arg(long, value_name = "URL", env = "AZURE_ENTRA_ISSUER")]
    entra_issuer: Option<String>,
    /// The id of the tenant in which people sign in. Required for the first deployment
    #[arg(long, value_name = "ID", env = "AZURE_ENTRA_TENANT")]
    entra_tenant: Option<String>,
    /// An application whose tokens are accepted. Can be repeated. Required for the first deployment
    #[arg(
        long = "entra-client",
        value_name = "ID",
        env = "AZURE_ENTRA_CLIENTS",
        value_delimiter = ','
    )]
    entra_clients: Vec<String>,
    /// The operator's address in the gateway, which sends its own mails to it. Required for the
    /// first deployment
    #[arg(long, value_name = "ADDRESS")]
    publisher_email: Option<Email>,
    /// The sender of all mails, in your own domain. Default: a sender that Azure creates
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<Email>,
    /// The URL of the surface in mails. Default: the URL of the gateway
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<Origin>,
    /// An origin whose pages may call the API and use signed URLs. Can be repeated
    #[arg(long = "origin", value_name = "URL")]
    origins: Vec<Origin>,
    /// The id of the action group for alarms
    #[arg(long, value_name = "ID")]
    alarm_action_group: Option<String>,
    /// The retention of logs, in days
    #[arg(long, value_name = "DAYS")]
    log_retention: Option<u16>,
    /// Any other parameter of the template. Can be repeated. The value is a text or JSON
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    others: Vec<(String, Value)>,
    /// Whether a new database account uses the subscription's one free tier
    #[arg(
        long,
        value_name = "BOOL",
        env = "AZURE_COSMOS_ENABLE_FREE_TIER",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) free_tier: Choice,
}

/// A parameter. Its value is parsed as JSON if possible.
fn parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = name_and_value(text)?;
    if RESERVED.contains(&name) {
        return Err(format!("`{name}` is set by this program: remove it"));
    }
    // `az` would read a file if the value begins with `@`.
    if value.is_empty() || value.starts_with('@') {
        return Err("a parameter must not be empty and must not begin with `@`".into());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

impl Settings {
    /// The deployed parameters, overwritten by the parameters that flags set.
    pub(crate) async fn parameters(
        &self,
        account: &Account,
        names: &Names,
        data: &Data,
        before: Option<&Record>,
        root: &Path,
    ) -> Result<Parameters, Failure> {
        let known = known(root)?;
        let mut parameters = before
            .map(|record| record.parameters.clone())
            .unwrap_or_default();
        // Removes parameters that the template no longer has, and values that it derives each time.
        // The manager stores derived values like given ones.
        let discovery = derived_discovery(&parameters);
        parameters.retain(|name, value| {
            let is_derived = name == "entraDiscoveryUrl" && Some(&*value) == discovery.as_ref();
            known.contains(name) && name != "setupPrincipalId" && !is_derived
        });
        let kept = kept_names(names, data, before);
        let is_moved = before.is_some_and(|record| is_moved(&kept, record));
        if before.is_none() {
            self.check_first()?;
        }
        if before.is_none() || is_moved {
            let exists = data_exists(account, &kept).await?;
            if is_moved && !exists {
                return Err(moved(&kept));
            }
            parameters.insert("dataExists".to_owned(), exists.into());
        }
        let surface = surface_id(account, names, before).await?;
        let chosen = [
            ("prefix", json!(names.base_name.prefix)),
            ("environment", json!(names.base_name.environment)),
            ("surfaceId", json!(surface.to_string())),
            ("setupPrincipalType", json!(account.principal.kind)),
        ];
        let named = self.named().into_iter();
        let chosen = chosen.into_iter().chain(data_names(names, data, before));
        let chosen = chosen.chain(named.filter_map(|(name, value)| Some((name, value?))));
        let chosen = chosen.map(|(name, value)| (name.to_owned(), value));
        parameters.extend(chosen.chain(self.others.iter().cloned()));
        let strange = self.others.iter().find(|(name, _)| !known.contains(name));
        if let Some((name, _)) = strange {
            return Err(Failure::usage(format!(
                "`{TEMPLATE}` has no parameter `{name}`: see the list there"
            )));
        }
        Ok(parameters)
    }

    fn check_first(&self) -> Result<(), Failure> {
        let needed = [
            (
                "--entra-issuer",
                given(self.entra_issuer.as_ref()).is_some(),
            ),
            (
                "--entra-tenant",
                given(self.entra_tenant.as_ref()).is_some(),
            ),
            ("--entra-client", !self.clients().is_empty()),
            ("--publisher-email", self.publisher_email.is_some()),
        ];
        let missing = needed.iter().filter(|(_, is_said)| !is_said);
        let missing: Vec<String> = missing.map(|(flag, _)| format!("`{flag}`")).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join(", ");
        Err(Failure::usage(format!(
            "the first deployment needs {missing}"
        )))
    }

    /// The applications. An empty variable counts as none.
    fn clients(&self) -> Vec<&str> {
        let clients = self.entra_clients.iter().map(|client| client.trim());
        clients.filter(|client| !client.is_empty()).collect()
    }

    /// The parameters that flags set.
    fn named(&self) -> [(&'static str, Option<Value>); 9] {
        let text = |flag: &Option<String>| given(flag.as_ref()).map(Value::from);
        let list = |texts: Vec<String>| (!texts.is_empty()).then(|| json!(texts));
        let shown = |text: Option<String>| text.map(Value::from);
        let clients = self.clients().into_iter().map(str::to_owned);
        let origins = self.origins.iter().map(ToString::to_string);
        [
            ("entraIssuer", text(&self.entra_issuer)),
            ("entraTenant", text(&self.entra_tenant)),
            ("entraClients", list(clients.collect())),
            (
                "publisherEmail",
                shown(self.publisher_email.as_ref().map(ToString::to_string)),
            ),
            (
                "mailFrom",
                shown(self.mail_from.as_ref().map(ToString::to_string)),
            ),
            (
                "publicUrl",
                shown(self.public_url.as_ref().map(ToString::to_string)),
            ),
            ("allowedOrigins", list(origins.collect())),
            ("alarmActionGroupId", text(&self.alarm_action_group)),
            ("logRetentionDays", self.log_retention.map(Value::from)),
        ]
    }
}

/// The parameters with the names of storage and database, in the order of [`Names::data`].
const DATA: [&str; 5] = [
    "storageAccountName",
    "storageContainerName",
    "cosmosAccountName",
    "cosmosDatabaseName",
    "cosmosContainerName",
];

fn deployed<'record>(before: &'record Record, parameter: &str) -> Option<&'record str> {
    before.parameters.get(parameter)?.as_str()
}

/// The names, with the deployed names of storage and database unless flags name others.
fn kept_names(names: &Names, data: &Data, before: Option<&Record>) -> Names {
    let mut kept = names.clone();
    let parameters = DATA.into_iter().zip(kept.data_mut()).zip(data.given());
    for ((parameter, name), chosen) in parameters {
        let deployed = before.and_then(|record| deployed(record, parameter));
        if let (None, Some(deployed)) = (chosen, deployed) {
            deployed.clone_into(name);
        }
    }
    kept
}

/// Whether the functions would use another database or storage than before.
fn is_moved(kept: &Names, before: &Record) -> bool {
    let mut names = DATA.into_iter().zip(kept.data());
    names.any(|(parameter, name)| {
        deployed(before, parameter).is_some_and(|deployed| deployed != name)
    })
}

/// A new database has no records, so the sweep would take all stored documents for orphans.
fn moved(kept: &Names) -> Failure {
    Failure::usage(format!(
        "this deployment uses other data than `{}` in `{}` and `{}` in `{}`: drop the flags and the variables \
         `AZURE_STORAGE_…` and `AZURE_COSMOS_…` that name them, or create them with `wm setup azure` first",
        kept.storage_container, kept.storage_account, kept.cosmos_container, kept.cosmos_account
    ))
}

/// The names of storage and database. Deployed names stay unless flags name others.
fn data_names(
    names: &Names,
    data: &Data,
    before: Option<&Record>,
) -> impl Iterator<Item = (&'static str, Value)> {
    let is_first = before.is_none();
    let all = DATA.into_iter().zip(names.data()).zip(data.given());
    let chosen = all.filter(|(_, chosen)| is_first || chosen.is_some());
    let chosen = chosen.map(|((parameter, name), _)| (parameter, json!(name)));
    let location = names.location.as_ref();
    let location = location.map(|location| ("location", json!(location)));
    let chosen: Vec<_> = chosen.chain(location).collect();
    chosen.into_iter()
}

/// The default URL of an issuer's discovery document.
fn derived_discovery(parameters: &Parameters) -> Option<Value> {
    let issuer = parameters.get("entraIssuer")?.as_str()?;
    Some(format!("{issuer}/.well-known/openid-configuration").into())
}

/// The parameters of the template.
fn known(root: &Path) -> Result<BTreeSet<String>, Failure> {
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
        let message = format!("`{TEMPLATE}` cannot be read; restore it from the repository");
        Failure::because(message, error)
    };
    let text = fs::read(root.join(TEMPLATE)).map_err(|error| unreadable(error.into()))?;
    let template: Value =
        serde_json::from_slice(&text).map_err(|error| unreadable(error.into()))?;
    let parameters = template.get("parameters").and_then(Value::as_object);
    Ok(parameters
        .into_iter()
        .flat_map(|members| members.keys().cloned())
        .collect())
}

/// The surface id for these names: the deployed one, or a new one.
async fn surface_id(
    account: &Account,
    names: &Names,
    before: Option<&Record>,
) -> Result<SurfaceId, Failure> {
    let deployed = before
        .and_then(|record| record.parameters.get("surfaceId"))
        .cloned();
    let text = match deployed {
        Some(id) => Some(id),
        // The manager deletes old deployments, but the surface must keep its id.
        None => configured(account, names).await?,
    };
    let Some(text) = text else {
        return new_surface();
    };
    text.as_str().unwrap_or_default().parse().map_err(|error| {
        Failure::because(
            "the deployment has no surface id; correct `surface-id` in its App Configuration",
            error,
        )
    })
}

/// The surface id in the deployed configuration.
async fn configured(account: &Account, names: &Names) -> Result<Option<Value>, Failure> {
    let store = format!(
        "Microsoft.AppConfiguration/configurationStores/{}/keyValues/{SURFACE_ID_KEY}",
        names.base_name
    );
    let id = names.resource_group(&account.subscription).id(&store);
    let found = account.arm.get(&id, "2024-06-01").await?;
    Ok(found.and_then(|found| found.pointer("/properties/value").cloned()))
}

/// Whether storage and database exist before the first deployment.
async fn data_exists(account: &Account, names: &Names) -> Result<bool, Failure> {
    let resource_group = names.resource_group(&account.subscription);
    let container = format!(
        "{}/blobServices/default/containers/{}",
        resource_group.storage_account(&names.storage_account),
        names.storage_container
    );
    let records = format!(
        "{}/sqlDatabases/{}/containers/{}",
        resource_group.cosmos_account(&names.cosmos_account),
        names.cosmos_database,
        names.cosmos_container
    );
    let is_there = async |id: &str, api| {
        let found = account.arm.get(id, api).await?;
        Ok::<_, Failure>(found.is_some())
    };
    let storage = is_there(&container, BASELINE.storage.api).await?;
    let cosmos = is_there(&records, BASELINE.cosmos.api).await?;
    if storage == cosmos {
        return Ok(storage);
    }
    let (found, missing) = match storage {
        true => (&names.storage_account, &names.cosmos_account),
        false => (&names.cosmos_account, &names.storage_account),
    };
    Err(Failure::new(format!(
        "`{found}` exists, but `{missing}` does not: run `wm setup azure` to create it, or choose other names"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_is_text_or_json() {
        let read = |text| parameter(text).unwrap();
        assert_eq!(read("a=b c=d"), ("a".into(), "b c=d".into()));
        assert_eq!(read("a=true"), ("a".into(), true.into()));
        assert_eq!(read("a=[1]"), ("a".into(), json!([1])));
        for text in ["a", "=x", "A-B=x", "a=", "a=@file", "surfaceSecret=x"] {
            assert!(parameter(text).is_err(), "{text}");
        }
    }
}
