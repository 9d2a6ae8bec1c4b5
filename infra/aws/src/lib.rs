//! Sets AWS up, deploys the functions and the site, and sends dead letters again.
//!
//! [`account::Account`] is AWS as the commands of `wm-deploy` see it.

pub mod account;
mod cloud;
mod deploy;
mod deployment;
mod parameters;
mod redrive;
pub mod setup;
mod site;
mod stack;
