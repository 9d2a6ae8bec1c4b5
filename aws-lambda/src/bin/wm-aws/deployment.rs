//! Which deployment a command is about, and how everything of it is called.

use clap::Args;
use wm_core::{
    catalog::{DEFAULT_ENVIRONMENT, DEFAULT_PREFIX, Provider},
    selection::BackendSelection,
};
use wm_terminal::tags::{ChosenTags, Tags};

use crate::{
    failure::Failure,
    flags::{given, listed},
};

/// The tag that says whose everything is.
const APPLICATION: &str = "workspace-management";
/// The longest prefix for which the longest name, that of a function's role, still fits.
const LONGEST_PREFIX: usize = 32;

/// The flags that say which deployment it is.
#[derive(Debug, Args)]
pub(crate) struct Deployment {
    /// What the deployment is for, such as `dev` or `prod`
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ENVIRONMENT)]
    pub(crate) environment: String,
    /// How every name begins
    #[arg(long, default_value = DEFAULT_PREFIX)]
    pub(crate) prefix: String,
    /// The region; else the profile's
    #[arg(long, env = "AWS_REGION")]
    pub(crate) region: Option<String>,
}

/// The flags that name table and bucket otherwise than the rest.
#[derive(Debug, Args)]
pub(crate) struct Data {
    /// The private bucket; else it is named like the rest
    #[arg(long, value_name = "NAME", env = "AWS_S3_BUCKET")]
    pub(crate) bucket: Option<String>,
    /// The table; else it is named like the rest
    #[arg(long, value_name = "NAME", env = "AWS_DYNAMODB_TABLE")]
    pub(crate) table: Option<String>,
}

/// How everything of a deployment is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// How every name begins, as names are spelt.
    pub(crate) prefix: String,
    /// What it is for.
    pub(crate) environment: String,
    /// The private bucket.
    pub(crate) bucket: String,
    /// The table.
    pub(crate) table: String,
    /// The bucket of the site.
    pub(crate) site_bucket: String,
}

impl Deployment {
    /// The names, with the bucket and the table these flags name.
    ///
    /// # Errors
    /// What no service would take as a name.
    pub(crate) fn names(&self, data: Option<&Data>) -> Result<Names, Failure> {
        let region = given(self.region.as_ref());
        let derived = BackendSelection::new(Provider::Aws, &self.prefix, &self.environment, region)
            .map_err(|errors| listed(&errors))?;
        let text = |path| derived.name(path).unwrap_or_default().to_owned();
        let (bucket, table) = (text("storage.bucket"), text("database.table"));
        // As short as the documents' name is, and kept apart from others in the same way.
        let site = bucket.strip_suffix("-documents").unwrap_or(&bucket);
        let site_bucket = format!("{site}-site");
        let prefix = table.strip_suffix(&format!("-{}", self.environment));
        let prefix = prefix.unwrap_or(&table).to_owned();
        let mut named = derived;
        let flags = data.map(|data| {
            [
                ("storage.bucket", given(data.bucket.as_ref())),
                ("database.table", given(data.table.as_ref())),
            ]
        });
        for (path, name) in flags.into_iter().flatten() {
            if let Some(name) = name {
                named = named.with(path, name).map_err(|error| listed(&[error]))?;
            }
        }
        let text = |path| named.name(path).unwrap_or_default().to_owned();
        Ok(Names {
            prefix,
            environment: self.environment.clone(),
            bucket: text("storage.bucket"),
            table: text("database.table"),
            site_bucket,
        })
    }
}

impl Names {
    /// What every name of the stack begins with, which is also the name of the stack and of the bus.
    pub(crate) fn stem(&self) -> String {
        format!("{}-{}", self.prefix, self.environment)
    }

    /// The stack of the site.
    pub(crate) fn site_stack(&self) -> String {
        format!("{}-site", self.stem())
    }

    /// The queue of what a function could not take.
    pub(crate) fn dead_letters(&self, function: &str) -> String {
        format!("{}-{function}-dead-letters", self.stem())
    }

    /// A parameter the functions look up.
    pub(crate) fn parameter(&self, name: &str) -> String {
        format!("/{}/{}/{name}", self.prefix, self.environment)
    }

    /// Refuses a prefix with which some name of a stack would be too long.
    pub(crate) fn fit(&self) -> Result<(), Failure> {
        let prefix = &self.prefix;
        if prefix.len() > LONGEST_PREFIX {
            return Err(Failure::usage(format!(
                "the prefix `{prefix}` is too long for the names of a stack: use at most {LONGEST_PREFIX} characters"
            )));
        }
        Ok(())
    }

    /// The tags that everything has, and these.
    pub(crate) fn tags(&self, chosen: &ChosenTags) -> Tags {
        chosen.with(APPLICATION, &self.environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(prefix: &str) -> Deployment {
        Deployment {
            environment: "dev".into(),
            prefix: prefix.into(),
            region: Some(String::new()),
        }
    }

    #[test]
    fn names_follow_from_prefix_and_environment() {
        let names = deployment("workspace-management").names(None).unwrap();
        assert_eq!(names.stem(), "workspace-management-dev");
        assert_eq!(names.bucket, "workspace-management-dev-documents");
        assert_eq!(names.table, "workspace-management-dev");
        assert_eq!(names.site_bucket, "workspace-management-dev-site");
        assert_eq!(
            names.parameter("surface-id"),
            "/workspace-management/dev/surface-id"
        );
        assert_eq!(
            names.dead_letters("notify"),
            "workspace-management-dev-notify-dead-letters"
        );
    }

    #[test]
    fn flags_rename_bucket_and_table_and_nothing_else() {
        let data = Data {
            bucket: Some("their-bucket".into()),
            table: Some("Their_Table".into()),
        };
        let names = deployment("My Org").names(Some(&data)).unwrap();
        assert_eq!(
            (names.bucket.as_str(), names.table.as_str()),
            ("their-bucket", "Their_Table")
        );
        assert_eq!(
            (names.prefix.as_str(), names.site_bucket.as_str()),
            ("my-org", "my-org-dev-site")
        );
        let wrong = Data {
            bucket: Some("Their_Bucket".into()),
            table: None,
        };
        let failure = deployment("x").names(Some(&wrong)).unwrap_err().to_string();
        assert!(failure.contains("`storage.bucket` must be"), "{failure}");
    }

    #[test]
    fn a_long_prefix_is_refused_before_anything_is_built() {
        let names = deployment(&"a".repeat(33)).names(None).unwrap();
        assert!(names.fit().unwrap_err().to_string().contains("too long"));
        let longest = deployment(&"a-".repeat(40)).names(None).unwrap();
        assert!(longest.site_bucket.len() <= 63);
        assert!(longest.site_bucket.ends_with("-dev-site"));
    }
}
