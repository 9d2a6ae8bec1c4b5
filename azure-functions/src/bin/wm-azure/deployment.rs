//! Which deployment a command is about, and how everything of it is called.

use std::str::FromStr;

use clap::Args;
use wm_azure::setup::Place;
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
/// The longest prefix and environment that the templates take.
const LONGEST_PREFIX: usize = 32;
const LONGEST_ENVIRONMENT: usize = 12;
/// The longest name of a resource group.
const LONGEST_GROUP: usize = 90;

/// The flags that say which deployment it is.
#[derive(Debug, Args)]
pub(crate) struct Deployment {
    /// What the deployment is for, such as `dev` or `prod`
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ENVIRONMENT)]
    pub(crate) environment: String,
    /// How every name begins
    #[arg(long, default_value = DEFAULT_PREFIX)]
    pub(crate) prefix: String,
    /// The resource group; else it is named like the rest
    #[arg(long, value_name = "NAME", env = "AZURE_RESOURCE_GROUP")]
    pub(crate) resource_group: Option<String>,
    /// The location; else that of the resource group
    #[arg(long, env = "AZURE_LOCATION")]
    pub(crate) location: Option<String>,
    /// The id of the subscription; else the one that `az` has chosen
    #[arg(long, value_name = "ID", env = "AZURE_SUBSCRIPTION_ID")]
    pub(crate) subscription: Option<String>,
}

/// The flags that name storage and database otherwise than the rest.
#[derive(Debug, Default, Args)]
pub(crate) struct Data {
    /// The storage account of documents; else it is named like the rest
    #[arg(long, value_name = "NAME", env = "AZURE_STORAGE_ACCOUNT")]
    pub(crate) storage_account: Option<String>,
    /// The private container in it
    #[arg(long, value_name = "NAME", env = "AZURE_STORAGE_CONTAINER")]
    pub(crate) storage_container: Option<String>,
    /// The database account; else it is named like the rest
    #[arg(long, value_name = "NAME", env = "AZURE_COSMOS_ACCOUNT")]
    pub(crate) cosmos_account: Option<String>,
    /// The database in it
    #[arg(long, value_name = "NAME", env = "AZURE_COSMOS_DATABASE")]
    pub(crate) cosmos_database: Option<String>,
    /// The container of records in that
    #[arg(long, value_name = "NAME", env = "AZURE_COSMOS_CONTAINER")]
    pub(crate) cosmos_container: Option<String>,
}

impl Data {
    /// The flags by the fields of the selection they stand for.
    pub(crate) fn flags(&mut self) -> [(&'static str, &mut Option<String>); 5] {
        [
            ("storage.account", &mut self.storage_account),
            ("storage.container", &mut self.storage_container),
            ("database.account", &mut self.cosmos_account),
            ("database.database", &mut self.cosmos_database),
            ("database.container", &mut self.cosmos_container),
        ]
    }

    /// What they name, in the order of [`Names::data`].
    pub(crate) fn said(&self) -> [Option<&str>; 5] {
        [
            &self.storage_account,
            &self.storage_container,
            &self.cosmos_account,
            &self.cosmos_database,
            &self.cosmos_container,
        ]
        .map(|flag| given(flag.as_ref()))
    }
}

/// `true`, `false`, or nothing: an empty variable is one that is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice(pub(crate) Option<bool>);

impl FromStr for Choice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(Self(None)),
            "true" => Ok(Self(Some(true))),
            "false" => Ok(Self(Some(false))),
            _ => Err("write `true` or `false`"),
        }
    }
}

/// How everything of a deployment is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// How every name begins, as names are spelt.
    pub(crate) prefix: String,
    /// What it is for.
    pub(crate) environment: String,
    /// The resource group.
    pub(crate) group: String,
    /// Where it is, when somebody says so.
    pub(crate) location: Option<String>,
    /// Where it is when nobody does.
    pub(crate) default_location: String,
    /// The storage account of documents.
    pub(crate) storage_account: String,
    /// The private container in it.
    pub(crate) storage_container: String,
    /// The database account.
    pub(crate) cosmos_account: String,
    /// The database in it.
    pub(crate) cosmos_database: String,
    /// The container of records in that.
    pub(crate) cosmos_container: String,
    /// The storage account of the site.
    pub(crate) site_account: String,
}

impl Deployment {
    /// The names, with those that these flags name.
    ///
    /// # Errors
    /// What no service would take as a name.
    pub(crate) fn names(&self, data: &mut Data) -> Result<Names, Failure> {
        let location = given(self.location.as_ref());
        let derived =
            BackendSelection::new(Provider::Azure, &self.prefix, &self.environment, location)
                .map_err(|errors| listed(&errors))?;
        let name = |selection: &BackendSelection, path| {
            selection.name(path).unwrap_or_default().to_owned()
        };
        let documents = name(&derived, "storage.account");
        let prefix = spelt(&self.prefix, &self.environment);
        let mut named = derived;
        for (path, flag) in data.flags() {
            if let Some(name) = given(flag.as_ref()) {
                named = named.with(path, name).map_err(|error| listed(&[error]))?;
            }
        }
        let stem = format!("{prefix}-{}", self.environment);
        let group = given(self.resource_group.as_ref()).unwrap_or(&stem);
        // As short as the documents' name is, and kept apart from others in the same way.
        let site = documents.strip_suffix("docs").unwrap_or(&documents);
        let names = Names {
            group: group.to_owned(),
            location: location.map(str::to_owned),
            default_location: name(&named, "location"),
            storage_account: name(&named, "storage.account"),
            storage_container: name(&named, "storage.container"),
            cosmos_account: name(&named, "database.account"),
            cosmos_database: name(&named, "database.database"),
            cosmos_container: name(&named, "database.container"),
            site_account: format!("{site}site"),
            environment: self.environment.clone(),
            prefix,
        };
        check_group(&names.group)?;
        check_subscription(given(self.subscription.as_ref()))?;
        Ok(names)
    }
}

