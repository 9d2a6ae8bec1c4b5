//! The ports, and the one executor that runs the use-cases of `wm-core` over them.
//!
//! Asynchronous, without a runtime and without an SDK: a surface brings both.

#![warn(missing_docs)]

mod actors;
pub mod batches;
pub mod bounds;
pub mod clock;
mod env;
mod execute;
mod handle;
mod health;
pub mod identity;
mod ingest;
pub mod meter;
mod notify;
pub mod ports;
mod relay;
pub mod secrets;
mod sign;
mod sign_in;
mod sweep;
pub mod sweeper;
mod system;
mod trace;
pub mod variables;

use wm_core::operation::Surface;

use actors::Actors;
pub use env::EnvSource;
pub use handle::Handled;
pub use health::absent_key;
use identity::{Issuer, Verifier};
use ports::Provider;
pub use relay::Relayed;
pub use sweep::Swept;

/// The application on one surface: what every handler, relay, mailer and timer calls.
pub struct Service<P> {
    provider: P,
    surface: Surface,
    verifier: Verifier,
    actors: Actors,
}

impl<P: Provider> Service<P> {
    /// The application over these ports, accepting tokens of these issuers.
    #[must_use]
    pub fn new(provider: P, surface: Surface, issuers: Vec<Issuer>) -> Self {
        Self {
            provider,
            surface,
            verifier: Verifier::new(issuers),
            actors: Actors::default(),
        }
    }

    /// The ports.
    #[must_use]
    pub fn provider(&self) -> &P {
        &self.provider
    }

    /// What is fixed for this surface.
    #[must_use]
    pub fn surface(&self) -> &Surface {
        &self.surface
    }
}
