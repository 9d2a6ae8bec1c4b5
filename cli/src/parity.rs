//! Whether the surfaces are alike: the certificate of a test run, and what can be checked without one.

mod certificate;
pub(crate) mod check;
mod checkout;
mod contract;
mod log;
mod page;
mod run;

pub(crate) use self::{
    certificate::{Certificate, SHARED},
    checkout::Checkout,
    contract::Contract,
    log::Log,
    run::run,
};
