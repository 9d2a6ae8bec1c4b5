//! The surfaces the suite runs on.

pub mod local;
pub mod memory;