/// The prefix as names that are not shortened spell it.
fn spelt(prefix: &str, environment: &str) -> String {
    let selection = BackendSelection::new(Provider::Aws, prefix, environment, None).ok();
    let stem = selection
        .as_ref()
        .and_then(|found| found.name("database.table"));
    let stem = stem.unwrap_or(prefix);
    let prefix = stem.strip_suffix(&format!("-{environment}"));
    prefix.unwrap_or(stem).to_owned()
}

fn check_group(group: &str) -> Result<(), Failure> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || "-_.()".contains(c);
    if group.len() <= LONGEST_GROUP && group.chars().all(in_name) && !group.ends_with('.') {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "`{group}` is no name of a resource group: use up to {LONGEST_GROUP} letters, digits and `-_.()`, no dot at the end"
    )))
}

fn check_subscription(id: Option<&str>) -> Result<(), Failure> {
    let Some(id) = id else { return Ok(()) };
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    let in_id = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    if lengths == [8, 4, 4, 4, 12] && id.bytes().all(in_id) {
        return Ok(());
    }
    Err(Failure::usage(
        "a subscription is named by its id, such as `11112222-3333-4444-5555-666677778888`: `az account list --output table` shows it",
    ))
}

impl Names {
    /// Storage and database.
    pub(crate) fn data(&self) -> [&str; 5] {
        [
            &self.storage_account,
            &self.storage_container,
            &self.cosmos_account,
            &self.cosmos_database,
            &self.cosmos_container,
        ]
    }

    /// The same, to be named otherwise.
    pub(crate) fn data_mut(&mut self) -> [&mut String; 5] {
        [
            &mut self.storage_account,
            &mut self.storage_container,
            &mut self.cosmos_account,
            &mut self.cosmos_database,
            &mut self.cosmos_container,
        ]
    }

    /// What every name of the templates begins with, which is also the name of the function app, of the
    /// topic and of the deployment.
    pub(crate) fn stem(&self) -> String {
        format!("{}-{}", self.prefix, self.environment)
    }

    /// The deployment of the site.
    pub(crate) fn site_deployment(&self) -> String {
        format!("{}-site", self.stem())
    }

    /// The resource group in a subscription.
    pub(crate) fn place(&self, subscription: &str) -> Place {
        Place {
            subscription: subscription.to_owned(),
            group: self.group.clone(),
        }
    }

    /// Refuses what the templates do not take.
    pub(crate) fn fit(&self) -> Result<(), Failure> {
        for (what, name, longest) in [
            ("prefix", &self.prefix, LONGEST_PREFIX),
            ("environment", &self.environment, LONGEST_ENVIRONMENT),
        ] {
            if name.len() > longest {
                return Err(Failure::usage(format!(
                    "the {what} `{name}` is too long for the names of a deployment: use at most {longest} characters"
                )));
            }
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
            resource_group: None,
            location: Some(String::new()),
            subscription: None,
        }
    }

    #[test]
    fn names_follow_from_prefix_and_environment() {
        let names = deployment("workspace-management");
        let names = names.names(&mut Data::default()).unwrap();
        assert_eq!(names.stem(), "workspace-management-dev");
        assert_eq!(names.group, "workspace-management-dev");
        assert_eq!(names.storage_account, "workspacemanagedevdocs");
        assert_eq!(names.site_account, "workspacemanagedevsite");
        assert_eq!(names.cosmos_account, "workspace-management-dev-cosmos");
        assert_eq!(names.location, None);
        assert_eq!(names.default_location, "eastus");
    }

    #[test]
    fn flags_rename_what_they_name_and_nothing_else() {
        let mut data = Data {
            storage_account: Some("theirs".into()),
            cosmos_container: Some("Their_Items".into()),
            ..Data::default()
        };
        let names = deployment("My Org").names(&mut data).unwrap();
        assert_eq!(names.storage_account, "theirs");
        assert_eq!(names.cosmos_container, "Their_Items");
        assert_eq!(
            (names.prefix.as_str(), names.group.as_str()),
            ("my-org", "my-org-dev")
        );
        assert!(names.site_account.ends_with("site"), "{names:?}");
        let mut wrong = Data {
            storage_account: Some("Not-One".into()),
            ..Data::default()
        };
        let failure = deployment("x").names(&mut wrong).unwrap_err().to_string();
        assert!(failure.contains("`storage.account` must be"), "{failure}");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let mut wrong = deployment("x");
        wrong.resource_group = Some("a/b".into());
        assert!(wrong.names(&mut Data::default()).is_err());
        let mut wrong = deployment("x");
        wrong.subscription = Some("Pay as you go".into());
        assert!(wrong.names(&mut Data::default()).is_err());
        let long = deployment(&"a".repeat(33))
            .names(&mut Data::default())
            .unwrap();
        assert!(long.fit().unwrap_err().to_string().contains("too long"));
    }
}
