//! Access tokens of the local surface's own issuer.

use std::path::Path;

use wm_core::{
    operation::TokenUsage,
    value::{Email, Name},
};
use wm_local::{clock, data_directory::Layout, identity::Issuer};

use crate::failure::Failure;

/// The default data directory.
pub(crate) const DATA: &str = ".wm-data";

/// An access token for the person with this e-mail address, from the issuer of this data directory.
pub(crate) fn mint(data: &Path, email: &Email, name: Option<&Name>) -> Result<String, Failure> {
    let layout = Layout::new(data);
    layout.create().map_err(|error| {
        let data = data.display();
        Failure::because(
            format!("`{data}` cannot be used as a data directory; choose another with `--data`"),
            error,
        )
    })?;
    Issuer::open(&layout.issuer_key())
        .and_then(|issuer| issuer.mint(TokenUsage::Access, email, name, clock::now()))
        .map_err(|error| Failure::because("there is no token", error))
}
