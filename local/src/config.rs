//! The configuration of a node. Everything else is in its data directory.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use wm_core::storage::UploadLimits;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub data: PathBuf,
    /// The listen address. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// The URL of the node for its users, without a trailing slash, for example behind a proxy.
    /// Default: the listen address.
    pub public_url: Option<String>,
    /// The size limit of uploads in one request, and the part size.
    pub upload: UploadLimits,
}

impl Default for Config {
    /// The default is `.wm-data` in the working directory, and port 7878 on the loopback interface.
    fn default() -> Self {
        Self {
            data: PathBuf::from(".wm-data"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7878)),
            public_url: None,
            upload: UploadLimits::default(),
        }
    }
}
