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
const OURS: &[&str] = &[
    "prefix",
    "environment",
    "surfaceId",
    "surfaceSecret",
    "dataExists",
    "functionsPublished",
    "setupPrincipalId",
    "setupPrincipalType",
];

/// The flags that become parameters.
#[derive(Debug, Args)]
pub struct Settings {
    /// The exact issuer of people's tokens; needed the first time
    #[arg(long, value_name = "URL", env = "AZURE_ENTRA_ISSUER")]
    entra_issuer: Option<String>,
    /// The id of the tenant people sign in to; needed the first time
    #[arg(long, value_name = "ID", env = "AZURE_ENTRA_TENANT")]
    entra_tenant: Option<String>,
    /// An application whose tokens are taken; again for more; needed the first time
    #[arg(
        long = "entra-client",
        value_name = "ID",
        env = "AZURE_ENTRA_CLIENTS",
        value_delimiter = ','
    )]
    entra_clients: Vec<String>,
    /// Whom the gateway names as its operator, and mails about itself; needed the first time
    #[arg(long, value_name = "ADDRESS")]
    publisher_email: Option<Email>,
    /// The sender of every mail, in a domain of your own; else one that Azure makes
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<Email>,
    /// Where people reach the surface, for links in mails; else the gateway's own address
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<Origin>,
    /// An origin whose pages may call the API and use signed addresses; again for more
    #[arg(long = "origin", value_name = "URL")]
    origins: Vec<Origin>,
    /// The id of the action group that alarms go to
    #[arg(long, value_name = "ID")]
    alarm_action_group: Option<String>,
    /// How many days logs are kept
    #[arg(long, value_name = "DAYS")]
    log_retention: Option<u16>,
    /// Any other parameter of the template; again for more. Its value is a text, or JSON
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    others: Vec<(String, Value)>,
    /// Whether a database that is made takes the subscription's one free tier
    #[arg(
        long,
        value_name = "BOOL",
        env = "AZURE_COSMOS_ENABLE_FREE_TIER",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) free_tier: Choice,
}

