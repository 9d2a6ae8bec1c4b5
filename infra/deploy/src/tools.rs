//! The programs of others that build and deploy.

use std::{
    env, fmt, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use wm_terminal::failure::Failure;

/// A program that has to be on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub program: &'static str,
    /// The command that installs it.
    pub how_to_get: &'static str,
    /// What it is told by its environment.
    pub environment: &'static [(&'static str, &'static str)],
}

impl Tool {
    #[must_use]
    pub fn run(self) -> Run {
        Run {
            program: self.program,
            arguments: Vec::new(),
            environment: self.environment,
        }
    }

    /// Whether it is on the path.
    #[must_use]
    pub fn is_there(self) -> bool {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).any(|place| place.join(self.program).is_file())
    }
}

/// Fails unless all of these are on the path, naming every one that is not.
///
/// # Errors
/// When one is missing.
pub fn require(tools: &[Tool]) -> Result<(), Failure> {
    let missing = tools.iter().filter(|tool| !tool.is_there());
    let missing: Vec<String> = missing
        .map(|tool| {
            let (program, how_to_get) = (tool.program, tool.how_to_get);
            format!("`{program}` is not on the PATH: get it with `{how_to_get}`")
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(missing.join("; ")))
}

/// One run of a tool, which can be shown before it is done.
#[derive(Debug, Clone)]
pub struct Run {
    program: &'static str,
    arguments: Vec<String>,
    environment: &'static [(&'static str, &'static str)],
}

impl Run {
    /// With these arguments too.
    #[must_use]
    pub fn with<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
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
    pub fn stream(&self, directory: &Path) -> Result<(), Failure> {
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
    pub fn read(&self, directory: &Path) -> Result<Option<Vec<u8>>, Failure> {
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

/// The root of the repository: the first folder upwards that holds this file.
///
/// # Errors
/// When there is none.
pub fn root(given: Option<&Path>, file: &str) -> Result<PathBuf, Failure> {
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
        let tool = Tool {
            program: "tool",
            how_to_get: "",
            environment: &[],
        };
        let run = tool
            .run()
            .with(["deploy", "--tags", "team=The Docs", "it's"]);
        assert_eq!(
            run.to_string(),
            r"tool deploy --tags 'team=The Docs' 'it'\''s'"
        );
    }

    #[test]
    fn a_repository_is_found_from_within_and_no_further_up_when_named() {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = root(Some(crate_folder), "src/tools.rs").unwrap();
        assert_eq!(found, crate_folder);
        let below = crate_folder.join("src");
        assert!(root(Some(&below), "src/tools.rs").is_err());
        // Tests run in the crate's folder.
        assert_eq!(
            root(None, "deploy/src/tools.rs").unwrap(),
            crate_folder.parent().unwrap()
        );
    }
}
