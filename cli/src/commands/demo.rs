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

The demo runs on a temporary node and deletes it at the end. Exit code 0 means that every step
succeeded.";

/// The time limit for a demo with its own files.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Files of this repository, used if the command line names none.
const OWN_FILES: [(&str, &[u8]); 3] = [
    ("README.md", include_bytes!("../../../README.md")),
    ("Cargo.toml", include_bytes!("../../../Cargo.toml")),
    ("demo.rs", include_bytes!("demo.rs")),
];

/// Run the main job end to end, on real files, over real HTTP
///
/// Two people sign in, share a project through a team, and upload files and their versions. They
/// lose access the moment a grant is revoked.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Demo {
    /// The files to upload. Default: some files of this repository
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Demo {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let own_files = self.files.is_empty();
        let directory = TempDir::with_prefix("wm-demo-").map_err(no_room)?;
        let files = if own_files {
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
        let fixture =
            DemoFixture::new(node.public_url(), data, directory.path().join("downloads"))?;
        let limit = if own_files { TIMEOUT } else { Duration::MAX };
        let result = tokio::select! {
            result = timeout(limit, run_steps(fixture, &files)) => result.unwrap_or_else(|_| Err(too_slow())),
            _ = tokio::signal::ctrl_c() => Err(Failure::new("interrupted; the demo left no files")),
        };
        node.shutdown().await;
        result
    }
}

/// The steps of the demo. Each step asserts what it prints.
async fn run_steps(mut fixture: DemoFixture, files: &[PathBuf]) -> Result<(), Failure> {
    let site = fixture.site.clone();

    let (ana, ben) = fixture
        .step("Ana and Ben sign in", people::sign_in(&site))
        .await?;
    let account = fixture
        .step("Ana opens an account", people::open_account(&ana, &ben))
        .await?;
    fixture
        .step(
            "Ana invites Ben, who accepts from his mail",
            people::invite(&site, &ana, &ben, &account),
        )
        .await?;
    let team = fixture
        .step(
            "Ana puts Ben into a team",
            people::make_team(&ana, &ben, &account),
        )
        .await?;
    let project = fixture
        .step(
            "Ana opens a private project",
            people::open_project(&ana, &ben, &account),
        )
        .await?;
    let team_grant = fixture
        .step(
            "Ana grants the team a role on it",
            access::grant_team(&ana, &ben, project, &team),
        )
        .await?;

    let document = fixture
        .step(
            "Ben uploads files to signed URLs",
            documents::upload_files(&site, &ben, project, files),
        )
        .await?;
    fixture
        .step(
            "Ana downloads what Ben uploaded",
            documents::download_back(&site, &ana, &document),
        )
        .await?;
    fixture
        .step(
            "Ben adds a derived output",
            documents::derive(&ben, &document),
        )
        .await?;
    fixture
        .step(
            "Ben notes metadata and a write event",
            documents::annotate(&ben, &document),
        )
        .await?;
    fixture
        .step(
            "Ben uploads a second version, Ana restores the first",
            documents::restore(&site, &ana, &ben, &document),
        )
        .await?;

    let own_grant = fixture
        .step(
            "Ben, made a manager, tries to make himself owner",
            access::escalate(&ana, &ben, project),
        )
        .await?;
    fixture
        .step(
            "Ana revokes both grants",
            access::revoke(&ana, &ben, project, [&team_grant, &own_grant]),
        )
        .await?;
    fixture
        .step(
            "The journals are verified",
            access::verify_journals(&site, &ana, &account, project),
        )
        .await?;
    fixture.end()
}

fn write_own_files(directory: &TempDir) -> std::io::Result<Vec<PathBuf>> {
    let folder = directory.path().join("files");
    fs::create_dir(&folder)?;
    let write = |(name, bytes): (&str, &[u8])| {
        let path = folder.join(name);
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
