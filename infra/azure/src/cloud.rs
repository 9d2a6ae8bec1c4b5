//! The cloud Azure for the commands of `wm-deploy`.

mod texts;

use std::path::Path;

use clap::Args;
use serde_json::json;
use wm_core::catalog::Provider;
use wm_deploy::{
    cloud::{Cloud, SetupRequest, Texts},
    commands::Deploy,
    deployment::{Deployment, Limits},
    tags::{Reserved, Tags},
    tools::{Run, Tool},
};
use wm_terminal::{failure::Failure, flags::given};

use crate::{
    account::Account,
    build::Build,
    deploy::{self, TemplateDeployment},
    deployment::{Choice, Data, Names, TargetFlags},
    parameters::Settings,
    record::{Record, deployed},
    redrive::{Container, FunctionDeadLetters},
    setup::{Setup, Wanted},
    site::Web,
    stack::{AZ, Parameters, Verb, deploy},
};

const SITE_TEMPLATE: &str = "infra/azure/site.json";

/// The flags of `setup` that only Azure has.
#[derive(Debug, Args)]
pub struct SetupOptions {
    /// Whether a new database account uses the subscription's one free tier
    #[arg(
        long,
        value_name = "BOOL",
        env = "AZURE_COSMOS_ENABLE_FREE_TIER",
        default_value = "",
        hide_default_value = true
    )]
    free_tier: Choice,
}

/// The flags of `deploy-site` that only Azure has.
#[derive(Debug, Args)]
pub struct SiteOptions {
    /// The storage account of the site. Default: a derived name
    #[arg(long, value_name = "NAME")]
    site_account: Option<String>,
    /// The storage account of documents, which the site must not use
    #[arg(long, value_name = "NAME", env = "AZURE_STORAGE_ACCOUNT")]
    storage_account: Option<String>,
}

impl Cloud for Account {
    const PROVIDER: Provider = Provider::Azure;
    const TEXTS: Texts = texts::TEXTS;
    // <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources>
    const RESERVED_TAGS: Reserved = Reserved {
        starts: &["microsoft", "azure", "windows"],
        marks: "/",
    };
    const LIMITS: Limits = Limits {
        prefix: 32,
        environment: 12,
        of: "a deployment",
    };
    type TargetFlags = TargetFlags;
    type Data = Data;
    type Names = Names;

    fn location(target: &TargetFlags) -> Option<&str> {
        given(target.location.as_ref())
    }

