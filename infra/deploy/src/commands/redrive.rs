//! `redrive`

use clap::{Args, ValueEnum};
use wm_terminal::{
    failure::Failure,
    output::{line, table},
};

use crate::{
    cloud::Cloud,
    dead_letters::{DeadLetters, Outcome},
    deployment::Deployment,
};

#[derive(Debug, Args)]
#[command(about = C::TEXTS.redrive.about, after_help = C::TEXTS.redrive.after)]
pub struct Redrive<C: Cloud> {
    #[command(flatten)]
    deployment: Deployment<C>,
    /// The functions whose dead letters are sent again
    #[arg(long, value_enum, default_value_t = Functions::All)]
    function: Functions,
    /// Count the dead letters without sending them
    #[arg(long)]
    plan: bool,
}

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

impl<C: Cloud> Redrive<C> {
    /// Counts the dead letters, or sends them again.
    ///
    /// # Errors
    /// If there is no deployment, a service does not answer, or dead letters remain.
    pub async fn run(self) -> Result<(), Failure> {
        let names = C::names(&self.deployment, &C::Data::default())?;
        let cloud = C::open(&self.deployment.target).await?;
        let all = cloud.dead_letters(&names, self.function.names()).await?;
        if self.plan {
            let row =
                |letters: &C::DeadLetters| [letters.name().to_owned(), letters.count().to_string()];
            let rows: Vec<_> = all.iter().map(row).collect();
            table("dead letters:", &rows)?;
            return line("no dead letters were sent");
        }
        let mut total = 0;
        let mut rows = Vec::new();
        for letters in &all {
            let Outcome { sent, left } = letters.send_again().await?;
            total += left;
            rows.push([
                letters.name().to_owned(),
                format!("{sent} sent again"),
                format!("{left} left"),
            ]);
        }
        table("dead letters:", &rows)?;
        if total == 0 {
            return Ok(());
        }
        let store = C::TEXTS.dead_letters_in;
        Err(Failure::new(format!(
            "{total} could not be sent again and stay in their {store}: examine them there, then run this again"
        )))
    }
}
