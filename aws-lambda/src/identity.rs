//! Accepted tokens: those of one Cognito user pool, verified with the keys of the pool.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use aws_smithy_types::byte_stream::ByteStream;
use wm_service::{
    identity::{ClaimNames, Issuer, Requirement},
    ports::{KeySource, PortError, PortErrorKind},
};

use crate::{
    config::{Cognito, Config},
    sdk::connector,
};

/// The timeout for an issuer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum size of a key set, in bytes.
const LIMIT: usize = 256 * 1024;

/// The requirements for tokens of a user pool.
///
/// Access tokens name the app client in `client_id` and have no `aud`. ID tokens name it in `aud`
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>).
/// Groups are ignored: no claim gives rights in this application.
#[must_use]
pub fn issuer(config: &Config, cognito: &Cognito) -> Issuer {
    let Cognito {
        user_pool,
        clients,
        jwks_url,
        trusts_email,
    } = cognito;
    let region = &config.region;
    let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{user_pool}");
    let requirements = |usage: &str, client: &str| {
        let client = Requirement::one_of(client, clients.clone());
        vec![Requirement::new("token_use", usage), client]
    };
    Issuer {
        jwks_url: jwks_url
            .clone()
            .unwrap_or_else(|| format!("{issuer}/.well-known/jwks.json")),
        issuer,
        access: requirements("access", "client_id"),
        id: requirements("id", "aud"),
        trusts_email: *trusts_email,
        names: ClaimNames::STANDARD,
    }
}

/// Keys over HTTPS. Redirects are not followed.
#[derive(Debug)]
pub struct HttpsKeys(Connector);

impl HttpsKeys {
    /// A source that trusts the root certificates of Amazon.
    #[must_use]
    pub fn new() -> Self {
        Self(connector(TIMEOUT))
    }
}

impl Default for HttpsKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl KeySource for HttpsKeys {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, PortError> {
        let late = |_| unavailable("the issuer did not answer in time");
        tokio::time::timeout(TIMEOUT, self.read(url))
            .await
            .map_err(late)?
    }
}

impl HttpsKeys {
    async fn read(&self, url: &str) -> Result<Vec<u8>, PortError> {
        let request =
            HttpRequest::get(url).map_err(|error| PortError::new(PortErrorKind::Refused, error))?;
        let answer = self.0.call(request).await.map_err(unavailable)?;
        if answer.status().as_u16() != 200 {
            let status = answer.status();
            return Err(unavailable(format!("the issuer answered {status}")));
        }
        let mut body = ByteStream::new(answer.into_body());
        let mut read = Vec::new();
        while let Some(chunk) = body.next().await {
            read.extend_from_slice(&chunk.map_err(unavailable)?);
            if read.len() > LIMIT {
                return Err(unavailable("the key set of the issuer is too large"));
            }
        }
        Ok(read)
    }
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(PortErrorKind::Unavailable, error)
}
