//! The ports of a surface, and the service that runs the use-cases of `wm-core` over them.
//!
//! The crate is asynchronous. It contains no async runtime and no SDK: each surface brings its own.
//!
//! # Example
//! A surface implements each port of [`ports`]. This database port keeps its records in memory:
//!
//! ```
//! use std::sync::{Mutex, MutexGuard, PoisonError};
//!
//! use futures_util::FutureExt;
//! use wm_core::{
//!     operation::Batch,
//!     storage::{Item, Key, List, Page, Range, Scope, ScopePage, memory::Memory},
//! };
//! use wm_service::{
//!     ports::{CommitError, PortError, Records},
//!     warm_up,
//! };
//!
//! #[derive(Default)]
//! struct InMemory(Mutex<Memory>);
//!
//! impl InMemory {
//!     fn lock(&self) -> MutexGuard<'_, Memory> {
//!         self.0.lock().unwrap_or_else(PoisonError::into_inner)
//!     }
//! }
//!
//! impl Records for InMemory {
//!     async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
//!         Ok(self.lock().get(key).cloned())
//!     }
//!
//!     async fn scan(&self, range: &Range) -> Result<Page, PortError> {
//!         Ok(self.lock().scan(range))
//!     }
//!
//!     async fn list(&self, list: &List) -> Result<Page, PortError> {
//!         Ok(self.lock().list(list))
//!     }
//!
//!     async fn scopes(&self, after: Option<Scope>) -> Result<ScopePage, PortError> {
//!         Ok(self.lock().scopes(after, 100))
//!     }
//!
//!     async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
//!         let committed = self.lock().commit(batch.scope(), batch.operations());
//!         committed.map_err(|_| CommitError::Conflict)
//!     }
//! }
//!
//! let records = InMemory::default();
//! let layout = warm_up(&records).now_or_never();
//! assert!(matches!(layout, Some(Some(_))));
//! ```

#![warn(missing_docs)]

mod actors;
pub mod batches;
pub mod bounds;
pub mod clock;
mod due;
mod env;
mod execute;
mod handle;
mod health;
pub mod identity;
mod ingest;
mod known_layout;
pub mod layout;
pub mod meter;
mod notify;
pub mod ports;
mod relay;
mod scopes;
pub mod secrets;
mod sign;
mod sign_in;
mod sweep;
pub mod sweeper;
mod system;
mod trace;
pub mod variables;

use std::sync::OnceLock;

use wm_core::{operation::Surface, record::Layout};

use actors::Actors;
pub use env::EnvSource;
pub use handle::{Handled, handle_liveness};
use identity::{Issuer, Verifier};
pub use known_layout::{NewerLayout, warm_up};
use ports::Provider;
pub use relay::Relayed;
pub use sweep::SweepReport;

/// The application on one surface. Request handlers, relay, mailer and timers call it.
pub struct Service<P> {
    provider: P,
    surface: Surface,
    verifier: Verifier,
    actors: Actors,
    /// The layout of the data, once read.
    layout: OnceLock<Layout>,
}

impl<P: Provider> Service<P> {
    /// The application over these ports. It accepts tokens of these issuers only.
    #[must_use]
    pub fn new(provider: P, surface: Surface, issuers: Vec<Issuer>) -> Self {
        Self {
            provider,
            surface,
            verifier: Verifier::new(issuers),
            actors: Actors::default(),
            layout: OnceLock::new(),
        }
    }

    /// The ports of the surface.
    #[must_use]
    pub fn provider(&self) -> &P {
        &self.provider
    }

    /// The fixed properties of this surface.
    #[must_use]
    pub fn surface(&self) -> &Surface {
        &self.surface
    }
}
