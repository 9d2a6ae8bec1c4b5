//! What the stack's template is told.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use aws_sdk_dynamodb::Client as Database;
use aws_sdk_ssm::Client as Parameters;
use clap::Args;
use wm_aws::setup::{Bucket, Table, WantedBucket};
use wm_core::value::{Email, SurfaceId, id::ulid_at};
use wm_service::clock;

use crate::{
    account::{Account, failed},
    commands::setup::failure,
    deployment::Names,
    failure::Failure,
    origin::Origin,
};

/// The flags that become parameters.
#[derive(Debug, Args)]
pub(super) struct Settings {
    /// The sender of every mail; needed the first time
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<Email>,
    /// The domain or address that the mail service verifies; else the sender
    #[arg(long, value_name = "NAME", value_parser = whole)]
    ses_identity: Option<String>,
    /// Where people reach the surface, for links in mails; else the API's own address
    #[arg(long, value_name = "URL", value_parser = public)]
    public_url: Option<Origin>,
    /// An origin whose pages may call the API and use signed addresses; again for more
    #[arg(long = "origin", value_name = "URL")]
    origins: Vec<Origin>,
    /// The topic that alarms go to
    #[arg(long, value_name = "ARN", value_parser = whole)]
    alarm_topic: Option<String>,
    /// How many days logs are kept
    #[arg(long, value_name = "DAYS")]
    log_retention: Option<u16>,
    /// Any other parameter of the template; again for more
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    others: Vec<(String, String)>,
}

/// A parameter in one argument of `sam`.
fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write `NAME=VALUE`")?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(format!(
            "`{name}` is no name of a parameter: use letters and digits"
        ));
    }
    Ok((name.to_owned(), whole(value)?))
}

/// Refuses what `sam` would take apart.
fn whole(value: &str) -> Result<String, String> {
    let parts = |c: char| c.is_whitespace() || c.is_control() || "\"'\\".contains(c);
    if value.is_empty() || value.contains(parts) {
        return Err("a parameter holds something, and no spaces, quotes and backslashes".into());
    }
    Ok(value.to_owned())
}

/// Links in mails are followed by people: only over TLS.
fn public(text: &str) -> Result<Origin, String> {
    if !text.starts_with("https://") {
        return Err("links in mails begin with `https://`".into());
    }
    text.parse()
}

impl Settings {
    /// The parameters of a surface that is new or was deployed before. What is left out stays as it was
    /// deployed.
    ///
    /// # Errors
    /// When a service does not say what there is, and when something the first deployment needs is
    /// missing.
    pub(super) async fn parameters(
        &self,
        account: &Account,
        names: &Names,
        before: Option<SurfaceId>,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let mut parameters = BTreeMap::from([
            ("Prefix", names.prefix.clone()),
            ("Environment", names.environment.clone()),
            ("BucketName", names.bucket.clone()),
            ("TableName", names.table.clone()),
        ]);
        let table = Table::new(
            Database::new(&account.config),
            &names.table,
            BTreeMap::new(),
        );
        let table = table.describe().await.map_err(failure)?;
        // The template only reads it where the table is not the stack's.
        let stream = table.as_ref().and_then(|table| table.stream_arn.clone());
        if before.is_none() {
            self.check_sender()?;
            let exists = data_exists(account, names, table.is_some()).await?;
            if exists && stream.is_none() {
                let table = &names.table;
                return Err(Failure::new(format!(
                    "the table `{table}` has no stream: run `wm setup aws` first"
                )));
            }
            parameters.insert("DataExists", exists.to_string());
        }
        parameters.extend(stream.map(|stream| ("TableStreamArn", stream)));
        let surface = before.map_or_else(mint, Ok)?;
        parameters.insert("SurfaceId", surface.to_string());
        parameters.extend(self.named());
        let owned = parameters
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Ok(owned.chain(self.others.iter().cloned()).collect())
    }

    fn check_sender(&self) -> Result<(), Failure> {
        if self.mail_from.is_none() {
            return Err(Failure::usage(
                "the first deployment needs the sender of mails: say `--mail-from`",
            ));
        }
        Ok(())
    }

    /// What was said in flags.
    fn named(&self) -> impl Iterator<Item = (&'static str, String)> {
        let origins: Vec<String> = self.origins.iter().map(ToString::to_string).collect();
        let origins = (!origins.is_empty()).then(|| origins.join(","));
        let sender = self.mail_from.as_ref().map(ToString::to_string);
        let flags = [
            ("MailFrom", sender),
            ("SesIdentity", self.ses_identity.clone()),
            (
                "PublicUrl",
                self.public_url.as_ref().map(ToString::to_string),
            ),
            ("AllowedOrigins", origins),
            ("AlarmTopicArn", self.alarm_topic.clone()),
            (
                "LogRetentionDays",
                self.log_retention.map(|days| days.to_string()),
            ),
        ];
        flags
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// The id of the surface that is deployed under these names; `None` before the first time.
///
/// # Errors
/// When the service does not say.
pub(super) async fn surface_id(
    account: &Account,
    names: &Names,
) -> Result<Option<SurfaceId>, Failure> {
    let name = names.parameter("surface-id");
    let client = Parameters::new(&account.config);
    let text = match client.get_parameter().name(&name).send().await {
        Ok(answer) => answer
            .parameter
            .and_then(|found| found.value)
            .unwrap_or_default(),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_parameter_not_found()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed("ssm:GetParameter")(error)),
    };
    let surface = text.parse().map_err(|error| {
        Failure::because(
            format!("the parameter `{name}` holds no surface id; put it right"),
            error,
        )
    })?;
    Ok(Some(surface))
}

/// A new surface, in its first epoch.
fn mint() -> Result<SurfaceId, Failure> {
    let mut random = [0; 32];
    rand::fill(&mut random)
        .map_err(|error| Failure::because("the system gives no randomness; try again", error))?;
    Ok(SurfaceId::first(ulid_at(clock::now(), &random)))
}

/// Whether table and bucket are there before any stack has made them.
async fn data_exists(account: &Account, names: &Names, table: bool) -> Result<bool, Failure> {
    let wanted = WantedBucket {
        name: names.bucket.clone(),
        region: account.region.clone(),
        account: account.id.clone(),
        origins: Vec::new(),
        tags: BTreeMap::new(),
    };
    let bucket = Bucket::new(account.s3(), wanted);
    let bucket = bucket.exists().await.map_err(failure)?;
    if table == bucket {
        return Ok(table);
    }
    let (found, missing) = match table {
        true => (&names.table, &names.bucket),
        false => (&names.bucket, &names.table),
    };
    Err(Failure::new(format!(
        "`{found}` exists and `{missing}` does not: run `wm setup aws`, which makes what is missing, or choose other names"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_one_word() {
        assert_eq!(
            parameter("CallbackUrls=https://a.example/x,https://b.example/y=z"),
            Ok((
                "CallbackUrls".into(),
                "https://a.example/x,https://b.example/y=z".into()
            ))
        );
        for text in [
            "CallbackUrls",
            "=x",
            "A-B=x",
            "A=",
            "A=x y",
            "A=\"x\"",
            "A=x\\",
        ] {
            assert!(parameter(text).is_err(), "{text}");
        }
        assert!(public("http://docs.example.com").is_err());
        assert!(public("https://docs.example.com").is_ok());
    }
}
