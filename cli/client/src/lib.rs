//! The client of the workspace API, the same for every surface.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use wm_client::{
//!     BearerToken, Client, Destination, DownloadRequest, Transfer,
//!     api::{accounts::NewAccount, projects::NewProject},
//! };
//! use wm_core::record::{AccountKind, Visibility};
//!
//! # async fn example(token: String) -> Result<(), Box<dyn std::error::Error>> {
//! let server = "https://api.example.com".parse()?;
//! let client = Client::new(server, BearerToken::new(token))?;
//!
//! let account = client
//!     .create_account(&NewAccount {
//!         name: "Harbour Consulting".parse()?,
//!         kind: AccountKind::Consulting,
//!     })
//!     .await?;
//! let project = client
//!     .create_project(
//!         account.id,
//!         &NewProject {
//!             name: "Quay 4 extension".parse()?,
//!             description: None,
//!             visibility: Visibility::Private,
//!         },
//!     )
//!     .await?;
//!
//! let report = Path::new("report.pdf");
//! let transfer = Transfer::new(&client).resume_directory("uploads");
//! let uploaded = transfer
//!     .upload(report, &Destination::of(report, project.id)?)
//!     .await?;
//! let copy = transfer
//!     .download(&DownloadRequest {
//!         project: project.id,
//!         artifact: uploaded.artifact,
//!         version: Some(uploaded.version),
//!         out: Some("copy.pdf".into()),
//!         overwrite: false,
//!     })
//!     .await?;
//! println!("version {} is in {}", uploaded.version, copy.display());
//! # Ok(())
//! # }
//! ```
//!
//! A call for which there is no method is a [`Request`]:
//!
//! ```no_run
//! # use wm_client::{ApiError, Client, Method};
//! # async fn example(client: Client, path: &str) -> Result<(), ApiError> {
//! use serde_json::{Value, json};
//!
//! let artifact = client.request(Method::GET, path).send::<Value>().await?;
//! let change = json!({ "labels": { "state": "reviewed" } });
//! client
//!     .request(Method::PATCH, path)
//!     .if_match(artifact.etag.as_deref().unwrap_or("*"))
//!     .body(&change)
//!     .send::<Value>()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Retries
//! A request that reads, and a `POST` with an idempotency key, is sent up to six times when the surface is
//! unreachable, overloaded (429) or failing (5xx). The waits double, are random, and are not shorter than
//! `Retry-After` asks, up to 30 seconds. [`Client::post`] and all methods that create or change something by
//! `POST` set a key of their own. Requests to signed URLs follow the same policy.
//!
//! # Secrets
//! No `Debug` output shows a token, and no error shows a token or a signed URL.

#![warn(missing_docs)]

pub mod api;
mod client;
mod error;
mod problem;
mod request;
mod retry;
mod server;
mod token;
mod transfer;

pub use reqwest::Method;

pub use self::{
    client::Client,
    error::ApiError,
    problem::Problem,
    request::{Answer, Request},
    server::{InvalidServerUrl, ServerUrl},
    token::{BearerToken, TokenError, TokenSource},
    transfer::{
        Destination, DownloadRequest, Phase, Progress, ProgressMeter, Transfer, TransferError,
        TransferErrorKind, Uploaded,
    },
};
