//! The deployment of a command.

use std::fmt;

use clap::Args;
use wm_core::{
    catalog::{DEFAULT_ENVIRONMENT, DEFAULT_PREFIX, Provider},
    selection::BackendSelection,
};
use wm_terminal::{
    failure::Failure,
    flags::{given, listed},
};

use crate::{
    cloud::Cloud,
    tags::{ChosenTags, Tags},
};

/// The value of the tag `application`.
const APPLICATION: &str = "workspace-management";

/// The flags that identify a deployment.
#[derive(Debug, Args)]
pub struct Deployment<C: Cloud> {
    /// The environment, such as `dev` or `prod`
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ENVIRONMENT)]
    pub environment: String,
    /// The prefix of every name
    #[arg(long, default_value = DEFAULT_PREFIX)]
    pub prefix: String,
    #[command(flatten)]
    pub target: C::TargetFlags,
}

impl<C: Cloud> Deployment<C> {
    /// The names derived from prefix, environment and location.
    ///
    /// # Errors
    /// If no valid names can be derived.
    pub fn derived(&self) -> Result<BackendSelection, Failure> {
        let location = C::location(&self.target);
        BackendSelection::new(C::PROVIDER, &self.prefix, &self.environment, location)
            .map_err(|errors| listed(&errors))
    }

    /// Prefix and environment in the form that names contain.
    #[must_use]
    pub fn base_name(&self) -> BaseName {
        BaseName::new(&self.prefix, &self.environment)
    }
}

/// Replaces derived names by names from flags.
///
/// # Errors
/// If a name is not valid for its service.
pub fn renamed<'flags>(
    derived: BackendSelection,
    flags: impl IntoIterator<Item = (&'static str, &'flags Option<String>)>,
) -> Result<BackendSelection, Failure> {
    let mut named = derived;
    for (path, flag) in flags {
        if let Some(name) = given(flag.as_ref()) {
            named = named.with(path, name).map_err(|error| listed(&[error]))?;
        }
    }
    Ok(named)
}

/// The name at a path of a selection. Empty if the selection has none.
#[must_use]
pub fn name(selection: &BackendSelection, path: &str) -> String {
    selection.name(path).unwrap_or_default().to_owned()
}

/// Prefix and environment, with which every name of a deployment begins: `prefix-environment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseName {
    /// The prefix, in the characters that names allow.
    pub prefix: String,
    pub environment: String,
}

/// Maximum lengths of the parts of a base name, so that the longest name of a template is valid.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In characters.
    pub prefix: usize,
    /// In characters.
    pub environment: usize,
    /// The resource that limits the names, such as "a stack".
    pub of: &'static str,
}

impl fmt::Display for BaseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            prefix,
            environment,
        } = self;
        write!(formatter, "{prefix}-{environment}")
    }
}

impl BaseName {
    /// Derives the spelling from the name of a table, which no provider shortens.
    #[must_use]
    pub fn new(prefix: &str, environment: &str) -> Self {
        let selection = BackendSelection::new(Provider::Aws, prefix, environment, None).ok();
        let table = selection
            .as_ref()
            .and_then(|found| found.name("database.table"));
        let table = table.unwrap_or(prefix);
        let spelt = table.strip_suffix(&format!("-{environment}"));
        Self {
            prefix: spelt.unwrap_or(table).to_owned(),
            environment: environment.to_owned(),
        }
    }

    /// The name of the stack or deployment of the site.
    #[must_use]
    pub fn site(&self) -> String {
        format!("{self}-site")
    }

    /// The chosen tags, and the tags of every resource.
    #[must_use]
    pub fn tags(&self, chosen: &ChosenTags) -> Tags {
        chosen.with(APPLICATION, &self.environment)
    }

    /// Checks the lengths.
    ///
    /// # Errors
    /// If a name of the template would be too long.
    pub fn fit(&self, limits: Limits) -> Result<(), Failure> {
        for (what, name, longest) in [
            ("prefix", &self.prefix, limits.prefix),
            ("environment", &self.environment, limits.environment),
        ] {
            if name.len() > longest {
                let of = limits.of;
                return Err(Failure::usage(format!(
                    "the {what} `{name}` is too long for the names of {of}: use at most {longest} characters"
                )));
            }
        }
        Ok(())
    }
}
