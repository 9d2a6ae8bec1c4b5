//! `wm demo`

mod access;
mod documents;
mod fixture;
mod mail;
mod people;

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use tempfile::TempDir;
use tokio::time::timeout;
use wm_local::{config::Config, node::Node};

use self::fixture::DemoFixture;
use crate::{failure::Failure, output::line};

const EXAMPLES: &str = "\
Examples:
  wm demo
  wm demo report.pdf figures.zip

Runs on a node of its own that is thrown away afterwards. Exit code 0 means that every step did what
it says.";

/// How long the demo may take with its own files.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Files of this repository, for whoever names none.
const OWN_FILES: [(&str, &[u8]); 3] = [
    ("README.md", include_bytes!("../../../README.md")),
    ("Cargo.toml", include_bytes!("../../../Cargo.toml")),
    ("demo.rs", include_bytes!("demo.rs")),
];

/// See the main job end to end, on real files, over real HTTP
///
/// Two people sign in, share a project through a team, upload files and their versions, and lose
/// access the moment it is taken away.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Demo {
    /// The files to use; some of this repository's without
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Demo {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let own = self.files.is_empty();
        let directory = TempDir::with_prefix("wm-demo-").map_err(no_room)?;
        let files = if own {
            write_own_files(&directory).map_err(no_room)?
        } else {
            self.files
        };
        let data = directory.path().join("data");
        let config = Config {
            data: data.clone(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..Config::default()
        };
        let node = Node::start(config)
            .await
            .map_err(|error| Failure::of(&error))?;
        line(format!(
            "A node answers at {} until the demo is over.",
            node.public_url()
        ))?;
        let stage = DemoFixture::new(node.public_url(), data, directory.path().join("downloads"))?;
        let patience = if own { TIMEOUT } else { Duration::MAX };
        let told = tokio::select! {
            told = timeout(patience, tell(stage, &files)) => told.unwrap_or_else(|_| Err(too_slow())),
            _ = tokio::signal::ctrl_c() => Err(Failure::new("interrupted; nothing is left of the demo")),
        };
        node.shutdown().await;
        told
    }
}

/// The story, step by step. Each step asserts what it says.
async fn tell(mut stage: DemoFixture, files: &[PathBuf]) -> Result<(), Failure> {
    let site = stage.site.clone();

    let (ana, ben) = stage
        .step("Ana and Ben sign in", people::sign_in(&site))
        .await?;
    let account = stage
        .step("Ana opens an account", people::open_account(&ana, &ben))
        .await?;
    stage
        .step(
            "Ana invites Ben, who accepts from his mail",
            people::invite(&site, &ana, &ben, &account),
        )
        .await?;
    let team = stage
        .step(
            "Ana puts Ben into a team",
            people::make_team(&ana, &ben, &account),
        )
        .await?;
    let project = stage
        .step(
            "Ana opens a private project",
            people::open_project(&ana, &ben, &account),
        )
        .await?;
    let team_grant = stage
        .step(
            "Ana grants the team a role on it",
            access::grant_team(&ana, &ben, project, &team),
        )
        .await?;

    let document = stage
        .step(
            "Ben uploads files at signed addresses",
            documents::upload_files(&site, &ben, project, files),
        )
        .await?;
    stage
        .step(
            "Ana downloads what Ben uploaded",
            documents::download_back(&site, &ana, &document),
        )
        .await?;
    stage
        .step(
            "Ben adds a derived output",
            documents::derive(&ben, &document),
        )
        .await?;
    stage
        .step(
            "Ben notes metadata and a write event",
            documents::annotate(&ben, &document),
        )
        .await?;
    stage
        .step(
            "Ben uploads a second version, Ana restores the first",
            documents::restore(&site, &ana, &ben, &document),
        )
        .await?;

    let own_grant = stage
        .step(
            "Ben, made a manager, tries to make himself owner",
            access::escalate(&ana, &ben, project),
        )
        .await?;
    stage
        .step(
            "Ana revokes both grants",
            access::revoke(&ana, &ben, project, [&team_grant, &own_grant]),
        )
        .await?;
    stage
        .step(
            "The journals are verified",
            access::verify_journals(&site, &ana, &account, project),
        )
        .await?;
    stage.end()
}

fn write_own_files(directory: &TempDir) -> std::io::Result<Vec<PathBuf>> {
    let own = directory.path().join("files");
    fs::create_dir(&own)?;
    let write = |(name, bytes): (&str, &[u8])| {
        let path = own.join(name);
        fs::write(&path, bytes).map(|()| path)
    };
    OWN_FILES.into_iter().map(write).collect()
}

fn no_room(error: std::io::Error) -> Failure {
    Failure::because(
        "the temporary directory cannot be used; set `TMPDIR` to another",
        error,
    )
}

fn too_slow() -> Failure {
    Failure::new("the demo took longer than 30 seconds; try again when the machine has less to do")
}
