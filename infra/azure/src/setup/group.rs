//! The resource group, and the resource providers of its content.

use azure_core::http::Method;
use serde_json::{Value, json};
use wm_deploy::{
    plan::{Resource, Verdict},
    service_error::ServiceError,
    tags::shown,
};

use super::{
    Wanted,
    arm::Arm,
    resource_group,
    step::{Step, text},
};

/// The API version of `Microsoft.Resources`.
pub(super) const API: &str = "2025-04-01";
/// The resource providers for which the subscription must be registered.
const PROVIDERS: &[&str] = &["Microsoft.Storage", "Microsoft.DocumentDB"];

#[derive(Debug)]
pub(super) struct Found {
    group: Option<Value>,
    /// The providers for which the subscription is not registered yet.
    unregistered: Vec<&'static str>,
}

impl Found {
    /// The location of new resources.
    pub(super) fn location(&self, wanted: &Wanted) -> String {
        let there = self.group.as_ref().map(|group| text(group, "/location"));
        let named = wanted.location.as_deref().or(there);
        resource_group::normalised_location(named.unwrap_or(&wanted.default_location))
    }
}

pub(super) async fn describe(arm: &Arm, wanted: &Wanted) -> Result<Found, ServiceError> {
    let group = arm.get(&wanted.resource_group.group_id(), API).await?;
    let mut unregistered = Vec::new();
    for provider in PROVIDERS {
        let found = arm.get(&provider_id(wanted, provider), API).await?;
        let state = found
            .as_ref()
            .map(|found| text(found, "/registrationState"));
        if state != Some("Registered") {
            unregistered.push(*provider);
        }
    }
    Ok(Found {
        group,
        unregistered,
    })
}

fn provider_id(wanted: &Wanted, provider: &str) -> String {
    format!(
        "{}/providers/{provider}",
        wanted.resource_group.subscription_id()
    )
}

/// An existing group is not changed, because it can contain other resources.
pub(super) fn plan(wanted: &Wanted, found: &Found, location: &str) -> Resource<Step> {
    let mut plan = Resource::new(format!("resource group `{}`", wanted.resource_group.name));
    for provider in PROVIDERS {
        let id = provider_id(wanted, provider);
        let is_registered = !found.unregistered.contains(provider);
        let step = Step {
            label: format!("register the subscription for {provider}"),
            method: Method::Post,
            suffix: "/register",
            body: None,
            ..Step::put("", &id, API, Value::Null)
        };
        let setting = format!("provider {provider}");
        let there = is_registered.then(|| "registered".to_owned());
        plan.compare(&setting, there, "registered", step);
    }
    match &found.group {
        Some(group) => {
            let there = Verdict::Unchanged(text(group, "/location").to_owned());
            plan.note("location", there);
        }
        None => {
            plan.compare("location", None, location, None);
            let body = json!({ "location": location, "tags": wanted.tags });
            let id = wanted.resource_group.group_id();
            let step = Step::put("create the resource group", &id, API, body);
            plan.compare("tags", None, shown(&wanted.tags), step);
        }
    }
    plan
}
