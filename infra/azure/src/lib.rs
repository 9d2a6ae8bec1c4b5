//! Sets Azure up, deploys the functions and the site, and sends dead letters again.
//!
//! [`account::Account`] is Azure as the commands of `wm-deploy` see it.

pub mod account;
mod blobs;
mod build;
mod cloud;
mod deploy;
mod deployment;
mod package;
mod parameters;
mod record;
mod redrive;
mod secret;
pub mod setup;
mod site;
mod stack;
