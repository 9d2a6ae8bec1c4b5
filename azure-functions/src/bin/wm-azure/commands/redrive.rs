//! `wm redrive azure`

use clap::{Args, ValueEnum};

use crate::{
    account::Account,
    deployment::{Data, Deployment},
    failure::Failure,
    flags::given,
    output::{line, table},
    redrive::{Letters, Outcome, Redrive as Container},
};

const EXAMPLES: &str = "\
Examples:
  wm redrive azure --plan
  wm redrive azure
  wm redrive azure --environment prod --function notify

Sends what `notify` and `ingest` could not take to them again, over the topic, and takes it out of the
container of dead letters. What the topic does not accept stays there. Nothing is mailed or completed
twice. The relay and the sweep have no dead letters: the sweep publishes what was left.

Whoever is signed in needs the roles EventGrid Data Sender on the topic and Storage Blob Data Contributor
on the container; `wm deploy azure` gives both to whoever runs it.";

/// Send again what functions could not take: the dead letters
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Redrive {
    #[command(flatten)]
    deployment: Deployment,
    /// Whose dead letters
    #[arg(long, value_enum, default_value_t = Functions::All)]
    function: Functions,
    /// Count them and send nothing
    #[arg(long)]
    plan: bool,
}

/// The functions whose dead letters can be sent again.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Functions {
    /// Mails
    Notify,
    /// Completed uploads
    Ingest,
    /// Both
    All,
}

impl Functions {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Notify => &["notify"],
            Self::Ingest => &["ingest"],
            Self::All => &["notify", "ingest"],
        }
    }
}

impl Redrive {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let names = self.deployment.names(&mut Data::default())?;
        let account = Account::open(given(self.deployment.subscription.as_ref())).await?;
        let container = Container::open(&account, &names).await?;
        let all = container.letters(self.function.names()).await?;
        if self.plan {
            let rows = all
                .iter()
                .map(|letters| [letters.function.clone(), letters.names.len().to_string()]);
            table("dead letters:", &rows.collect::<Vec<_>>())?;
            return line("nothing was sent");
        }
        let mut left = 0;
        let mut rows = Vec::new();
        for letters in &all {
            let outcome = container.send_again(letters).await?;
            left += outcome.left;
            rows.push(row(letters, &outcome));
        }
        table("dead letters:", &rows)?;
        if left == 0 {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{left} could not be sent again and stay in their container: look at them there, and run this again"
        )))
    }
}

fn row(letters: &Letters, outcome: &Outcome) -> [String; 3] {
    let Outcome { sent, left } = outcome;
    [
        letters.function.clone(),
        format!("{sent} sent again"),
        format!("{left} left"),
    ]
}
