//! Which deployment a command is about.

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

/// The flags that say which deployment it is.
#[derive(Debug, Args)]
pub struct Deployment<C: Cloud> {
    /// What the deployment is for, such as `dev` or `prod`
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ENVIRONMENT)]
    pub environment: String,
    /// How every name begins
    #[arg(long, default_value = DEFAULT_PREFIX)]
    pub prefix: String,
    #[command(flatten)]
    pub place: C::Place,
}

impl<C: Cloud> Deployment<C> {
    /// The names that follow from prefix, environment and location.
    ///
    /// # Errors
    /// When no names can be derived from them.
    pub fn derived(&self) -> Result<BackendSelection, Failure> {
        let location = C::location(&self.place);
        BackendSelection::new(C::PROVIDER, &self.prefix, &self.environment, location)
            .map_err(|errors| listed(&errors))
    }

    /// Prefix and environment as names contain them.
    #[must_use]
    pub fn stem(&self) -> Stem {
        Stem::new(&self.prefix, &self.environment)
    }
}

/// Replaces derived names by those that flags give.
///
/// # Errors
/// When a name is not valid for its service.
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

/// The name at a path of a selection; empty where it has none.
#[must_use]
pub fn name(selection: &BackendSelection, path: &str) -> String {
    selection.name(path).unwrap_or_default().to_owned()
}

/// Prefix and environment, with which every name of a deployment begins: `prefix-environment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stem {
    /// How every name begins, in the characters that names may have.
    pub prefix: String,
    /// What the deployment is for.
    pub environment: String,
}

/// How long the parts of a stem may be, so that the longest name of a template fits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In characters.
    pub prefix: usize,
    /// In characters.
    pub environment: usize,
    /// What the names belong to, such as "a stack".
    pub of: &'static str,
}

impl fmt::Display for Stem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            prefix,
            environment,
        } = self;
        write!(formatter, "{prefix}-{environment}")
    }
}

impl Stem {
    /// Takes the spelling from the name of a table, which no provider shortens.
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

    /// The stack or deployment of the site.
    #[must_use]
    pub fn site(&self) -> String {
        format!("{self}-site")
    }

    /// The chosen tags with those that every resource has.
    #[must_use]
    pub fn tags(&self, chosen: &ChosenTags) -> Tags {
        chosen.with(APPLICATION, &self.environment)
    }

    /// Checks the lengths.
    ///
    /// # Errors
    /// When a name of the template would be too long.
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
