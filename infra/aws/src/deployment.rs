//! The target and the resource names of a deployment on AWS.

use clap::Args;
use wm_deploy::deployment::{BaseName, Deployment, name, renamed};
use wm_terminal::failure::Failure;

use crate::account::Account;

/// The flags for the target of a deployment.
#[derive(Debug, Args)]
pub struct TargetFlags {
    /// The region. Default: that of the profile
    #[arg(long, env = "AWS_REGION")]
    pub(crate) region: Option<String>,
}

/// The flags for the names of table and bucket.
#[derive(Debug, Default, Args)]
pub struct Data {
    /// The private bucket. Default: a derived name
    #[arg(long, value_name = "NAME", env = "AWS_S3_BUCKET")]
    pub(crate) bucket: Option<String>,
    /// The table. Default: a derived name
    #[arg(long, value_name = "NAME", env = "AWS_DYNAMODB_TABLE")]
    pub(crate) table: Option<String>,
}

/// The names of the resources of a deployment. The base name is also the name of the stack and
/// of the event bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The prefix of every name of the stack.
    pub(crate) base_name: BaseName,
    pub(crate) bucket: String,
    pub(crate) table: String,
    pub(crate) site_bucket: String,
}

impl AsRef<BaseName> for Names {
    fn as_ref(&self) -> &BaseName {
        &self.base_name
    }
}

impl Names {
    /// Derives the names. Flags can set the names of bucket and table.
    pub(crate) fn of(deployment: &Deployment<Account>, data: &Data) -> Result<Self, Failure> {
        let derived = deployment.derived()?;
        let bucket = name(&derived, "storage.bucket");
        // The name is derived from that of the private bucket, with the same shortening and digest.
        let site = bucket.strip_suffix("-documents").unwrap_or(&bucket);
        let site_bucket = format!("{site}-site");
        let flags = [
            ("storage.bucket", &data.bucket),
            ("database.table", &data.table),
        ];
        let named = renamed(derived, flags)?;
        Ok(Self {
            base_name: deployment.base_name(),
            bucket: name(&named, "storage.bucket"),
            table: name(&named, "database.table"),
            site_bucket,
        })
    }

    /// The queue of events that a function could not process.
    pub(crate) fn dead_letters(&self, function: &str) -> String {
        format!("{}-{function}-dead-letters", self.base_name)
    }

    /// The name of a parameter in Parameter Store.
    pub(crate) fn parameter(&self, name: &str) -> String {
        let BaseName {
            prefix,
            environment,
        } = &self.base_name;
        format!("/{prefix}/{environment}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use wm_deploy::cloud::Cloud;

    use super::*;

    fn named(prefix: &str, data: &Data) -> Result<Names, Failure> {
        let deployment = Deployment {
            environment: "dev".into(),
            prefix: prefix.into(),
            target: TargetFlags {
                region: Some(String::new()),
            },
        };
        Names::of(&deployment, data)
    }

    #[test]
    fn names_are_derived_from_prefix_and_environment() {
        let names = named("workspace-management", &Data::default()).unwrap();
        assert_eq!(names.base_name.to_string(), "workspace-management-dev");
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
    fn flags_rename_only_bucket_and_table() {
        let data = Data {
            bucket: Some("their-bucket".into()),
            table: Some("Their_Table".into()),
        };
        let names = named("My Org", &data).unwrap();
        assert_eq!(
            (names.bucket.as_str(), names.table.as_str()),
            ("their-bucket", "Their_Table")
        );
        assert_eq!(
            (names.base_name.prefix.as_str(), names.site_bucket.as_str()),
            ("my-org", "my-org-dev-site")
        );
        let wrong = Data {
            bucket: Some("Their_Bucket".into()),
            table: None,
        };
        let failure = named("x", &wrong).unwrap_err().to_string();
        assert!(failure.contains("`storage.bucket` must be"), "{failure}");
    }

    #[test]
    fn long_prefix_is_refused() {
        let names = named(&"a".repeat(33), &Data::default()).unwrap();
        let refused = names
            .base_name
            .fit(Account::LIMITS)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("too long"), "{refused}");
        let longest = named(&"a-".repeat(40), &Data::default()).unwrap();
        assert!(longest.site_bucket.len() <= 63);
        assert!(longest.site_bucket.ends_with("-dev-site"));
    }
}
