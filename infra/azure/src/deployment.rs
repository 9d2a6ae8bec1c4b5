//! The target and the resource names of a deployment on Azure.

use std::str::FromStr;

use clap::Args;
use wm_deploy::deployment::{BaseName, Deployment, name, renamed};
use wm_terminal::{failure::Failure, flags::given};

use crate::{account::Account, setup::ResourceGroup};

/// The maximum length of a resource group's name.
const LONGEST_GROUP: usize = 90;

/// The flags for the target of a deployment.
#[derive(Debug, Default, Args)]
pub struct TargetFlags {
    /// The resource group. Default: a derived name
    #[arg(long, value_name = "NAME", env = "AZURE_RESOURCE_GROUP")]
    pub(crate) resource_group: Option<String>,
    /// The location. Default: that of the resource group
    #[arg(long, env = "AZURE_LOCATION")]
    pub(crate) location: Option<String>,
    /// The id of the subscription. Default: the one that `az` has selected
    #[arg(long, value_name = "ID", env = "AZURE_SUBSCRIPTION_ID")]
    pub(crate) subscription: Option<String>,
}

/// The flags for the names of storage and database.
#[derive(Debug, Default, Args)]
pub struct Data {
    /// The storage account of documents. Default: a derived name
    #[arg(long, value_name = "NAME", env = "AZURE_STORAGE_ACCOUNT")]
    pub(crate) storage_account: Option<String>,
    /// The private container in the storage account
    #[arg(long, value_name = "NAME", env = "AZURE_STORAGE_CONTAINER")]
    pub(crate) storage_container: Option<String>,
    /// The database account. Default: a derived name
    #[arg(long, value_name = "NAME", env = "AZURE_COSMOS_ACCOUNT")]
    pub(crate) cosmos_account: Option<String>,
    /// The database in the account
    #[arg(long, value_name = "NAME", env = "AZURE_COSMOS_DATABASE")]
    pub(crate) cosmos_database: Option<String>,
    /// The container of records in the database
    #[arg(long, value_name = "NAME", env = "AZURE_COSMOS_CONTAINER")]
    pub(crate) cosmos_container: Option<String>,
}

/// The paths of these names in a backend selection, in the order of [`Data::flags`].
const PATHS: [&str; 5] = [
    "storage.account",
    "storage.container",
    "database.account",
    "database.database",
    "database.container",
];

impl Data {
    /// The flags, in the order of [`Names::data`].
    fn flags(&self) -> [&Option<String>; 5] {
        [
            &self.storage_account,
            &self.storage_container,
            &self.cosmos_account,
            &self.cosmos_database,
            &self.cosmos_container,
        ]
    }

    /// The names from flags, in the order of [`Names::data`].
    pub(crate) fn given(&self) -> [Option<&str>; 5] {
        self.flags().map(|flag| given(flag.as_ref()))
    }

    /// The flags with their paths in a backend selection.
    pub(crate) fn selectable(&mut self) -> [(&'static str, &mut Option<String>); 5] {
        let [account, container, cosmos, database, records] = PATHS;
        [
            (account, &mut self.storage_account),
            (container, &mut self.storage_container),
            (cosmos, &mut self.cosmos_account),
            (database, &mut self.cosmos_database),
            (records, &mut self.cosmos_container),
        ]
    }
}

/// `true`, `false` or unset. An empty variable counts as unset.
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

/// The names of the resources of a deployment. The base name is also the name of the function
/// app, of the topic and of the deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The prefix of every name of the templates.
    pub(crate) base_name: BaseName,
    pub(crate) group: String,
    /// The location from the flag.
    pub(crate) location: Option<String>,
    /// The location without the flag.
    pub(crate) default_location: String,
    pub(crate) storage_account: String,
    pub(crate) storage_container: String,
    pub(crate) cosmos_account: String,
    pub(crate) cosmos_database: String,
    /// The container of records in the database.
    pub(crate) cosmos_container: String,
    pub(crate) site_account: String,
}

impl AsRef<BaseName> for Names {
    fn as_ref(&self) -> &BaseName {
        &self.base_name
    }
}

fn check_group(group: &str) -> Result<(), Failure> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || "-_.()".contains(c);
    if group.len() <= LONGEST_GROUP && group.chars().all(in_name) && !group.ends_with('.') {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "`{group}` is not a valid name of a resource group: use up to {LONGEST_GROUP} letters, digits and `-_.()`, without a dot at the end"
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
        "a subscription must be given by its id, such as `11112222-3333-4444-5555-666677778888`: `az account list --output table` shows it",
    ))
}

