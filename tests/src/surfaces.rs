//! The surfaces the suite runs on.

pub mod aws;
pub mod azure;
pub mod blob;
pub mod local;
pub mod memory;
pub mod node;
pub mod people;
pub mod watched_local;
