//! Signing what an answer promises, once everything is committed.

use serde_json::{Value, json};
use wm_core::{
    api::Problem,
    context::Context,
    use_case::{Reply, Sign, SignUpload},
};

use crate::{
    Service,
    execute::port_problem,
    ports::{Artifacts, Provider, SignedRequest},
};

impl<P: Provider> Service<P> {
    /// Replaces what is to be signed by what was signed.
    pub(crate) async fn sign(&self, mut reply: Reply, context: &Context<'_>) -> Result<Reply, Problem> {
        match reply.sign.take() {
            None => {}
            Some(Sign::Upload(upload)) => {
                let plan = self.plan(&upload, context).await?;
                if let Some(Value::Object(members)) = &mut reply.body {
                    members.insert("upload".into(), plan);
                }
            }
            Some(Sign::Download(download)) => {
                let signed = self.provider.artifacts().sign_download(&download).await;
                let signed = signed.map_err(|error| port_problem(&error))?;
                reply.body = Some(json!({
                    "url": signed.url,
                    "headers": headers(&signed),
                    "expires_at": download.expires_at,
                }));
            }
        }
        Ok(reply)
    }

    async fn plan(&self, upload: &SignUpload, context: &Context<'_>) -> Result<Value, Problem> {
        let artifacts = self.provider.artifacts();
        let upload_id = match &upload.upload_id {
            Some(upload_id) => Some(upload_id.clone()),
            None if upload.is_multipart() => Some(self.begin_parts(upload, context).await?),
            None => None,
        };
        let signed = artifacts.sign_upload(upload, upload_id.as_deref()).await;
        let signed = signed.map_err(|error| port_problem(&error))?;
        if !upload.is_multipart() {
            let single = signed.first().ok_or_else(|| Problem::internal("a plan without an address"))?;
            return Ok(json!({
                "kind": "single",
                "method": single.method,
                "url": single.url,
                "headers": headers(single),
                "expires_at": upload.expires_at,
            }));
        }
        let part = |(position, part): (usize, &SignedRequest)| {
            json!({
                "number": position + 1,
                "method": part.method,
                "url": part.url,
                "headers": headers(part),
            })
        };
        Ok(json!({
            "kind": "multipart",
            "part_size": upload.part_size(),
            "parts": signed.iter().enumerate().map(part).collect::<Vec<_>>(),
            "expires_at": upload.expires_at,
        }))
    }
}

fn headers(signed: &SignedRequest) -> Value {
    signed.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}
