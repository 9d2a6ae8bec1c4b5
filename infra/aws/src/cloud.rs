//! The cloud AWS for the commands of `wm-deploy`.

mod texts;

use std::{collections::BTreeMap, path::Path};

use aws_sdk_dynamodb::Client;
use clap::Args;
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
    deploy::{self, StackDeployment},
    deployment::{Data, Names, TargetFlags},
    parameters::Settings,
    redrive::Queue,
    setup::{Bucket, Setup, Table, WantedBucket},
    site,
    stack::{SAM, outputs, sam_deploy},
};

const SITE_TEMPLATE: &str = "infra/aws/site.yaml";

/// `setup` has no further flags on AWS.
#[derive(Debug, Args)]
pub struct NoOptions {}

/// The flags of `deploy-site` that only AWS has.
#[derive(Debug, Args)]
pub struct SiteOptions {
    /// The bucket of the site. Default: a derived name
    #[arg(long, value_name = "NAME")]
    site_bucket: Option<String>,
    /// The private bucket, which the site must not use
    #[arg(long, value_name = "NAME", env = "AWS_S3_BUCKET")]
    bucket: Option<String>,
    /// Your own domain for the site
    #[arg(long, value_name = "NAME", requires = "certificate")]
    domain: Option<String>,
    /// The certificate of the domain, in us-east-1
    #[arg(long, value_name = "ARN", requires = "domain")]
    certificate: Option<String>,
}

impl Cloud for Account {
    const PROVIDER: Provider = Provider::Aws;
    const TEXTS: Texts = texts::TEXTS;
    const RESERVED_TAGS: Reserved = Reserved {
        starts: &["aws:"],
        marks: "",
    };
    // With a longer prefix, the longest name would be too long. It is the name of a function's
    // role.
    const LIMITS: Limits = Limits {
        prefix: 32,
        environment: usize::MAX,
        of: "a stack",
    };
    type TargetFlags = TargetFlags;
    type Data = Data;
    type Names = Names;

    fn location(target: &TargetFlags) -> Option<&str> {
        given(target.region.as_ref())
    }

    fn selectable<'flags>(
        target: &'flags mut TargetFlags,
        data: &'flags mut Data,
    ) -> Vec<(&'static str, &'flags mut Option<String>)> {
        vec![
            ("region", &mut target.region),
            ("storage.bucket", &mut data.bucket),
            ("database.table", &mut data.table),
        ]
    }

    fn names(deployment: &Deployment<Self>, data: &Data) -> Result<Names, Failure> {
        Names::of(deployment, data)
    }

    async fn open(target: &TargetFlags) -> Result<Self, Failure> {
        Self::in_region(given(target.region.as_ref())).await
    }

    fn title(&self) -> String {
        let Self { id, region, .. } = self;
        format!("the account `{id}`, region `{region}`")
    }

    type SetupOptions = NoOptions;
    type Setup = Setup;

    fn setup(&self, request: SetupRequest<'_, Self>) -> Setup {
        let SetupRequest {
            names,
            origins,
            tags,
            ..
        } = request;
        let table = Table::new(Client::new(&self.config), &names.table, tags.clone());
        let wanted = WantedBucket {
            name: names.bucket.clone(),
            region: self.region.clone(),
            account: self.id.clone(),
            origins,
            tags,
        };
        Setup::new(table, Bucket::new(self.s3(), wanted))
    }

    fn database(names: &Names) -> &str {
        &names.table
    }

    const TEMPLATE: &'static str = deploy::TEMPLATE;
    type Settings = Settings;
    type Tools = ();
    type Rollout<'run> = StackDeployment<'run>;

    fn check_tools(no_build: bool, plan: bool) -> Result<(), Failure> {
        deploy::check_tools(no_build, plan)
    }

    async fn prepare<'run>(
        &'run self,
        flags: &'run Deploy<Self>,
        names: Names,
        root: &'run Path,
        (): (),
    ) -> Result<StackDeployment<'run>, Failure> {
        StackDeployment::prepare(self, flags, names, root).await
    }

    const SITE_TEMPLATE: &'static str = SITE_TEMPLATE;
    const DEPLOYER: Tool = SAM;
    type SiteOptions = SiteOptions;
    type Site = site::Bucket;

    fn site_names(deployment: &Deployment<Self>, options: &SiteOptions) -> Result<Names, Failure> {
        let data = Data {
            bucket: options.bucket.clone(),
            table: None,
        };
        let mut names = Names::of(deployment, &data)?;
        names.base_name.fit(Self::LIMITS)?;
        let derived = Names::of(deployment, &Data::default())?.bucket;
        if let Some(named) = given(options.site_bucket.as_ref()) {
            names.site_bucket = named.to_owned();
        }
        let site = &names.site_bucket;
        if [&names.bucket, &derived].contains(&site) {
            return Err(Failure::usage(format!(
                "`{site}` is the private bucket: choose another with `--site-bucket`"
            )));
        }
        Ok(names)
    }

    async fn site(
        &self,
        names: &Names,
        options: &SiteOptions,
        tags: &Tags,
        root: &Path,
    ) -> Result<(site::Bucket, Run), Failure> {
        let stack = names.base_name.to_string();
        let surface = outputs(self, &stack, root)?.ok_or_else(|| {
            Failure::new(format!(
                "the stack `{stack}` does not exist: run `wm deploy aws` first"
            ))
        })?;
        let parameters = site_parameters(names, options, &surface)?;
        let site = names.base_name.site();
        let deploy = sam_deploy(self, SITE_TEMPLATE, &site, tags, &parameters);
        Ok((site::Bucket::new(self, &names.site_bucket), deploy))
    }

    async fn deployed_site(&self, _: &Names) -> Result<Option<site::Bucket>, Failure> {
        Ok(None)
    }

    async fn site_url(&self, names: &Names, root: &Path) -> Result<Option<String>, Failure> {
        let outputs = outputs(self, &names.base_name.site(), root)?;
        Ok(outputs.unwrap_or_default().remove("SiteUrl"))
    }

    type DeadLetters = Queue;

    async fn dead_letters(&self, names: &Names, functions: &[&str]) -> Result<Vec<Queue>, Failure> {
        let mut queues = Vec::new();
        for function in functions {
            queues.push(Queue::open(self, names, function).await?);
        }
        Ok(queues)
    }
}

fn site_parameters(
    names: &Names,
    options: &SiteOptions,
    surface: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Failure> {
    let output = |name: &str| {
        surface.get(name).cloned().ok_or_else(|| {
            let stack = &names.base_name;
            Failure::new(format!(
                "the stack `{stack}` has no output `{name}`: run `wm deploy aws` again"
            ))
        })
    };
    let parameters = [
        ("Prefix", Some(names.base_name.prefix.clone())),
        ("Environment", Some(names.base_name.environment.clone())),
        ("SiteBucketName", Some(names.site_bucket.clone())),
        ("DocumentsBucketName", Some(names.bucket.clone())),
        ("ApiUrl", Some(output("ApiUrl")?)),
        ("SignInUrl", Some(output("SignInUrl")?)),
        ("DomainName", options.domain.clone()),
        ("CertificateArn", options.certificate.clone()),
    ];
    let parameters = parameters.into_iter();
    Ok(parameters
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect())
}
