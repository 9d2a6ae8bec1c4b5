//! `wm deploy aws`

mod parameters;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use wm_aws::config::Function;
use wm_terminal::tags::ChosenTags;

use self::parameters::Settings;
use crate::{
    account::Account,
    deployment::{Data, Deployment, Names},
    failure::Failure,
    flags::given,
    output::{line, notice},
    stack::{CARGO_LAMBDA, SAM, outputs, sam_deploy},
    tools::{Run, Tool, require, root},
};

/// The stack's template, from the repository's root.
const TEMPLATE: &str = "infra/aws/template.yaml";
/// Where the built functions go, as the template expects them.
const BUILT: &str = "target/lambda";

const EXAMPLES: &str = "\
Examples:
  wm deploy aws --mail-from docs@example.com --plan
  wm deploy aws --mail-from docs@example.com
  wm deploy aws --environment prod --region eu-central-1 --origin https://docs.example.com \\
      --mail-from docs@example.com --alarm-topic arn:aws:sns:eu-central-1:111122223333:alarms
  wm deploy aws --no-build --parameter SelfSignUp=false

Builds the five functions with cargo-lambda and deploys them, with all they need, as one stack with
sam. The first time, table and bucket are made by the stack, unless both exist already: then they are
used as they are and left alone by it. What is not named again stays as it was deployed before.

Needs cargo-lambda (`pip install cargo-lambda==1.9.2`), sam (`pip install aws-sam-cli`), and
credentials that may make everything in the template, roles among it.";

/// Build the functions and deploy everything as one stack
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Deploy {
    #[command(flatten)]
    deployment: Deployment,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    settings: Settings,
    /// What the functions are built for
    #[arg(long, value_enum, default_value_t = Architecture::Arm64)]
    architecture: Architecture,
    /// Tags for everything, beside `application` and `environment`: `key=value,key=value`
    #[arg(long, env = "AWS_TAGS", default_value = "", hide_default_value = true, value_parser = super::tags)]
    tags: ChosenTags,
    /// The repository, unless this is run inside it
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    /// Deploy what was built before
    #[arg(long)]
    no_build: bool,
    /// Say what would be run and run nothing
    #[arg(long)]
    plan: bool,
}

/// What a function is built for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Architecture {
    /// Graviton, which costs less
    Arm64,
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    /// As the template spells it.
    fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// As cargo-lambda spells it.
    fn flag(self) -> &'static str {
        match self {
            Self::Arm64 => "--arm64",
            Self::X86_64 => "--x86-64",
        }
    }
}

impl Deploy {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let root = root(self.repository.as_deref(), TEMPLATE)?;
        let mut names = self.deployment.names(Some(&self.data))?;
        names.fit()?;
        self.check_tools()?;
        let account = Account::open(given(self.deployment.region.as_ref())).await?;
        let before = parameters::surface_id(&account, &names).await?;
        if before.is_some() {
            self.keep_names(&mut names, &account, &root)?;
        }
        let parameters = self.settings.parameters(&account, &names, before).await?;
        let runs = self.runs(&account, &names, parameters);
        let Account { id, region, .. } = &account;
        let stack = names.stem();
        line(format!(
            "in the account `{id}`, region `{region}`, the stack `{stack}`:"
        ))?;
        for run in &runs {
            line(format!("  {run}"))?;
        }
        if self.plan {
            return line("nothing was run");
        }
        for run in &runs {
            run.stream(&root)?;
        }
        tell(&account, &names, &root)
    }

    /// A plan can be made without the tools.
    fn check_tools(&self) -> Result<(), Failure> {
        let needed: &[Tool] = match self.no_build {
            true => &[SAM],
            false => &[CARGO_LAMBDA, SAM],
        };
        match require(needed) {
            Err(missing) if self.plan => {
                notice(format!("missing: {missing}"));
                Ok(())
            }
            checked => checked,
        }
    }

    /// Table and bucket stay those that are deployed, unless a flag names others.
    fn keep_names(&self, names: &mut Names, account: &Account, root: &Path) -> Result<(), Failure> {
        if require(&[SAM]).is_err() {
            return Ok(());
        }
        let outputs = outputs(account, &names.stem(), root)?.unwrap_or_default();
        let keep = |name: &mut String, flag: &Option<String>, output: &str| {
            if let (None, Some(deployed)) = (given(flag.as_ref()), outputs.get(output)) {
                name.clone_from(deployed);
            }
        };
        keep(&mut names.bucket, &self.data.bucket, "BucketName");
        keep(&mut names.table, &self.data.table, "TableName");
        Ok(())
    }

    /// What is run, in this order.
    fn runs(
        &self,
        account: &Account,
        names: &Names,
        mut parameters: BTreeMap<String, String>,
    ) -> Vec<Run> {
        let architecture = self.architecture.name();
        parameters.insert("Architecture".to_owned(), architecture.to_owned());
        let tags = names.tags(&self.tags);
        let build = (!self.no_build).then(|| self.build());
        let deploy = sam_deploy(account, TEMPLATE, &names.stem(), &tags, &parameters);
        build.into_iter().chain([deploy]).collect()
    }

    fn build(&self) -> Run {
        let functions = Function::ALL.iter();
        let functions = functions.flat_map(|function| ["--bin", function.name()]);
        CARGO_LAMBDA
            .run()
            .with(["lambda", "build", "--profile", "function", "--locked"])
            .with([
                self.architecture.flag(),
                "--lambda-dir",
                BUILT,
                "--package",
                "wm-aws",
            ])
            .with(functions)
    }
}

/// Where everything is, and what comes next.
fn tell(account: &Account, names: &Names, root: &Path) -> Result<(), Failure> {
    let outputs = outputs(account, &names.stem(), root)?.unwrap_or_default();
    let output = |name: &str| outputs.get(name).map_or("unknown", String::as_str);
    line("done")?;
    line(format!("  the API answers at {}", output("ApiUrl")))?;
    line(format!("  people sign in at {}", output("SignInUrl")))?;
    line("next:")?;
    line(format!("  curl {}/health/ready", output("ApiUrl")))?;
    line("  verify the sender's address in SES, and ask for production access there")?;
    line("  `wm deploy-site aws` puts the console beside it")
}
