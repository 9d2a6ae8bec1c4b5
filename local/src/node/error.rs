//! Errors that prevent the start of a node.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{data_directory::OpenError, identity::IssuerError};

/// The reason why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "`{address}` is in use by another program: stop that one, or choose another address, such as `--listen 127.0.0.1:0`"
    )]
    AddressTaken {
        address: SocketAddr,
        source: io::Error,
    },
    /// The address cannot be bound on this machine.
    #[error("cannot listen on `{address}`: choose an address of this machine with `--listen`")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error(transparent)]
    Data(#[from] OpenError),
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// A file in the data directory cannot be used.
    #[error("cannot use `{}`: give this user read and write access to it", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The layout of the data is unknown, or newer than this program.
    #[error("cannot serve the data: {0}")]
    Layout(String),
    /// The path of the data directory is not valid in a backend selection.
    #[error("the path of the data directory is not valid: {0}; choose another with `--data`")]
    Path(String),
    #[error("the random generator of the system failed: try again")]
    Random(#[source] io::Error),
}
