//! The client: connections to one surface, as one caller.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::redirect::Policy;

use crate::{error::ApiError, server::ServerUrl, token::TokenSource};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for the next bytes, and for the whole answer to an API request.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A client of one surface. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    server: ServerUrl,
    token: Arc<dyn TokenSource>,
}

impl fmt::Debug for Client {
    /// Leaves the token source out: its `Debug` may show a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Client");
        shown.field("server", &self.server).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of this surface. It follows no redirects: a redirect could lead the token elsewhere.
    ///
    /// # Errors
    /// [`ApiError::Start`] when the system's TLS settings cannot be used.
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

    /// The surface.
    #[must_use]
    pub fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// The connections, without the token: signed addresses need none.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn token(&self) -> &dyn TokenSource {
        &*self.token
    }
}
