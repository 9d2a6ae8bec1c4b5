//! The local surface, tested through its public interface.

mod delivery;
mod http;
mod issuer;
mod node;
mod store;
