//! Building the handler as one executable that runs on any Linux.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use wm_deploy::tools::{Run, Tool};
use wm_terminal::failure::Failure;

const CARGO: Tool = Tool {
    program: "cargo",
    how_to_get: "curl https://sh.rustup.rs -sSf | sh",
    environment: &[],
};
/// The C compiler for code that links without the system's C library.
const MUSL_GCC: Tool = Tool {
    program: "musl-gcc",
    how_to_get: "apt-get install musl-tools",
    environment: &[],
};
/// Links against an old C library, if the static target is not available.
const ZIGBUILD: Tool = Tool {
    program: "cargo-zigbuild",
    how_to_get: "pip install cargo-zigbuild ziglang",
    environment: &[],
};
/// The target that links everything statically.
const STATIC: &str = "x86_64-unknown-linux-musl";
/// The target that needs the system's C library, in any version since 2018.
const DYNAMIC: &str = "x86_64-unknown-linux-gnu";
const OLDEST_LIBRARY: &str = "2.28";

/// The way to build the handler on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// Everything is linked statically.
    Static,
    /// Linked against an old version of the system's C library.
    Zig,
}

impl Build {
    /// Selects the way to build on this machine.
    ///
    /// # Errors
    /// If none is possible. The error names everything that is missing.
    pub(crate) fn here() -> Result<Self, Failure> {
        if !CARGO.is_there() {
            return Err(missing(&[how(&CARGO)]));
        }
        let target = (!has_target()).then(|| {
            format!(
                "the target `{STATIC}` is not installed: get it with `rustup target add {STATIC}`"
            )
        });
        let compiler = (!MUSL_GCC.is_there()).then(|| how(&MUSL_GCC));
        let lacking: Vec<String> = target.into_iter().chain(compiler).collect();
        if lacking.is_empty() {
            return Ok(Self::Static);
        }
        if ZIGBUILD.is_there() {
            return Ok(Self::Zig);
        }
        let other = format!(
            "or build with `{}` instead: get it with `{}`",
            ZIGBUILD.program, ZIGBUILD.how_to_get
        );
        Err(missing(&[lacking.join("; "), other]))
    }

    /// The run that builds the handler.
    pub(crate) fn run(self) -> Run {
        let run = match self {
            Self::Static => CARGO.run().with(["build", "--target", STATIC]),
            Self::Zig => {
                let target = format!("{DYNAMIC}.{OLDEST_LIBRARY}");
                ZIGBUILD.run().with(["zigbuild", "--target", &target])
            }
        };
        run.with(["--profile", "dist", "--locked", "--package", "wm-azure"])
            .with(["--bin", HANDLER, "--target-dir", TARGET])
    }

    /// The path of the built handler, relative to the repository.
    fn built(self) -> PathBuf {
        let target = match self {
            Self::Static => STATIC,
            Self::Zig => DYNAMIC,
        };
        Path::new(TARGET).join(target).join("dist").join(HANDLER)
    }
}

/// The target folder of cargo, independent of the environment.
const TARGET: &str = "target";
/// The name of the executable, which `host.json` repeats.
pub(crate) const HANDLER: &str = "handler";

/// The latest built handler.
///
/// # Errors
/// If there is none.
pub(crate) fn latest(root: &Path, build: Option<Build>) -> Result<PathBuf, Failure> {
    let places = match build {
        Some(build) => vec![build],
        None => vec![Build::Static, Build::Zig],
    };
    let files = places.into_iter().map(|build| root.join(build.built()));
    let changed = |file: &PathBuf| file.metadata().and_then(|data| data.modified()).ok();
    let files = files.filter(|file| file.is_file());
    files
        .max_by_key(changed)
        .ok_or_else(|| Failure::new("no handler is built yet: run this again without `--no-build`"))
}

fn how(tool: &Tool) -> String {
    let (program, how_to_get) = (tool.program, tool.how_to_get);
    format!("`{program}` is not on the PATH: get it with `{how_to_get}`")
}

fn missing(what: &[String]) -> Failure {
    Failure::new(what.join("; "))
}

/// Whether the C compiler has the library of the static target.
fn has_target() -> bool {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", STATIC]);
    let output = command.stderr(Stdio::null()).output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).is_dir()
    })
}