/// A parameter, in JSON where it is such.
fn parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = name_and_value(text)?;
    if OURS.contains(&name) {
        return Err(format!("`{name}` is for this program to say: leave it out"));
    }
    // `az` reads a file where a value begins so.
    if value.is_empty() || value.starts_with('@') {
        return Err("a parameter holds something, and does not begin with `@`".into());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

impl Settings {
    /// The parameters that were deployed before, replaced by those that are given now.
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
        // What a template no longer takes, and what it works out by itself each time: the manager keeps
        // that as if it had been said.
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
        let said = [
            ("prefix", json!(names.stem.prefix)),
            ("environment", json!(names.stem.environment)),
            ("surfaceId", json!(surface.to_string())),
            ("setupPrincipalType", json!(account.principal.kind)),
        ];
        let named = self.named().into_iter();
        let said = said.into_iter().chain(data_names(names, data, before));
        let said = said.chain(named.filter_map(|(name, value)| Some((name, value?))));
        let said = said.map(|(name, value)| (name.to_owned(), value));
        parameters.extend(said.chain(self.others.iter().cloned()));
        let strange = self.others.iter().find(|(name, _)| !known.contains(name));
        if let Some((name, _)) = strange {
            return Err(Failure::usage(format!(
                "`{TEMPLATE}` has no parameter `{name}`: see there which it has"
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
            "the first deployment needs to know whose tokens count and whom the gateway names: say {missing}"
        )))
    }

    /// The applications; an empty variable names none.
    fn clients(&self) -> Vec<&str> {
        let clients = self.entra_clients.iter().map(|client| client.trim());
        clients.filter(|client| !client.is_empty()).collect()
    }

    /// The parameters that flags give.
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

/// What the template calls the names of storage and database, in the order of [`Names::data`].
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

/// The names, but storage and database as they are deployed unless a flag names others.
fn kept_names(names: &Names, data: &Data, before: Option<&Record>) -> Names {
    let mut kept = names.clone();
    let places = DATA.into_iter().zip(kept.data_mut()).zip(data.said());
    for ((parameter, name), said) in places {
        let deployed = before.and_then(|record| deployed(record, parameter));
        if let (None, Some(deployed)) = (said, deployed) {
            deployed.clone_into(name);
        }
    }
    kept
}

/// Whether the functions would find other data than they have had.
fn is_moved(kept: &Names, before: &Record) -> bool {
    let mut names = DATA.into_iter().zip(kept.data());
    names.any(|(parameter, name)| {
        deployed(before, parameter).is_some_and(|deployed| deployed != name)
    })
}

/// A database that is made anew knows of no document, and the sweep would take all of them for lost.
fn moved(kept: &Names) -> Failure {
    Failure::usage(format!(
        "this deployment has other data than `{}` in `{}` and `{}` in `{}`: drop the flags and the variables \
         `AZURE_STORAGE_…` and `AZURE_COSMOS_…` that name them, or make them with `wm setup azure` first",
        kept.storage_container, kept.storage_account, kept.cosmos_container, kept.cosmos_account
    ))
}

/// The names of storage and database, which stay those that are deployed unless a flag names others.
fn data_names(
    names: &Names,
    data: &Data,
    before: Option<&Record>,
) -> impl Iterator<Item = (&'static str, Value)> {
    let is_first = before.is_none();
    let all = DATA.into_iter().zip(names.data()).zip(data.said());
    let said = all.filter(|(_, said)| is_first || said.is_some());
    let said = said.map(|((parameter, name), _)| (parameter, json!(name)));
    let location = names.location.as_ref();
    let location = location.map(|location| ("location", json!(location)));
    let said: Vec<_> = said.chain(location).collect();
    said.into_iter()
}

/// Where an issuer's discovery document is unless somebody says otherwise.
fn derived_discovery(parameters: &Parameters) -> Option<Value> {
    let issuer = parameters.get("entraIssuer")?.as_str()?;
    Some(format!("{issuer}/.well-known/openid-configuration").into())
}

/// The parameters the template takes.
fn known(root: &Path) -> Result<BTreeSet<String>, Failure> {
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
        let message = format!("`{TEMPLATE}` cannot be read; get it back from the repository");
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

/// The id of the surface under these names: the one that is deployed, else a new one.
async fn surface_id(
    account: &Account,
    names: &Names,
    before: Option<&Record>,
) -> Result<SurfaceId, Failure> {
    let told = before
        .and_then(|record| record.parameters.get("surfaceId"))
        .cloned();
    let text = match told {
        Some(told) => Some(told),
        // The manager forgets old deployments; the surface must not.
        None => configured(account, names).await?,
    };
    let Some(text) = text else {
        return new_surface();
    };
    text.as_str().unwrap_or_default().parse().map_err(|error| {
        Failure::because(
            "what is deployed has no id of a surface; put `surface-id` in its App Configuration right",
            error,
        )
    })
}

/// The id as the deployed configuration holds it.
async fn configured(account: &Account, names: &Names) -> Result<Option<Value>, Failure> {
    let store = format!(
        "Microsoft.AppConfiguration/configurationStores/{}/keyValues/{SURFACE_ID_KEY}",
        names.stem
    );
    let id = names.place(&account.subscription).id(&store);
    let found = account.arm.get(&id, "2024-06-01").await?;
    Ok(found.and_then(|found| found.pointer("/properties/value").cloned()))
}

/// Whether storage and database are there before any deployment has made them.
async fn data_exists(account: &Account, names: &Names) -> Result<bool, Failure> {
    let place = names.place(&account.subscription);
    let container = format!(
        "{}/blobServices/default/containers/{}",
        place.storage_account(&names.storage_account),
        names.storage_container
    );
    let records = format!(
        "{}/sqlDatabases/{}/containers/{}",
        place.cosmos_account(&names.cosmos_account),
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
        "`{found}` is set up and `{missing}` is not: run `wm setup azure`, which makes what is missing, or choose other names"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_text_or_json() {
        let read = |text| parameter(text).unwrap();
        assert_eq!(read("a=b c=d"), ("a".into(), "b c=d".into()));
        assert_eq!(read("a=true"), ("a".into(), true.into()));
        assert_eq!(read("a=[1]"), ("a".into(), json!([1])));
        for text in ["a", "=x", "A-B=x", "a=", "a=@file", "surfaceSecret=x"] {
            assert!(parameter(text).is_err(), "{text}");
        }
    }
}