impl Names {
    /// Derives the names. Flags can set some of them.
    pub(crate) fn of(deployment: &Deployment<Account>, data: &Data) -> Result<Self, Failure> {
        let derived = deployment.derived()?;
        let documents = name(&derived, "storage.account");
        // The name is derived from that of the documents' account, with the same shortening and
        // digest.
        let site = documents.strip_suffix("docs").unwrap_or(&documents);
        let site_account = format!("{site}site");
        let named = renamed(derived, PATHS.into_iter().zip(data.flags()))?;
        let base_name = deployment.base_name();
        let flags = &deployment.target;
        let group = given(flags.resource_group.as_ref());
        let names = Self {
            group: group.map_or_else(|| base_name.to_string(), str::to_owned),
            location: given(flags.location.as_ref()).map(str::to_owned),
            default_location: name(&named, "location"),
            storage_account: name(&named, "storage.account"),
            storage_container: name(&named, "storage.container"),
            cosmos_account: name(&named, "database.account"),
            cosmos_database: name(&named, "database.database"),
            cosmos_container: name(&named, "database.container"),
            site_account,
            base_name,
        };
        check_group(&names.group)?;
        check_subscription(given(flags.subscription.as_ref()))?;
        Ok(names)
    }
    /// The names of storage and database.
    pub(crate) fn data(&self) -> [&str; 5] {
        [
            &self.storage_account,
            &self.storage_container,
            &self.cosmos_account,
            &self.cosmos_database,
            &self.cosmos_container,
        ]
    }

    /// The names of storage and database, for replacing them.
    pub(crate) fn data_mut(&mut self) -> [&mut String; 5] {
        [
            &mut self.storage_account,
            &mut self.storage_container,
            &mut self.cosmos_account,
            &mut self.cosmos_database,
            &mut self.cosmos_container,
        ]
    }

    pub(crate) fn resource_group(&self, subscription: &str) -> ResourceGroup {
        ResourceGroup {
            subscription: subscription.to_owned(),
            name: self.group.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use wm_deploy::cloud::Cloud;

    use super::*;

    fn deployment(prefix: &str) -> Deployment<Account> {
        Deployment {
            environment: "dev".into(),
            prefix: prefix.into(),
            target: TargetFlags {
                location: Some(String::new()),
                ..TargetFlags::default()
            },
        }
    }

    fn named(prefix: &str, data: &Data) -> Result<Names, Failure> {
        Names::of(&deployment(prefix), data)
    }

    #[test]
    fn names_are_derived_from_prefix_and_environment() {
        let names = named("workspace-management", &Data::default()).unwrap();
        assert_eq!(names.base_name.to_string(), "workspace-management-dev");
        assert_eq!(names.group, "workspace-management-dev");
        assert_eq!(names.storage_account, "workspacemanagedevdocs");
        assert_eq!(names.site_account, "workspacemanagedevsite");
        assert_eq!(names.cosmos_account, "workspace-management-dev-cosmos");
        assert_eq!(names.location, None);
        assert_eq!(names.default_location, "eastus");
    }

    #[test]
    fn flags_rename_only_their_resources() {
        let data = Data {
            storage_account: Some("theirs".into()),
            cosmos_container: Some("Their_Items".into()),
            ..Data::default()
        };
        let names = named("My Org", &data).unwrap();
        assert_eq!(names.storage_account, "theirs");
        assert_eq!(names.cosmos_container, "Their_Items");
        assert_eq!(
            (names.base_name.prefix.as_str(), names.group.as_str()),
            ("my-org", "my-org-dev")
        );
        assert!(names.site_account.ends_with("site"), "{names:?}");
        let wrong = Data {
            storage_account: Some("Not-One".into()),
            ..Data::default()
        };
        let failure = named("x", &wrong).unwrap_err().to_string();
        assert!(failure.contains("`storage.account` must be"), "{failure}");
    }

    #[test]
    fn invalid_names_are_refused() {
        let mut wrong = deployment("x");
        wrong.target.resource_group = Some("a/b".into());
        assert!(Names::of(&wrong, &Data::default()).is_err());
        let mut wrong = deployment("x");
        wrong.target.subscription = Some("Pay as you go".into());
        assert!(Names::of(&wrong, &Data::default()).is_err());
        let long = named(&"a".repeat(33), &Data::default()).unwrap();
        let refused = long.base_name.fit(Account::LIMITS).unwrap_err().to_string();
        assert!(refused.contains("too long"), "{refused}");
    }
}
