//! The secret of the surface. It is created once and stored in the Key Vault only.

use serde_json::json;
use wm_core::value::Sha256;
use wm_deploy::parameters::random;
use wm_terminal::{failure::Failure, output::notice};

use crate::{account::Account, deployment::Names, setup::Step};

/// The API version of `Microsoft.KeyVault`.
const API: &str = "2025-05-01";
/// The name of the secret in the template and the handler.
const NAME: &str = "surface-secret";

/// Creates the secret unless the vault has one. The secret is only sent to the vault, in the body
/// of one request.
/// <https://learn.microsoft.com/rest/api/keyvault/keyvault/secrets/create-or-update>
///
/// # Errors
/// If the vault does not answer or refuses.
pub(crate) async fn keep(account: &Account, names: &Names, vault: &str) -> Result<(), Failure> {
    let resource_group = names.resource_group(&account.subscription);
    let id = resource_group.id(&format!("Microsoft.KeyVault/vaults/{vault}/secrets/{NAME}"));
    if account.arm.get(&id, API).await?.is_some() {
        return Ok(());
    }
    let body = json!({ "properties": {
        "value": secret()?,
        "contentType": "text/plain",
        "attributes": { "enabled": true },
    } });
    let step = Step::once("put a secret into the Key Vault", &id, API, body);
    notice(step.to_string());
    Ok(account.arm.write(&step, |waiting| notice(waiting)).await?)
}

/// 64 random hexadecimal characters.
fn secret() -> Result<String, Failure> {
    Ok(Sha256::of(&random()?).to_string())
}
