//! The secret of the surface: made once, kept in the Key Vault, shown to nobody.

use serde_json::json;
use wm_core::value::Sha256;
use wm_deploy::parameters::random;
use wm_terminal::{failure::Failure, output::notice};

use crate::{account::Account, deployment::Names, setup::Step};

/// The version of `Microsoft.KeyVault` that is spoken.
const API: &str = "2025-05-01";
/// The secret, as the template and the handler name it.
const NAME: &str = "surface-secret";

/// Makes the secret unless the vault has one. It goes there in the body of one request, and nowhere else.
/// <https://learn.microsoft.com/rest/api/keyvault/keyvault/secrets/create-or-update>
///
/// # Errors
/// When the vault does not say, or does not take it.
pub(crate) async fn keep(account: &Account, names: &Names, vault: &str) -> Result<(), Failure> {
    let place = names.place(&account.subscription);
    let id = place.id(&format!("Microsoft.KeyVault/vaults/{vault}/secrets/{NAME}"));
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

/// 64 characters that nobody can guess.
fn secret() -> Result<String, Failure> {
    Ok(Sha256::of(&random()?).to_string())
}
