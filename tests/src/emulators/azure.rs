//! Stand-ins for the services of Azure, in the process of the test: each checks the shape and the
//! authorization of what it is asked, as the service does, and remembers it.
//!
//! All but the identity's own endpoint are reached over TLS, because the kits hand a token to nothing
//! else. [`authority`] has the certificates.

pub mod authority;
pub mod managed_identity;
pub mod server;
