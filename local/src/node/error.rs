//! Why a node cannot start.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{data_directory::OpenError, identity::IssuerError};

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody else listens there.
    #[error(
        "`{address}` is in use by another program: stop that one, or choose another address, such as `--listen 127.0.0.1:0`"
    )]
    AddressTaken {
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// This machine cannot listen there.
    #[error("cannot listen on `{address}`: choose an address of this machine with `--listen`")]
    Listen {
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// See [`OpenError`].
    #[error(transparent)]
    Data(#[from] OpenError),
    /// See [`IssuerError`].
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// Something in the data directory refuses.
    #[error("cannot use `{}`: see that this user may read and write it", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path of the data directory cannot stand in a configuration.
    #[error("the path of the data directory cannot be used: {0}; choose another with `--data`")]
    Path(String),
    /// The system gives no randomness.
    #[error("the system gives no randomness: try again")]
    Random(#[source] io::Error),
}
