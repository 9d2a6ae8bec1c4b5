//! How the handler is started: by the Functions host, or by somebody who reads what it says.

use std::{ffi::OsString, net::SocketAddr};

use wm_service::variables::Variables;

use crate::config::Role;

/// Where the Functions host says to listen.
/// <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>
const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";
/// Where to listen without it.
const LISTEN: &str = "WM_LISTEN";
/// The address a container is reached at.
const EVERYWHERE: &str = "0.0.0.0:8080";

const HELP: &str = "\
The workspace backend on Azure: one program that answers HTTP requests and triggers.

Usage:
  handler           every function, behind the Functions host, which starts it this way
  handler serve     `api` alone, by itself, as in a container

Options:
  --help            print this
  --version         print the version

Without `serve` it listens on 127.0.0.1, at the port in FUNCTIONS_CUSTOMHANDLER_PORT, which the
host sets. With `serve` it listens where WM_LISTEN says, else on 0.0.0.0:8080. All else is in
variables too: docs/azure.md lists them, and the handler names those it lacks.

To try it behind a host, run `func start` in the folder that holds host.json. Without Azure,
`wm serve` is the same backend on one machine.

It logs JSON, one object a line, to the standard output. WM_LOG sets how much, such as `warn` or
`info,wm_service=debug`. It ends with 1 when it cannot start.";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Say this and end.
    Say(String),
    Run(Role, SocketAddr),
}

/// Why it cannot be told what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// Nobody said where to listen.
    #[error("`{PORT}` is not set: the Functions host sets it; without a host, run `handler serve`")]
    NoPort,
    /// That is no port.
    #[error("`{PORT}` must be a number from 1 to 65535")]
    NotAPort,
    /// That is no address.
    #[error("`{LISTEN}` must be an address with a port, such as `{EVERYWHERE}`")]
    NotAnAddress,
    /// Something that means nothing here.
    #[error("`{0}` is no command of the handler: `handler --help` lists them")]
    Unknown(String),
}

/// What these arguments and variables say.
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
    let address = variables.get(LISTEN).unwrap_or(EVERYWHERE);
    let address = address.parse().map_err(|_| CommandError::NotAnAddress)?;
    Ok(Command::Run(Role::Api, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[&str], given: &[(&str, &str)]) -> Result<Command, String> {
        let variables = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        read(words.iter().map(OsString::from), &variables.collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_host_says_where_to_listen_and_it_is_never_outside() {
        let run = told(&[], &[(PORT, "7071"), (LISTEN, "0.0.0.0:1")]);
        let here = "127.0.0.1:7071".parse().unwrap();
        assert_eq!(run, Ok(Command::Run(Role::Functions, here)));
        for wrong in ["0", "65536", "x", "127.0.0.1:1"] {
            assert!(told(&[], &[(PORT, wrong)]).unwrap_err().contains(PORT));
        }
        assert!(told(&[], &[]).unwrap_err().contains("handler serve"));
    }

    #[test]
    fn alone_it_listens_everywhere_unless_told_otherwise() {
        let run = |address: &str| Ok(Command::Run(Role::Api, address.parse().unwrap()));
        assert_eq!(told(&["serve"], &[(PORT, "1")]), run(EVERYWHERE));
        assert_eq!(
            told(&["serve"], &[(LISTEN, "127.0.0.1:9000")]),
            run("127.0.0.1:9000")
        );
        assert!(told(&["serve"], &[(LISTEN, "9000")]).is_err());
    }

    #[test]
    fn help_teaches_and_what_is_unknown_points_to_it() {
        let Ok(Command::Say(help)) = told(&["serve", "--help"], &[]) else {
            panic!("no help");
        };
        for word in [PORT, LISTEN, EVERYWHERE, "docs/azure.md", "func start"] {
            assert!(help.contains(word), "{word}");
        }
        assert!(help.lines().all(|line| line.len() <= 100));
        let version = Command::Say(format!("handler {}", env!("CARGO_PKG_VERSION")));
        assert_eq!(told(&["--version"], &[]), Ok(version));
        let unknown = told(&["deploy"], &[(PORT, "1")]).unwrap_err();
        assert!(unknown.contains("`deploy`") && unknown.contains("--help"));
    }
}
