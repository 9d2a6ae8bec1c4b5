//! Signing of URLs, after everything is committed.

use serde_json::Value;
use wm_core::{
    jobs::record_upload::record_upload,
    operation::{
        Context, Problem, Reply, Sign, SignUpload,
        plan::{DownloadUrl, PartPlan, UploadPlan},
    },
    value::canonical::to_value,
};

use crate::{
    Service,
    execute::port_problem,
    ports::{Artifacts, Provider, SignedRequest},
};

impl<P: Provider> Service<P> {
    /// Replaces unsigned plans in a reply by signed ones.
    pub(crate) async fn sign(
        &self,
        mut reply: Reply,
        context: &Context<'_>,
    ) -> Result<Reply, Problem> {
        match reply.sign.take() {
            None => {}
            Some(Sign::Upload(upload)) => {
                let plan = self.plan(&upload, context).await?;
                if let Some(Value::Object(members)) = &mut reply.body {
                    members.insert("upload".into(), to_value(&plan));
                }
            }
            Some(Sign::Download(download)) => {
                let signed = self.provider.artifacts().sign_download(&download).await;
                let SignedRequest { url, headers, .. } =
                    signed.map_err(|error| port_problem(&error))?;
                let headers = headers.into_iter().collect();
                let signed_url = DownloadUrl {
                    url,
                    headers,
                    expires_at: download.expires_at(),
                };
                reply.body = Some(to_value(&signed_url));
            }
        }
        Ok(reply)
    }

    async fn plan(
        &self,
        upload: &SignUpload,
        context: &Context<'_>,
    ) -> Result<UploadPlan, Problem> {
        if upload.is_multipart() {
            return self.plan_parts(upload, context).await;
        }
        let signed = self.provider.artifacts().sign_upload(upload).await;
        let SignedRequest {
            method,
            url,
            headers,
        } = signed.map_err(|error| port_problem(&error))?;
        Ok(UploadPlan::Single {
            method: method.into(),
            url,
            headers: headers.into_iter().collect(),
            expires_at: upload.expires_at(),
        })
    }

    async fn plan_parts(
        &self,
        upload: &SignUpload,
        context: &Context<'_>,
    ) -> Result<UploadPlan, Problem> {
        // A repeated plan reuses the multipart upload that the record names.
        let upload_id = match upload.upload_id() {
            Some(upload_id) => upload_id.to_owned(),
            None => self.begin_parts(upload, context).await?,
        };
        let signed = self.provider.artifacts().sign_parts(upload, &upload_id);
        let signed = signed.await.map_err(|error| port_problem(&error))?;
        let part = |(
            number,
            SignedRequest {
                method,
                url,
                headers,
            },
        ): (u16, SignedRequest)| PartPlan {
            number,
            method: method.into(),
            url,
            headers: headers.into_iter().collect(),
        };
        Ok(UploadPlan::Multipart {
            part_size: upload.part_size(),
            parts: (1..).zip(signed).map(part).collect(),
            expires_at: upload.expires_at(),
        })
    }

    /// Starts an upload in parts and records the provider's id, which completion needs. If another
    /// plan was started at the same time, that one is used and this upload is aborted.
    async fn begin_parts(
        &self,
        upload: &SignUpload,
        context: &Context<'_>,
    ) -> Result<String, Problem> {
        let artifacts = self.provider.artifacts();
        let upload_id = artifacts
            .begin_parts(upload)
            .await
            .map_err(|error| port_problem(&error))?;
        let recorded = record_upload(upload.path(), upload_id.clone());
        let env = context.env.derived("signing");
        let outcome = self.run_within(&*recorded, env, context.request_id).await;
        if let Err(problem) = outcome {
            // After an internal failure, the record may still name this upload.
            let refused = problem.kind.status() < 500;
            if refused && let Err(error) = artifacts.remove(upload.path(), Some(&upload_id)).await {
                tracing::warn!(%error, "could not abort an orphaned multipart upload");
            }
            return Err(problem);
        }
        Ok(upload_id)
    }
}
