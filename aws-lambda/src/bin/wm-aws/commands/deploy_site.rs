//! `wm deploy-site aws`

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
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
    site::Bucket,
    stack::{SAM, outputs, sam_deploy},
    tools::{require, root},
};

/// The site's template, from the repository's root.
const TEMPLATE: &str = "infra/aws/site.yaml";
/// Where the console is built to, from the repository's root.
const BUILT: &str = "web/dist";

const EXAMPLES: &str = "\
Examples:
  wm deploy-site aws --plan
  wm deploy-site aws
  wm deploy-site aws --environment prod --from site/dist \\
      --domain docs.example.com \\
      --certificate arn:aws:acm:us-east-1:111122223333:certificate/11112222-3333-4444-5555-666677778888

Makes a bucket of its own with a distribution in front of it, as a stack beside that of `wm deploy aws`,
which has to be there. Then uploads what differs and removes what is no longer part of the site. Files
below `assets/` whose names hold a digest are kept by browsers for ever, all others are asked for again.

Refused: the private bucket, any bucket that holds documents, and a folder that holds hidden files, keys
or anything in the form of a credential.";

/// Put a built site into a bucket of its own, with a distribution in front
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeploySite {
    #[command(flatten)]
    deployment: Deployment,
    /// The built site; else the console's
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The bucket of the site; else it is named like the rest
    #[arg(long, value_name = "NAME")]
    site_bucket: Option<String>,
    /// The private bucket, which is never the site's
    #[arg(long, value_name = "NAME", env = "AWS_S3_BUCKET")]
    bucket: Option<String>,
    /// A domain of your own
    #[arg(long, value_name = "NAME", requires = "certificate")]
    domain: Option<String>,
    /// The certificate of that domain, in us-east-1
    #[arg(long, value_name = "ARN", requires = "domain")]
    certificate: Option<String>,
    /// Tags for the stack, beside `application` and `environment`: `key=value,key=value`
    #[arg(long, env = "AWS_TAGS", default_value = "", hide_default_value = true, value_parser = super::tags)]
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
        require(&[SAM])?;
        let account = Account::open(given(self.deployment.region.as_ref())).await?;
        let surface = outputs(&account, &names.stem(), &root)?.ok_or_else(|| {
            let stack = names.stem();
            Failure::new(format!(
                "the stack `{stack}` is not there: run `wm deploy aws` first"
            ))
        })?;
        let bucket = Bucket::new(&account, &names.site_bucket);
        // Also before the stack is touched: a bucket with documents is to stay as it is.
        let changes = site::compare(&bucket, &files).await?;
        let (stack, tags) = (names.site_stack(), names.tags(&self.tags));
        let parameters = self.parameters(&names, &surface)?;
        let deploy = sam_deploy(&account, TEMPLATE, &stack, &tags, &parameters);
        show(&account, &names, &changes)?;
        if self.plan {
            line(format!("  {deploy}"))?;
            return line("nothing was changed");
        }
        deploy.stream(&root)?;
        site::apply(&bucket, &changes, |step| notice(step)).await?;
        let outputs = outputs(&account, &stack, &root)?.unwrap_or_default();
        let url = outputs.get("SiteUrl").map_or("unknown", String::as_str);
        line("done")?;
        line(format!("  the site is at {url}"))?;
        line(format!(
            "next: `wm deploy aws --origin {url}` lets its pages call the API"
        ))
    }

    /// The names; the site's bucket is none of the private ones.
    fn names(&self) -> Result<Names, Failure> {
        let data = Data {
            bucket: self.bucket.clone(),
            table: None,
        };
        let mut names = self.deployment.names(Some(&data))?;
        names.fit()?;
        let derived = self.deployment.names(None)?.bucket;
        if let Some(named) = given(self.site_bucket.as_ref()) {
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

    fn parameters(
        &self,
        names: &Names,
        surface: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let output = |name: &str| {
            surface.get(name).cloned().ok_or_else(|| {
                let stack = names.stem();
                Failure::new(format!(
                    "the stack `{stack}` has no output `{name}`: run `wm deploy aws` again"
                ))
            })
        };
        let parameters = [
            ("Prefix", Some(names.prefix.clone())),
            ("Environment", Some(names.environment.clone())),
            ("SiteBucketName", Some(names.site_bucket.clone())),
            ("DocumentsBucketName", Some(names.bucket.clone())),
            ("ApiUrl", Some(output("ApiUrl")?)),
            ("SignInUrl", Some(output("SignInUrl")?)),
            ("DomainName", self.domain.clone()),
            ("CertificateArn", self.certificate.clone()),
        ];
        let parameters = parameters.into_iter();
        Ok(parameters
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect())
    }
}

fn show(account: &Account, names: &Names, changes: &Changes<'_>) -> Result<(), Failure> {
    let Account { id, region, .. } = account;
    let bucket = &names.site_bucket;
    line(format!(
        "in the account `{id}`, region `{region}`, the bucket `{bucket}`:"
    ))?;
    changes.show()
}
