//! Deployment of the surface as one stack.

use std::{collections::BTreeMap, path::Path};

use clap::ValueEnum;
use wm_aws::config::Function;
use wm_deploy::{
    cloud::{Report, Rollout},
    commands::Deploy,
    tools::{Run, Tool, require},
};
use wm_terminal::{failure::Failure, flags::given, output::notice};

use crate::{
    account::Account,
    deployment::{Data, Names},
    parameters::surface_id,
    stack::{CARGO_LAMBDA, SAM, outputs, sam_deploy},
};

/// The template of the stack.
pub(crate) const TEMPLATE: &str = "infra/aws/template.yaml";
/// The folder in which the template expects the built functions.
const BUILT: &str = "target/lambda";

/// The processor architecture of the functions.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Architecture {
    /// Graviton, which costs less
    Arm64,
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    /// The template parameter.
    pub(crate) fn parameter(self) -> (String, String) {
        let name = match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        };
        ("Architecture".to_owned(), name.to_owned())
    }

    /// The flag value of cargo-lambda.
    fn flag(self) -> &'static str {
        match self {
            Self::Arm64 => "--arm64",
            Self::X86_64 => "--x86-64",
        }
    }
}

/// Looks for the tools. A plan does not need them.
pub(crate) fn check_tools(no_build: bool, plan: bool) -> Result<(), Failure> {
    let needed: &[Tool] = match no_build {
        true => &[SAM],
        false => &[CARGO_LAMBDA, SAM],
    };
    match require(needed) {
        Err(missing) if plan => {
            notice(format!("missing: {missing}"));
            Ok(())
        }
        checked => checked,
    }
}

/// The functions and the stack of a deployment.
#[derive(Debug)]
pub struct StackDeployment<'run> {
    account: &'run Account,
    names: Names,
    root: &'run Path,
    /// The build of the functions, unless it is skipped, and the deployment.
    runs: Vec<Run>,
}

impl<'run> StackDeployment<'run> {
    pub(crate) async fn prepare(
        account: &'run Account,
        flags: &Deploy<Account>,
        mut names: Names,
        root: &'run Path,
    ) -> Result<Self, Failure> {
        let before = surface_id(account, &names).await?;
        if before.is_some() {
            keep_names(&mut names, &flags.data, account, root)?;
        }
        let settings = &flags.settings;
        let parameters = settings.parameters(account, &names, before).await?;
        let build = (!flags.no_build).then(|| build(settings.architecture));
        let (stack, tags) = (
            names.base_name.to_string(),
            names.base_name.tags(&flags.tags),
        );
        let deploy = sam_deploy(account, TEMPLATE, &stack, &tags, &parameters);
        Ok(Self {
            account,
            names,
            root,
            runs: build.into_iter().chain([deploy]).collect(),
        })
    }
}

/// Keeps the deployed names of table and bucket, unless flags name others.
fn keep_names(
    names: &mut Names,
    flags: &Data,
    account: &Account,
    root: &Path,
) -> Result<(), Failure> {
    if require(&[SAM]).is_err() {
        return Ok(());
    }
    let outputs = outputs(account, &names.base_name.to_string(), root)?.unwrap_or_default();
    let keep = |name: &mut String, flag: &Option<String>, output: &str| {
        if let (None, Some(deployed)) = (given(flag.as_ref()), outputs.get(output)) {
            name.clone_from(deployed);
        }
    };
    keep(&mut names.bucket, &flags.bucket, "BucketName");
    keep(&mut names.table, &flags.table, "TableName");
    Ok(())
}

fn build(architecture: Architecture) -> Run {
    let functions = Function::ALL.iter();
    let functions = functions.flat_map(|function| ["--bin", function.name()]);
    CARGO_LAMBDA
        .run()
        .with(["lambda", "build", "--profile", "function", "--locked"])
        .with([
            architecture.flag(),
            "--lambda-dir",
            BUILT,
            "--package",
            "wm-aws",
        ])
        .with(functions)
}

impl Rollout for StackDeployment<'_> {
    fn title(&self) -> String {
        format!("the stack `{}`", self.names.base_name)
    }

    fn steps(&self) -> Vec<String> {
        self.runs.iter().map(Run::to_string).collect()
    }

    async fn carry_out(&self) -> Result<(), Failure> {
        for run in &self.runs {
            run.stream(self.root)?;
        }
        Ok(())
    }

    async fn report(&self) -> Result<Report, Failure> {
        let outputs = outputs(self.account, &self.names.base_name.to_string(), self.root)?;
        let outputs: BTreeMap<String, String> = outputs.unwrap_or_default();
        let output = |name: &str| outputs.get(name).map_or("unknown", String::as_str);
        Ok(Report {
            api: output("ApiUrl").to_owned(),
            fact: format!("people sign in at {}", output("SignInUrl")),
            next: Some(
                "verify the e-mail address of the sender in SES, and request production access there",
            ),
        })
    }
}
