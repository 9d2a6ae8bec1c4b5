//! The command, as people run it: the real program, its output, its exit codes.

mod demo;
mod programs;
mod proxy;
mod selection;
mod serve;
mod support;
mod token;
mod transfer;
mod usage;
