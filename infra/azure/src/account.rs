//! The Azure subscription and the signed-in operator.

use std::{env, path::Path, sync::Arc};

use azure_core::credentials::TokenCredential;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions};
use serde::Deserialize;
use wm_deploy::tools::require;
use wm_terminal::failure::Failure;

use crate::{
    setup::{Principal, arm::Arm, rest::Rest},
    stack::AZ,
};

/// The variable with the URL of Azure Resource Manager. Default: that of the public cloud.
const MANAGER: &str = "AZURE_RESOURCE_MANAGER_ENDPOINT";
const PUBLIC_MANAGER: &str = "https://management.azure.com";

/// An Azure subscription.
#[derive(Debug)]
pub struct Account {
    pub(crate) subscription: String,
    /// The client of Azure Resource Manager.
    pub(crate) arm: Arm,
    /// The signed-in operator.
    pub(crate) principal: Principal,
    credential: Arc<dyn TokenCredential>,
}

impl Account {
    /// Opens this subscription as the operator who is signed in with `az`. Default: the default
    /// subscription of `az`.
    ///
    /// # Errors
    /// Without `az`, or without a sign-in.
    pub(crate) async fn in_subscription(subscription: Option<&str>) -> Result<Self, Failure> {
        require(&[AZ])?;
        let subscription = match subscription {
            Some(named) => named.to_owned(),
            None => chosen()?,
        };
        let options = AzureCliCredentialOptions {
            subscription: Some(subscription.clone()),
            ..Default::default()
        };
        let credential: Arc<dyn TokenCredential> = AzureCliCredential::new(Some(options))
            .map_err(|error| Failure::because("`az` cannot be run; install it again", error))?;
        let manager = env::var(MANAGER).ok().filter(|named| !named.is_empty());
        let scope = match &manager {
            Some(named) if named.starts_with("https://") => named.trim_end_matches('/'),
            _ => PUBLIC_MANAGER,
        };
        let scope = format!("{scope}/.default");
        let endpoint = manager.as_deref().unwrap_or(PUBLIC_MANAGER);
        let rest = Rest::new(MANAGER, endpoint, &scope, Arc::clone(&credential));
        let arm = Arm::new(rest?);
        let token = arm.token().await?;
        let principal = Principal::of_token(&token).map_err(|error| Failure::of(&error))?;
        Ok(Self {
            subscription,
            arm,
            principal,
            credential,
        })
    }

    /// A client of another service, as the same operator.
    ///
    /// # Errors
    /// If the connection would send tokens without TLS.
    pub(crate) fn service(
        &self,
        name: &'static str,
        endpoint: &str,
        scope: &str,
    ) -> Result<Rest, Failure> {
        Rest::new(name, endpoint, scope, Arc::clone(&self.credential))
    }
}

/// The id of the default subscription of `az`.
fn chosen() -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Chosen {
        id: String,
    }
    let run = AZ.run().with(["account", "show", "--output", "json"]);
    let signed_out = || Failure::new("no account is signed in: run `az login` and try again");
    let text = run.read(Path::new("."))?.ok_or_else(signed_out)?;
    let chosen: Chosen = serde_json::from_slice(&text).map_err(|error| {
        Failure::because(
            "`az` does not show the subscription; use `--subscription`",
            error,
        )
    })?;
    Ok(chosen.id)
}
