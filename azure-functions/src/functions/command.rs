//! The command line of the handler.

use std::{ffi::OsString, net::SocketAddr};

use wm_service::variables::Variables;

use crate::config::Role;

/// The port that the Functions host assigns.
/// <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>
const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";
/// The listen address of `serve`.
const LISTEN: &str = "WM_LISTEN";
/// The default listen address of `serve`, for containers.
const ALL_INTERFACES: &str = "0.0.0.0:8080";

const HELP: &str = "\
The handler of the workspace backend on Azure. It answers HTTP requests and triggers.

Usage:
  handler           run every function; the Functions host starts the handler this way
  handler serve     run `api` only, without a host, such as in a container

Options:
  --help            print this
  --version         print the version

Without `serve`, the handler listens on 127.0.0.1 and the port in FUNCTIONS_CUSTOMHANDLER_PORT,
which the host sets. With `serve`, it listens on the address in WM_LISTEN. Default: 0.0.0.0:8080.
docs/azure.md lists all other variables. If required variables are missing, an error names them.

To run the handler behind a host, run `func start` in the folder that contains host.json. To run
the same backend on one machine without Azure, run `wm serve`.

The handler logs JSON, one object per line, to the standard output. WM_LOG sets the level, such as
`warn` or `info,wm_service=debug`. If the handler cannot start, the exit code is 1.";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Print this text and end.
    Say(String),
    Run(Role, SocketAddr),
}

/// The reason why the command line is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// The host did not set the port.
    #[error("`{PORT}` is not set: the Functions host sets it; without a host, run `handler serve`")]
    NoPort,
    #[error("`{PORT}` must be a number from 1 to 65535")]
    NotAPort,
    #[error("`{LISTEN}` must be an address with a port, such as `{ALL_INTERFACES}`")]
    NotAnAddress,
    #[error("`{0}` is not a command of the handler: `handler --help` lists them")]
    Unknown(String),
}

/// Parses arguments and variables.
///
/// # Errors
/// [`CommandError`].
pub(super) fn read(
    arguments: impl Iterator<Item = OsString>,
    variables: &Variables,
) -> Result<Command, CommandError> {
    let words: Vec<String> = arguments
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => functions(variables),
        ["serve"] => serve(variables),
        [.., "--help" | "-h"] | ["help"] => Ok(Command::Say(HELP.to_owned())),
        ["--version" | "-V"] => Ok(Command::Say(format!(
            "handler {}",
            env!("CARGO_PKG_VERSION")
        ))),
        [first, ..] => Err(CommandError::Unknown((*first).to_owned())),
    }
}

fn functions(variables: &Variables) -> Result<Command, CommandError> {
    let port = variables.get(PORT).ok_or(CommandError::NoPort)?;
    let port: u16 = port.parse().map_err(|_| CommandError::NotAPort)?;
    if port == 0 {
        return Err(CommandError::NotAPort);
    }
    Ok(Command::Run(Role::Functions, ([127, 0, 0, 1], port).into()))
}

fn serve(variables: &Variables) -> Result<Command, CommandError> {
    let address = variables.get(LISTEN).unwrap_or(ALL_INTERFACES);
    let address = address.parse().map_err(|_| CommandError::NotAnAddress)?;
    Ok(Command::Run(Role::Api, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str], given: &[(&str, &str)]) -> Result<Command, String> {
        let variables = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        read(words.iter().map(OsString::from), &variables.collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn host_sets_the_port_and_the_handler_listens_on_loopback() {
        let run = parsed(&[], &[(PORT, "7071"), (LISTEN, "0.0.0.0:1")]);
        let here = "127.0.0.1:7071".parse().unwrap();
        assert_eq!(run, Ok(Command::Run(Role::Functions, here)));
        for wrong in ["0", "65536", "x", "127.0.0.1:1"] {
            assert!(parsed(&[], &[(PORT, wrong)]).unwrap_err().contains(PORT));
        }
        assert!(parsed(&[], &[]).unwrap_err().contains("handler serve"));
    }

    #[test]
    fn serve_listens_on_all_interfaces_by_default() {
        let run = |address: &str| Ok(Command::Run(Role::Api, address.parse().unwrap()));
        assert_eq!(parsed(&["serve"], &[(PORT, "1")]), run(ALL_INTERFACES));
        assert_eq!(
            parsed(&["serve"], &[(LISTEN, "127.0.0.1:9000")]),
            run("127.0.0.1:9000")
        );
        assert!(parsed(&["serve"], &[(LISTEN, "9000")]).is_err());
    }

    #[test]
    fn unknown_command_points_to_help() {
        let Ok(Command::Say(help)) = parsed(&["serve", "--help"], &[]) else {
            panic!("no help");
        };
        for word in [PORT, LISTEN, ALL_INTERFACES, "docs/azure.md", "func start"] {
            assert!(help.contains(word), "{word}");
        }
        assert!(help.lines().all(|line| line.len() <= 100));
        let version = Command::Say(format!("handler {}", env!("CARGO_PKG_VERSION")));
        assert_eq!(parsed(&["--version"], &[]), Ok(version));
        let unknown = parsed(&["deploy"], &[(PORT, "1")]).unwrap_err();
        assert!(unknown.contains("`deploy`") && unknown.contains("--help"));
    }
}
