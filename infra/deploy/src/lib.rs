//! The shared part of the programs `wm-aws` and `wm-azure`.
//!
//! A program implements [`cloud::Cloud`] and calls [`program::run`]. The commands in [`commands`]
//! use that trait: they parse flags, show the changes, make them step by step and report the
//! result.

pub mod cloud;
pub mod commands;
pub mod dead_letters;
pub mod deployment;
pub mod origin;
pub mod parameters;
pub mod plan;
pub mod program;
pub mod secrets;
pub mod selection;
pub mod service_error;
pub mod site;
pub mod tags;
pub mod tools;
pub mod wait;
