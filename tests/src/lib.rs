//! What the proofs share: goldens, random worlds, the oracle they are compared with, and the
//! repository itself as something to look at.

pub mod agreement;
pub mod bodies;
pub mod cedar;
pub mod choices;
pub mod golden;
pub mod oracle;
pub mod repository;
pub mod worlds;
