//! Terminal input and output of `wm`, `wm-aws` and `wm-azure`: flags, results, failures and Ctrl-C.

pub mod failure;
pub mod flags;
pub mod interrupt;
pub mod output;
