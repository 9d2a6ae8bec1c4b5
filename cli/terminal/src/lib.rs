//! How commands speak: `wm` and the programs it hands over to fail and print in one way. And what those
//! programs share beyond that, whatever their cloud: plans, tags, the tools they run, sites, and what is
//! not for everybody to see.

pub mod failure;
pub mod flags;
pub mod interrupt;
pub mod origin;
pub mod output;
pub mod plan;
pub mod secrets;
pub mod selection;
pub mod site;
pub mod tags;
pub mod tools;
pub mod wait;
