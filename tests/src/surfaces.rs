//! The surfaces the suite runs on.

pub mod aws;
pub mod blob;
pub mod local;
pub mod memory;
