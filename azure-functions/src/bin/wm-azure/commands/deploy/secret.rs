//! The secret of the surface: made once, kept in the Key Vault, shown to nobody.

use aws_lc_rs::rand;
use serde_json::json;
use wm_azure::setup::Step;
use wm_core::value::Sha256;

use crate::{
    account::{Account, failure},
    deployment::Names,
    failure::Failure,
    output::notice,
};

/// The version of `Microsoft.KeyVault` that is spoken.
const API: &str = "2025-05-01";
/// The secret, as the template and the handler name it.
const NAME: &str = "surface-secret";

/// Makes the secret unless the vault has one. It goes there in the body of one request, and nowhere else.
/// <https://learn.microsoft.com/rest/api/keyvault/keyvault/secrets/create-or-update>
///
/// # Errors
/// When the vault does not say, or does not take it.
pub(super) async fn keep(account: &Account, names: &Names, vault: &str) -> Result<(), Failure> {
    let place = names.place(&account.subscription);
    let id = place.id(&format!("Microsoft.KeyVault/vaults/{vault}/secrets/{NAME}"));
    let found = account.arm.get(&id, API).await;
    if found.map_err(|error| failure(error.into()))?.is_some() {
        return Ok(());
    }
    let body = json!({ "properties": {
        "value": secret()?,
        "contentType": "text/plain",
        "attributes": { "enabled": true },
    } });
    let step = Step::once("put a secret into the Key Vault", &id, API, body);
    notice(step.to_string());
    let written = account.arm.write(&step, |waiting| notice(waiting)).await;
    written.map_err(|error| failure(error.into()))
}

/// 64 characters that nobody can guess.
fn secret() -> Result<String, Failure> {
    let mut random = [0; 32];
    rand::fill(&mut random)
        .map_err(|error| Failure::because("the system gives no randomness; try again", error))?;
    Ok(Sha256::of(&random).to_string())
}
