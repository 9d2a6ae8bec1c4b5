//! The parameters of the template.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client as Database;
use aws_sdk_ssm::Client as Parameters;
use clap::Args;
use wm_core::value::{Email, SurfaceId};
use wm_deploy::{
    origin::Origin,
    parameters::{name_and_value, new_surface, public_url},
};
use wm_terminal::failure::Failure;

use crate::{
    account::{Account, failed},
    deploy::Architecture,
    deployment::Names,
    setup::{Bucket, Table, WantedBucket},
};

/// The flags for template parameters.
#[derive(Debug, Args)]
pub struct Settings {
    /// The sender of all mails. Required for the first deployment
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<Email>,
    /// The domain or address that the mail service verifies. Default: the sender
    #[arg(long, value_name = "NAME", value_parser = whole)]
    ses_identity: Option<String>,
    /// The URL of the surface in mails. Default: the URL of the API
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<Origin>,
    /// An origin whose pages may call the API and use signed URLs. Can be repeated
    #[arg(long = "origin", value_name = "URL")]
    origins: Vec<Origin>,
    /// The ARN of the SNS topic that receives alarms
    #[arg(long, value_name = "ARN", value_parser = whole)]
    alarm_topic: Option<String>,
    /// The retention of logs, in days
    #[arg(long, value_name = "DAYS")]
    log_retention: Option<u16>,
    /// Any other parameter of the template. Can be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    others: Vec<(String, String)>,
    /// The processor architecture of the functions
    #[arg(long, value_enum, default_value_t = Architecture::Arm64)]
    pub(crate) architecture: Architecture,
}

/// A parameter as one argument of `sam`.
fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = name_and_value(text)?;
    Ok((name.to_owned(), whole(value)?))
}

/// Refuses values that `sam` would split.
fn whole(value: &str) -> Result<String, String> {
    let parts = |c: char| c.is_whitespace() || c.is_control() || "\"'\\".contains(c);
    if value.is_empty() || value.contains(parts) {
        return Err(
            "a parameter must not be empty and must not contain spaces, quotes or backslashes"
                .into(),
        );
    }
    Ok(value.to_owned())
}

impl Settings {
    /// The parameters of a new or existing surface. Parameters that no flag sets keep their
    /// deployed values.
    ///
    /// # Errors
    /// If a service does not answer, or a parameter of the first deployment is missing.
    pub(crate) async fn parameters(
        &self,
        account: &Account,
        names: &Names,
        before: Option<SurfaceId>,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let mut parameters = BTreeMap::from([
            ("Prefix", names.base_name.prefix.clone()),
            ("Environment", names.base_name.environment.clone()),
            ("BucketName", names.bucket.clone()),
            ("TableName", names.table.clone()),
        ]);
        let table = Table::new(
            Database::new(&account.config),
            &names.table,
            BTreeMap::new(),
        );
        let table = table.describe().await?;
        // The template reads it only if the table does not belong to the stack.
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
        let surface = before.map_or_else(new_surface, Ok)?;
        parameters.insert("SurfaceId", surface.to_string());
        parameters.extend(self.named());
        let owned = parameters
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let others = self.others.iter().cloned();
        let architecture = self.architecture.parameter();
        Ok(owned.chain(others).chain([architecture]).collect())
    }

    fn check_sender(&self) -> Result<(), Failure> {
        if self.mail_from.is_none() {
            return Err(Failure::usage(
                "the first deployment needs the sender of mails: use `--mail-from`",
            ));
        }
        Ok(())
    }

    /// The parameters that flags set.
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

/// The id of the surface with these names. `None` before the first deployment.
///
/// # Errors
/// If the service does not answer.
pub(crate) async fn surface_id(
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
            format!("the parameter `{name}` is not a surface id; correct it"),
            error,
        )
    })?;
    Ok(Some(surface))
}

/// Whether table and bucket exist before the first deployment.
async fn data_exists(account: &Account, names: &Names, table: bool) -> Result<bool, Failure> {
    let wanted = WantedBucket {
        name: names.bucket.clone(),
        region: account.region.clone(),
        account: account.id.clone(),
        origins: Vec::new(),
        tags: BTreeMap::new(),
    };
    let bucket = Bucket::new(account.s3(), wanted);
    let bucket = bucket.exists().await?;
    if table == bucket {
        return Ok(table);
    }
    let (found, missing) = match table {
        true => (&names.table, &names.bucket),
        false => (&names.bucket, &names.table),
    };
    Err(Failure::new(format!(
        "`{found}` exists, but `{missing}` does not: run `wm setup aws` to create it, or choose other names"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_is_one_word() {
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
    }
}
