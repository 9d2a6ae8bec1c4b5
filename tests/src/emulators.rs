//! Emulators of cloud services. Each is a process on loopback that ends with the process that
//! started it.

pub mod azure;
pub mod azurite;
pub mod cosmos;
pub mod dynalite;
pub mod ministack;
pub mod proxy;
pub mod s3s;

use std::net::TcpListener;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
