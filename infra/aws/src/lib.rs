//! Setup and deployment of the AWS surface, deployment of the site, and redrive of dead letters.
//!
//! [`account::Account`] implements the cloud interface of `wm-deploy`.

pub mod account;
mod cloud;
mod deploy;
mod deployment;
mod parameters;
mod redrive;
pub mod setup;
mod site;
mod stack;
