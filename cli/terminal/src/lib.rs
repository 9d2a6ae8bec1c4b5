//! How commands speak: `wm` and the programs it hands over to fail and print in one way.

pub mod failure;
pub mod output;
