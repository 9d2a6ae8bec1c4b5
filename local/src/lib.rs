//! The local surface: every port over one SQLite file and a directory.

pub mod backup;
pub mod clock;
pub mod config;
pub mod data_directory;
pub mod durable;
pub mod records;
pub mod secrets;
