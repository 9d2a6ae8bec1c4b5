//! `wm redrive aws`

use clap::{Args, ValueEnum};

use crate::{
    account::Account,
    deployment::Deployment,
    failure::Failure,
    flags::given,
    output::{line, table},
    redrive::{Outcome, Redrive as Queue},
};

const EXAMPLES: &str = "\
Examples:
  wm redrive aws --plan
  wm redrive aws
  wm redrive aws --environment prod --function notify

Sends what `notify` and `ingest` could not take to them again, over the event bus, and takes it out of
their queues of dead letters. What the bus does not accept stays in its queue. Nothing is mailed or
completed twice. Dead letters of `relay` and `sweep` need nothing: the sweep publishes what was left.";

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
        let names = self.deployment.names(None)?;
        let account = Account::open(given(self.deployment.region.as_ref())).await?;
        let mut queues = Vec::new();
        for function in self.function.names() {
            queues.push(Queue::open(&account, &names, function).await?);
        }
        if self.plan {
            let rows = queues
                .iter()
                .map(|queue| [queue.name.clone(), queue.waiting.to_string()]);
            table("dead letters:", &rows.collect::<Vec<_>>())?;
            return line("nothing was sent");
        }
        let mut left = 0;
        let mut rows = Vec::new();
        for queue in &queues {
            let outcome = queue.send_again().await?;
            left += outcome.left;
            rows.push(row(queue, &outcome));
        }
        table("dead letters:", &rows)?;
        if left == 0 {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{left} could not be sent again and stay in their queues: look at them there, and run this again"
        )))
    }
}

fn row(queue: &Queue, outcome: &Outcome) -> [String; 3] {
    let Outcome { sent, left } = outcome;
    [
        queue.name.clone(),
        format!("{sent} sent again"),
        format!("{left} left"),
    ]
}
