//! The local surface, from outside.

mod delivery;
mod http;
mod issuer;
mod node;
mod store;
