//! The local surface: every port over one SQLite file and a directory.

pub mod clock;
pub mod data_directory;
pub mod durable;
pub mod secrets;
