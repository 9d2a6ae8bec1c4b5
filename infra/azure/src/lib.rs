//! Setup and deployment of the Azure surface, deployment of the site, and redrive of dead letters.
//!
//! [`account::Account`] implements the cloud interface of `wm-deploy`.

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
