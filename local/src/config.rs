//! What a node is told from outside. Everything else is in its data directory.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use wm_core::storage::UploadLimits;

/// The configuration of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The data directory.
    pub data: PathBuf,
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where people reach the node, without a trailing slash, when that is not where it listens:
    /// behind a proxy, for example.
    pub public_url: Option<String>,
    /// Where uploads in one piece end.
    pub upload: UploadLimits,
}

impl Default for Config {
    /// `.wm-data` in the working directory, and port 7878 for this machine alone.
    fn default() -> Self {
        Self {
            data: PathBuf::from(".wm-data"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7878)),
            public_url: None,
            upload: UploadLimits::default(),
        }
    }
}
