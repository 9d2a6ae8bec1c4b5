//! How the handler is built: one executable that runs on any Linux.

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
/// The compiler for what is written in C, which has to link without the system's library too.
const MUSL_GCC: Tool = Tool {
    program: "musl-gcc",
    how_to_get: "apt-get install musl-tools",
    environment: &[],
};
/// Links against a library as old as is wanted, where there is no other target.
const ZIGBUILD: Tool = Tool {
    program: "cargo-zigbuild",
    how_to_get: "pip install cargo-zigbuild ziglang",
    environment: &[],
};
/// Links everything in.
const STATIC: &str = "x86_64-unknown-linux-musl";
/// Needs the system's library, in any version since that of 2018.
const DYNAMIC: &str = "x86_64-unknown-linux-gnu";
const OLDEST_LIBRARY: &str = "2.28";

/// How the handler is built here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// With everything linked in.
    Static,
    /// Against an old library of the system.
    Zig,
}

impl Build {
    /// How it can be built on this machine.
    ///
    /// # Errors
    /// When it cannot, naming all that is missing.
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

    /// The run that builds it.
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

    /// Where it is then, from the repository's root.
    fn built(self) -> PathBuf {
        let target = match self {
            Self::Static => STATIC,
            Self::Zig => DYNAMIC,
        };
        Path::new(TARGET).join(target).join("dist").join(HANDLER)
    }
}

/// Where cargo is told to build, whatever the environment says.
const TARGET: &str = "target";
/// The name of the executable, which `host.json` repeats.
pub(crate) const HANDLER: &str = "handler";

/// The handler that was built last.
///
/// # Errors
/// When there is none.
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

/// Whether the compiler has the library of the static target.
fn has_target() -> bool {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", STATIC]);
    let output = command.stderr(Stdio::null()).output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).is_dir()
    })
}
