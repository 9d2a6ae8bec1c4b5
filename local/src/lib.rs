//! The local surface: all ports over one SQLite file and a directory.

pub mod artifacts;
pub mod backup;
mod blocking;
pub mod config;
pub mod data_directory;
pub mod durable;
pub mod events;
pub mod http;
pub mod identity;
pub mod mail;
pub mod node;
pub mod records;
pub mod secrets;

pub use wm_service::clock;
