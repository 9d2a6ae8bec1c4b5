//! Transfers of files to and from the object store of a surface.

mod content;
mod destination;
mod download;
mod error;
mod meter;
mod object;
mod progress;
mod resume;
mod settings;
mod source;
mod span;
mod upload;

pub use self::{
    destination::Destination,
    download::DownloadRequest,
    error::{TransferError, TransferErrorKind},
    progress::{Phase, Progress, ProgressMeter},
    settings::Transfer,
    upload::Uploaded,
};
