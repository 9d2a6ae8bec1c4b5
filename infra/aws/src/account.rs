//! The AWS account and region of the credentials.

use std::{env, error::Error};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, meta::region::ProvideRegion,
    profile::ProfileFileRegionProvider,
};
use aws_sdk_s3::{config::Builder as S3Config, error::ProvideErrorMetadata};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use wm_terminal::failure::Failure;

use crate::setup::service_error;

/// An AWS account in one region.
#[derive(Debug)]
pub struct Account {
    /// The account id, twelve digits.
    pub(crate) id: String,
    pub(crate) region: String,
    /// The configuration of every SDK client.
    pub(crate) config: SdkConfig,
}

impl Account {
    /// The account of the default credential chain, in this region. Default: the region of the
    /// profile.
    ///
    /// # Errors
    /// If no region is set, or the credentials are invalid.
    pub(crate) async fn in_region(region: Option<&str>) -> Result<Self, Failure> {
        let region = match region {
            Some(region) => Some(Region::new(region.to_owned())),
            None => ProfileFileRegionProvider::new().region().await,
        };
        let region = region.ok_or_else(|| {
            Failure::usage("no region is set: use `--region`, set `AWS_REGION`, or set the region of the profile")
        })?;
        let config = aws_config::defaults(BehaviorVersion::latest());
        let config = config.region(region.clone()).load().await;
        let caller = aws_sdk_sts::Client::new(&config).get_caller_identity();
        let caller = caller
            .send()
            .await
            .map_err(failed("sts:GetCallerIdentity"))?;
        Ok(Self {
            id: caller.account.unwrap_or_default(),
            region: region.to_string(),
            config,
        })
    }

    /// An S3 client. Emulators have one host for all buckets, so for them the bucket name is part
    /// of the path.
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let named = self.config.endpoint_url().is_some();
        let path_style = named || env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        let config = S3Config::from(&self.config).force_path_style(path_style);
        aws_sdk_s3::Client::from_conf(config.build())
    }
}

/// The failure of an action. The action is named as in policies.
pub(crate) fn failed<E>(action: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    move |error| service_error(action, error).into()
}
