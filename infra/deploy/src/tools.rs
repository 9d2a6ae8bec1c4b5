//! External programs that build and deploy.

use std::{
    env, fmt, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use wm_terminal::failure::Failure;

/// A program on the PATH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    pub program: &'static str,
    /// The command that installs it.
    pub how_to_get: &'static str,
    /// Environment variables for the program.
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

    /// Whether the program is on the PATH.
    #[must_use]
    pub fn is_there(self) -> bool {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).any(|place| place.join(self.program).is_file())
    }
}

/// Requires all of these programs. The error names every missing one.
///
/// # Errors
/// If one is missing.
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

/// One run of a program, which can be shown before it starts.
#[derive(Debug, Clone)]
pub struct Run {
    program: &'static str,
    arguments: Vec<String>,
    environment: &'static [(&'static str, &'static str)],
}

impl Run {
    /// Adds arguments.
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

    /// Runs the program to its end with the standard output of this process.
    ///
    /// # Errors
    /// If it does not start, or fails.
    pub fn stream(&self, directory: &Path) -> Result<(), Failure> {
        let status = self.command(directory).status();
        let status = status.map_err(|error| self.not_started(error))?;
        if status.success() {
            return Ok(());
        }
        let program = self.program;
        Err(Failure::new(format!(
            "`{program}` failed ({status}): fix the errors above and run this again"
        )))
    }

    /// Runs the program to its end and returns its output. `None` if it fails.
    ///
    /// # Errors
    /// If it does not start.
    pub fn read(&self, directory: &Path) -> Result<Option<Vec<u8>>, Failure> {
        let mut command = self.command(directory);
        let output = command.stderr(Stdio::null()).output();
        let output = output.map_err(|error| self.not_started(error))?;
        Ok(output.status.success().then_some(output.stdout))
    }
}

impl fmt::Display for Run {
    /// Writes the command as typed in a shell.
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

/// The root of the repository: the nearest parent folder that contains this file.
///
/// # Errors
/// If there is none.
pub fn root(given: Option<&Path>, file: &str) -> Result<PathBuf, Failure> {
    let here = match given {
        Some(given) => given.to_owned(),
        None => env::current_dir().map_err(|error| {
            Failure::because(
                "the current folder no longer exists; change to the repository",
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
    fn run_is_shown_as_a_shell_command() {
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
    fn repository_is_found_from_a_folder_inside_it() {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = root(Some(crate_folder), "src/tools.rs").unwrap();
        assert_eq!(found, crate_folder);
        let below = crate_folder.join("src");
        assert!(root(Some(&below), "src/tools.rs").is_err());
        // Tests run in the folder of the crate.
        assert_eq!(
            root(None, "deploy/src/tools.rs").unwrap(),
            crate_folder.parent().unwrap()
        );
    }
}
