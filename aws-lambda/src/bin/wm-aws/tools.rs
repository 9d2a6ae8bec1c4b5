//! The programs of others that build and deploy.

use std::{
    collections::BTreeMap,
    env, fmt,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::{account::Account, failure::Failure};

/// A program that has to be on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Builds functions for Lambda.
    CargoLambda,
    /// Deploys stacks.
    Sam,
}

impl Tool {
    fn program(self) -> &'static str {
        match self {
            Self::CargoLambda => "cargo-lambda",
            Self::Sam => "sam",
        }
    }

    fn how_to_get(self) -> &'static str {
        match self {
            Self::CargoLambda => "pip install cargo-lambda==1.9.2",
            Self::Sam => "pip install aws-sam-cli",
        }
    }

    /// A run of it.
    pub(crate) fn run(self) -> Run {
        Run {
            program: self.program(),
            arguments: Vec::new(),
            environment: match self {
                Self::CargoLambda => &[],
                Self::Sam => &[("SAM_CLI_TELEMETRY", "0")],
            },
        }
    }
}

/// Fails unless all of these are on the path, naming every one that is not.
pub(crate) fn require(tools: &[Tool]) -> Result<(), Failure> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = env::split_paths(&path).collect();
    let is_missing = |tool: &&Tool| {
        let mut files = places.iter().map(|place| place.join(tool.program()));
        !files.any(|file| file.is_file())
    };
    let missing: Vec<String> = tools
        .iter()
        .filter(is_missing)
        .map(|tool| {
            format!(
                "`{}` is not on the PATH: get it with `{}`",
                tool.program(),
                tool.how_to_get()
            )
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(missing.join("; ")))
}

/// One run of a tool, which can be shown before it is done.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    program: &'static str,
    arguments: Vec<String>,
    environment: &'static [(&'static str, &'static str)],
}

impl Run {
    /// With these arguments too.
    pub(crate) fn with<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    fn command(&self, directory: &Path) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .current_dir(directory);
        command
    }

    fn not_started(&self, error: io::Error) -> Failure {
        let program = self.program;
        Failure::because(
            format!("`{program}` cannot be run; install it again"),
            error,
        )
    }

    /// Runs it to its end; what it prints goes where our own output goes.
    ///
    /// # Errors
    /// When it does not start or fails.
    pub(crate) fn stream(&self, directory: &Path) -> Result<(), Failure> {
        let status = self.command(directory).status();
        let status = status.map_err(|error| self.not_started(error))?;
        if status.success() {
            return Ok(());
        }
        let program = self.program;
        Err(Failure::new(format!(
            "`{program}` failed ({status}): mend what it says above and run this again"
        )))
    }

    /// Runs it to its end and answers what it printed; `None` when it fails.
    ///
    /// # Errors
    /// When it does not start.
    fn read(&self, directory: &Path) -> Result<Option<Vec<u8>>, Failure> {
        let mut command = self.command(directory);
        let output = command.stderr(Stdio::null()).output();
        let output = output.map_err(|error| self.not_started(error))?;
        Ok(output.status.success().then_some(output.stdout))
    }
}

impl fmt::Display for Run {
    /// As it would be typed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.program)?;
        for argument in &self.arguments {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+".contains(c);
            if !argument.is_empty() && argument.chars().all(plain) {
                write!(formatter, " {argument}")?;
            } else {
                write!(formatter, " '{}'", argument.replace('\'', "'\\''"))?;
            }
        }
        Ok(())
    }
}

/// `sam deploy` of a template below the repository's root.
pub(crate) fn sam_deploy(
    account: &Account,
    template: &str,
    stack: &str,
    tags: &wm_aws::setup::Tags,
    parameters: &BTreeMap<String, String>,
) -> Run {
    let pair = |(key, value): (&String, &String)| format!("{key}={value}");
    // What is watched by nobody needs no bar.
    let watched = io::stdout().is_terminal();
    Tool::Sam
        .run()
        .with(["deploy", "--template-file", template, "--stack-name", stack])
        .with(["--region", &account.region, "--s3-prefix", stack])
        .with([
            "--resolve-s3",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
        ])
        .with((!watched).then_some("--no-progressbar"))
        .with(["--capabilities", "CAPABILITY_NAMED_IAM", "--tags"])
        .with(tags.iter().map(pair))
        .with(["--parameter-overrides"])
        .with(parameters.iter().map(pair))
}

/// What a stack says about itself once it is there; `None` when it is not.
///
/// # Errors
/// When `sam` says it in another way than it is known to.
pub(crate) fn outputs(
    account: &Account,
    stack: &str,
    directory: &Path,
) -> Result<Option<BTreeMap<String, String>>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        output_key: String,
        output_value: String,
    }
    let run = Tool::Sam
        .run()
        .with(["list", "stack-outputs", "--output", "json"]);
    let run = run.with(["--stack-name", stack, "--region", &account.region]);
    let Some(text) = run.read(directory)? else {
        return Ok(None);
    };
    let outputs: Vec<Output> = serde_json::from_slice(&text).map_err(|error| {
        let message =
            format!("`sam` does not tell the outputs of `{stack}`; get another version of it");
        Failure::because(message, error)
    })?;
    let pair = |output: Output| (output.output_key, output.output_value);
    Ok(Some(outputs.into_iter().map(pair).collect()))
}

/// The root of the repository: the first folder upwards that holds this file.
///
/// # Errors
/// When there is none.
pub(crate) fn root(given: Option<&Path>, file: &str) -> Result<PathBuf, Failure> {
    let here = match given {
        Some(given) => given.to_owned(),
        None => env::current_dir().map_err(|error| {
            Failure::because(
                "the current folder is gone; change into the repository",
                error,
            )
        })?,
    };
    let mut folders = here
        .ancestors()
        .take(if given.is_some() { 1 } else { usize::MAX });
    let root = folders.find(|folder| folder.join(file).is_file());
    root.map(Path::to_owned).ok_or_else(|| {
        let here = here.display();
        Failure::usage(format!(
            "`{file}` is not in `{here}`: run this inside the repository, or name it with `--repository`"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_shown_as_it_would_be_typed() {
        let run = Tool::Sam
            .run()
            .with(["deploy", "--tags", "team=The Docs", "it's"]);
        assert_eq!(
            run.to_string(),
            r"sam deploy --tags 'team=The Docs' 'it'\''s'"
        );
    }

    #[test]
    fn a_repository_is_found_from_within_and_no_further_up_when_named() {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = root(Some(crate_folder), "src/setup.rs").unwrap();
        assert_eq!(found, crate_folder);
        let below = crate_folder.join("src");
        assert!(root(Some(&below), "src/setup.rs").is_err());
        // Tests run in the crate's folder.
        assert_eq!(
            root(None, "aws-lambda/src/setup.rs").unwrap(),
            crate_folder.parent().unwrap()
        );
    }
}