    fn selectable<'flags>(
        target: &'flags mut TargetFlags,
        data: &'flags mut Data,
    ) -> Vec<(&'static str, &'flags mut Option<String>)> {
        let location = ("location", &mut target.location);
        data.selectable().into_iter().chain([location]).collect()
    }

    fn names(deployment: &Deployment<Self>, data: &Data) -> Result<Names, Failure> {
        Names::of(deployment, data)
    }

    async fn open(target: &TargetFlags) -> Result<Self, Failure> {
        Self::in_subscription(given(target.subscription.as_ref())).await
    }

    fn title(&self) -> String {
        format!("the subscription `{}`", self.subscription)
    }

    type SetupOptions = SetupOptions;
    type Setup = Setup;

    fn setup(&self, request: SetupRequest<'_, Self>) -> Setup {
        let SetupRequest {
            names,
            options,
            origins,
            tags,
        } = request;
        let wanted = Wanted {
            resource_group: names.resource_group(&self.subscription),
            location: names.location.clone(),
            default_location: names.default_location.clone(),
            storage_account: names.storage_account.clone(),
            storage_container: names.storage_container.clone(),
            cosmos_account: names.cosmos_account.clone(),
            cosmos_database: names.cosmos_database.clone(),
            cosmos_container: names.cosmos_container.clone(),
            free_tier: options.free_tier.0,
            origins,
            tags,
            principal: self.principal.clone(),
        };
        Setup::new(self.arm.clone(), wanted)
    }

    fn database(names: &Names) -> &str {
        &names.cosmos_account
    }

    const TEMPLATE: &'static str = deploy::TEMPLATE;
    type Settings = Settings;
    type Tools = Option<Build>;
    type Rollout<'run> = TemplateDeployment<'run>;

    fn check_tools(no_build: bool, plan: bool) -> Result<Option<Build>, Failure> {
        deploy::check_tools(no_build, plan)
    }

    async fn prepare<'run>(
        &'run self,
        flags: &'run Deploy<Self>,
        names: Names,
        root: &'run Path,
        build: Option<Build>,
    ) -> Result<TemplateDeployment<'run>, Failure> {
        TemplateDeployment::prepare(self, flags, names, root, build).await
    }

    const SITE_TEMPLATE: &'static str = SITE_TEMPLATE;
    const DEPLOYER: Tool = AZ;
    type SiteOptions = SiteOptions;
    type Site = Web;

    fn site_names(deployment: &Deployment<Self>, options: &SiteOptions) -> Result<Names, Failure> {
        let named = |account: &Option<String>| {
            let data = Data {
                storage_account: account.clone(),
                ..Data::default()
            };
            Names::of(deployment, &data)
        };
        let mut names = named(&options.storage_account)?;
        names.base_name.fit(Self::LIMITS)?;
        let derived = named(&None)?.storage_account;
        if given(options.site_account.as_ref()).is_some() {
            // The name of the site's account is derived like that of documents.
            names.site_account = named(&options.site_account)?.storage_account;
        }
        ensure_distinct(&names.site_account, &[&names.storage_account, &derived])?;
        Ok(names)
    }

    async fn site(
        &self,
        names: &Names,
        _: &SiteOptions,
        tags: &Tags,
        _: &Path,
    ) -> Result<(Web, Run), Failure> {
        let surface = deployed(self, names).await?;
        let documents = surface.needed(names, "storageAccountName")?;
        ensure_distinct(&names.site_account, &[documents])?;
        let web = Web::find(self, names).await?;
        web.ensure_is_site()?;
        let parameters = site_parameters(self, names, tags, documents);
        let name = names.base_name.site();
        let run = deploy(Verb::Create, self, names, SITE_TEMPLATE, &name, &parameters);
        Ok((web, run))
    }

    async fn deployed_site(&self, names: &Names) -> Result<Option<Web>, Failure> {
        let web = Web::find(self, names).await?;
        web.ready().await?;
        Ok(Some(web))
    }

    async fn site_url(&self, names: &Names, _: &Path) -> Result<Option<String>, Failure> {
        let site = Record::find(self, names, &names.base_name.site()).await?;
        let site = site.unwrap_or_default();
        let url = site.output("siteUrl");
        Ok(url.map(|url| url.trim_end_matches('/').to_owned()))
    }

    type DeadLetters = FunctionDeadLetters;

    async fn dead_letters(
        &self,
        names: &Names,
        functions: &[&str],
    ) -> Result<Vec<FunctionDeadLetters>, Failure> {
        let container = Container::open(self, names).await?;
        container.dead_letters(functions).await
    }
}

/// Refuses a site in the storage account of documents.
fn ensure_distinct(site: &str, private: &[&str]) -> Result<(), Failure> {
    if private.contains(&site) {
        return Err(Failure::usage(format!(
            "`{site}` is the storage account of documents: choose another with `--site-account`"
        )));
    }
    Ok(())
}

fn site_parameters(account: &Account, names: &Names, tags: &Tags, documents: &str) -> Parameters {
    let location = names.location.as_ref();
    let location = location.map(|location| ("location", json!(location)));
    let chosen = [
        ("prefix", json!(names.base_name.prefix)),
        ("environment", json!(names.base_name.environment)),
        ("siteStorageAccountName", json!(names.site_account)),
        ("storageAccountName", json!(documents)),
        ("setupPrincipalType", json!(account.principal.kind)),
        ("tags", json!(tags)),
    ];
    let chosen = chosen.into_iter().chain(location);
    chosen
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
