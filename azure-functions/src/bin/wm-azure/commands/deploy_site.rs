//! `wm deploy-site azure`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use wm_terminal::{
    site::{self, Changes},
    tags::ChosenTags,
};

use crate::{
    account::Account,
    deployment::{Data, Deployment, Names},
    failure::Failure,
    flags::given,
    output::{line, notice},
    record::{Record, deployed},
    site::Web,
    stack::{AZ, Parameters, Verb, deploy},
    tools::{require, root},
};

/// The site's template, from the repository's root.
const TEMPLATE: &str = "infra/azure/site.json";
/// Where the console is built to, from the repository's root.
const BUILT: &str = "web/dist";

const EXAMPLES: &str = "\
Examples:
  wm deploy-site azure --plan
  wm deploy-site azure
  wm deploy-site azure --environment prod --from site/dist --site-account acmesite

Makes a storage account of its own that serves a static site, as a deployment beside that of
`wm deploy azure`, which has to be there. Then uploads what differs and removes what is no longer part
of the site. Files below `assets/` whose names hold a digest are kept by browsers for ever, all others
are asked for again.

Refused: the account of documents, any account whose site holds documents, and a folder that holds
hidden files, keys or anything in the form of a credential.";

/// Put a built site into a storage account of its own
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeploySite {
    #[command(flatten)]
    deployment: Deployment,
    /// The built site; else the console's
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The storage account of the site; else it is named like the rest
    #[arg(long, value_name = "NAME")]
    site_account: Option<String>,
    /// The storage account of documents, which is never the site's
    #[arg(long, value_name = "NAME", env = "AZURE_STORAGE_ACCOUNT")]
    storage_account: Option<String>,
    /// Tags for the account, beside `application` and `environment`: `key=value,key=value`
    #[arg(long, env = "AZURE_TAGS", default_value = "", hide_default_value = true, value_parser = super::tags)]
    tags: ChosenTags,
    /// The repository, unless this is run inside it
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    /// Say what would be done and change nothing
    #[arg(long)]
    plan: bool,
}

impl DeploySite {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let root = root(self.repository.as_deref(), TEMPLATE)?;
        let names = self.names()?;
        let folder = self.from.clone().unwrap_or_else(|| root.join(BUILT));
        let files = site::read(&folder)?;
        require(&[AZ])?;
        let account = Account::open(given(self.deployment.subscription.as_ref())).await?;
        let surface = deployed(&account, &names).await?;
        let documents = surface.needed(&names, "storageAccountName")?;
        keep_apart(&names.site_account, &[documents])?;
        // Also before the account is touched: one with documents is to stay as it is.
        let web = Web::find(&account, &names).await?;
        web.keep_off()?;
        let changes = site::compare(&web, &files).await?;
        let parameters = self.parameters(&account, &names, documents);
        let name = names.site_deployment();
        let deploy = deploy(Verb::Create, &account, &names, TEMPLATE, &name, &parameters);
        show(&account, &names, &changes)?;
        if self.plan {
            line(format!("  {deploy}"))?;
            return line("nothing was changed");
        }
        deploy.stream(&root)?;
        let web = Web::find(&account, &names).await?;
        web.ready().await?;
        let changes = site::compare(&web, &files).await?;
        site::apply(&web, &changes, |step| notice(step)).await?;
        let site = Record::find(&account, &names, &name).await?;
        let site = site.unwrap_or_default();
        let url = site.output("siteUrl").unwrap_or("unknown");
        let url = url.trim_end_matches('/');
        line("done")?;
        line(format!("  the site is at {url}"))?;
        line(format!(
            "next: `wm deploy azure --origin {url}` lets its pages call the API"
        ))
    }

    /// The names; the site's account is none of the private ones.
    fn names(&self) -> Result<Names, Failure> {
        let mut data = Data {
            storage_account: self.storage_account.clone(),
            ..Data::default()
        };
        let mut names = self.deployment.names(&mut data)?;
        names.fit()?;
        let derived = self.deployment.names(&mut Data::default())?.storage_account;
        if let Some(named) = given(self.site_account.as_ref()) {
            // An account of the site is named as one of documents is.
            let mut data = Data {
                storage_account: Some(named.to_owned()),
                ..Data::default()
            };
            names.site_account = self.deployment.names(&mut data)?.storage_account;
        }
        keep_apart(&names.site_account, &[&names.storage_account, &derived])?;
        Ok(names)
    }

    fn parameters(&self, account: &Account, names: &Names, documents: &str) -> Parameters {
        let location = names.location.as_ref();
        let location = location.map(|location| ("location", json!(location)));
        let said = [
            ("prefix", json!(names.prefix)),
            ("environment", json!(names.environment)),
            ("siteStorageAccountName", json!(names.site_account)),
            ("storageAccountName", json!(documents)),
            ("setupPrincipalType", json!(account.principal.kind)),
            ("tags", json!(names.tags(&self.tags))),
        ];
        let said = said.into_iter().chain(location);
        said.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// What everybody may see is not beside what nobody may.
fn keep_apart(site: &str, private: &[&str]) -> Result<(), Failure> {
    if private.contains(&site) {
        return Err(Failure::usage(format!(
            "`{site}` is the storage account of documents: choose another with `--site-account`"
        )));
    }
    Ok(())
}

fn show(account: &Account, names: &Names, changes: &Changes<'_>) -> Result<(), Failure> {
    let (subscription, site) = (&account.subscription, &names.site_account);
    line(format!(
        "in the subscription `{subscription}`, the storage account `{site}`:"
    ))?;
    changes.show()
}
