//! How the programs speak at a terminal: `wm`, `wm-aws` and `wm-azure` parse flags, print results, fail and
//! react to Ctrl-C in one way.

pub mod failure;
pub mod flags;
pub mod interrupt;
pub mod output;
