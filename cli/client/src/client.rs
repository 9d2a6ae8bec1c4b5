//! The client: connections to one surface on behalf of one caller.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::redirect::Policy;

use crate::{error::ApiError, server::ServerUrl, token::TokenSource};

/// The timeout for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout for the next bytes, and for the whole answer to an API request.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A client of one surface. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    server: ServerUrl,
    token: Arc<dyn TokenSource>,
}

impl fmt::Debug for Client {
    /// Omits the token source, because its `Debug` output may contain a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Client");
        shown.field("server", &self.server).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of this surface. It follows no redirects, because a redirect could send the token
    /// to another server.
    ///
    /// # Errors
    /// [`ApiError::Start`] if the TLS settings of the system cannot be used.
    pub fn new(server: ServerUrl, token: impl TokenSource) -> Result<Self, ApiError> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(Policy::none());
        if server.is_loopback() {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build().map_err(ApiError::Start)?,
            server,
            token: Arc::new(token),
        })
    }

    /// The URL of the surface.
    #[must_use]
    pub fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// The connections without the token. Signed URLs need no token.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn token(&self) -> &dyn TokenSource {
        &*self.token
    }
}
