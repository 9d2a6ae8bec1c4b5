//! `wm serve`

use std::{
    env,
    io::{self, IsTerminal},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};
use wm_client::ServerUrl;
use wm_core::storage::UploadLimits;
use wm_local::{config::Config, node::Node};

use crate::{
    failure::Failure,
    issuer::DATA,
    output::{line, notice},
};

const EXAMPLES: &str = "\
Examples:
  wm serve
  wm serve --data /srv/wm --listen 127.0.0.1:8080
  wm serve --public-url https://workspaces.example.com     behind a TLS proxy
  WM_LOG=info wm serve                                     log every request

The data directory contains records, files, mails (mail/new), events (events.jsonl) and keys.";

/// Run a node on this machine: the whole application in one directory
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// The data directory of the node
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
    /// The listen address. Port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7878")]
    listen: SocketAddr,
    /// The URL of the node for its users. Default: the listen address
    #[arg(long, value_name = "URL")]
    public_url: Option<ServerUrl>,
    #[command(flatten)]
    limits: Limits,
}

/// Limits for tests. The default of 64 MiB for an upload in one request is too large for a test.
#[derive(Debug, Args)]
struct Limits {
    #[arg(long, hide = true, value_name = "BYTES")]
    upload_single_limit: Option<u64>,
    #[arg(long, hide = true, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    upload_part_size: Option<u64>,
}

impl Serve {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        start_log();
        // Listen before the node starts, so that no signal is missed.
        let mut signals = Signals::listen()?;
        let node = Node::start(self.config())
            .await
            .map_err(|error| Failure::of(&error))?;
        self.greet(&node);
        signals.next().await;
        notice("stopping; running requests have 5 seconds to finish");
        tokio::select! {
            () = node.shutdown() => Ok(()),
            () = signals.next() => Err(Failure::new("stopped at once by a second signal")),
        }
    }

    fn config(&self) -> Config {
        let usual = UploadLimits::default();
        Config {
            data: self.data.clone(),
            listen: self.listen,
            public_url: self.public_url.as_ref().map(ServerUrl::to_string),
            upload: UploadLimits {
                single_limit: self
                    .limits
                    .upload_single_limit
                    .unwrap_or(usual.single_limit),
                part_size: self.limits.upload_part_size.unwrap_or(usual.part_size),
            },
        }
    }

    /// Prints the URL of the node. The node also runs if the output is closed.
    fn greet(&self, node: &Node) {
        let url = node.public_url();
        let greeting = format!(
            "the node answers at {url} and stores its data in `{}`\n\n  \
             a token   export WM_TOKEN=$({})\n  \
             try it    curl -H \"authorization: Bearer $WM_TOKEN\" {url}/v1/session\n  \
             the API   {url}/openapi.json\n\n\
             Ctrl-C stops it.",
            self.data.display(),
            self.token_command()
        );
        let _ = line(greeting);
        let ip = node.address().ip();
        if !ip.is_loopback() {
            notice(format!(
                "warning: `{ip}` accepts connections from other machines, and tokens and files are not encrypted; put a proxy with TLS before the node"
            ));
        }
    }

    /// The command that prints a token, ready to paste here.
    fn token_command(&self) -> String {
        let program = env::args().next().unwrap_or_else(|| "wm".into());
        let mut command = format!("{} token --email ana@example.com", quoted(&program));
        if self.data != Path::new(DATA) {
            command = format!("{command} --data {}", quoted(&self.data.to_string_lossy()));
        }
        command
    }
}

/// Quotes a word for the shell.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-+".contains(character);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Signals that stop the node.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::because("the system does not deliver signals", error))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Logs warnings to the standard error. `WM_LOG` sets another filter, in the syntax of `tracing`.
fn start_log() {
    let said = env::var("WM_LOG").ok().and_then(|text| text.parse().ok());
    let wanted = said.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN));
    let colours =
        io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(colours);
    registry().with(lines).with(wanted).init();
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quoted_word_is_safe_for_the_shell() {
        assert_eq!(quoted("target/release/wm"), "target/release/wm");
        assert_eq!(quoted("/my data/it's"), r"'/my data/it'\''s'");
    }
}
