//! The surfaces the suite runs on.

pub mod memory;
