//! Planning the steps for the bucket.

use std::fmt;

use aws_sdk_s3::types::{
    CorsRule, EventBridgeConfiguration, LifecycleRule, NotificationConfiguration, ObjectOwnership,
    ServerSideEncryption, TransitionDefaultMinimumObjectSize,
};
use serde_json::Value;
use wm_deploy::{
    plan::{OFF, Resource, Verdict, switched},
    tags::{Tags, shared, shown},
};

use super::{FoundBucket, WantedBucket, policy, rules};
use crate::setup::baseline::{BASELINE, BucketBaseline, LifecycleBaseline};

const BUCKET: &BucketBaseline = &BASELINE.bucket;

/// One change to the bucket.
#[derive(Debug, Clone, PartialEq)]
pub enum BucketStep {
    Create,
    PublicAccess,
    /// Make the bucket owner the owner of objects.
    Ownership,
    Policy(Value),
    /// Keep old versions.
    Versioning,
    Encryption,
    /// Set this program's lifecycle rules, beside the rules of others.
    Lifecycle {
        foreign: Vec<LifecycleRule>,
        /// The minimum size of objects that they move.
        size: Option<TransitionDefaultMinimumObjectSize>,
    },
    /// Set these targets of change notifications.
    Notification(Box<NotificationConfiguration>),
    /// Allow pages of these origins to use signed URLs.
    Cors {
        foreign: Vec<CorsRule>,
        origins: Vec<String>,
    },
    /// Set exactly these tags.
    Tags(Tags),
}

impl fmt::Display for BucketStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Create => "create the bucket",
            Self::PublicAccess => "block public access to the bucket",
            Self::Ownership => "make the bucket's owner the owner of its objects",
            Self::Policy(_) => "set the bucket's policy",
            Self::Versioning => "keep old versions in the bucket",
            Self::Encryption => "encrypt the bucket",
            Self::Lifecycle { .. } => "set the rules of the bucket's lifecycle",
            Self::Notification(_) => "notify the event bus of changes of the bucket",
            Self::Cors { .. } => "allow pages of the named origins to use signed URLs",
            Self::Tags(_) => "tag the bucket",
        })
    }
}

pub(super) fn plan(
    wanted: &WantedBucket,
    found: Option<&FoundBucket>,
) -> Result<Resource<BucketStep>, Vec<String>> {
    let reasons = found.map(|found| refusals(&wanted.name, found));
    let reasons = reasons.unwrap_or_default();
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let mut plan = Resource::new(format!("bucket `{}`", wanted.name));
    plan.compare(
        "region",
        found.map(|_| wanted.region.clone()),
        &wanted.region,
        BucketStep::Create,
    );
    // The policy comes before the block of public access: after it, a partly public policy cannot
    // be set.
    compare_policy(&mut plan, wanted, found);
    compare_access(&mut plan, found);
    compare_safety(&mut plan, found);
    compare_lifecycle(&mut plan, found);
    compare_notification(&mut plan, found);
    compare_cors(&mut plan, wanted, found);
    compare_tags(&mut plan, wanted, found);
    Ok(plan)
}

fn compare_access(plan: &mut Resource<BucketStep>, found: Option<&FoundBucket>) {
    plan.compare(
        "public access blocked",
        found.map(|found| switched(found.public_access_blocked)),
        switched(BUCKET.public_access_blocked),
        BucketStep::PublicAccess,
    );
    let owner = |found: &FoundBucket| {
        let ownership = found.ownership.as_ref();
        ownership
            .map_or("not set", ObjectOwnership::as_str)
            .to_owned()
    };
    plan.compare(
        "ownership",
        found.map(owner),
        BUCKET.ownership.as_str(),
        BucketStep::Ownership,
    );
}

fn compare_policy(
    plan: &mut Resource<BucketStep>,
    wanted: &WantedBucket,
    found: Option<&FoundBucket>,
) {
    let there = found.and_then(|found| found.policy.as_ref());
    let (as_wanted, less) = ("refuses requests without TLS", "a different statement");
    let current = policy::has_own_statement(there, wanted);
    let current = current.map(|is_same| if is_same { as_wanted } else { less }.to_owned());
    let step = BucketStep::Policy(policy::merged(there, wanted));
    let setting = format!("policy {}", BUCKET.tls_only);
    plan.compare(&setting, current, as_wanted, step);
    for foreign in policy::foreign(there) {
        let kept = Verdict::Kept("not managed by wm".into());
        plan.note(&format!("policy {foreign}"), kept);
    }
}

fn compare_safety(plan: &mut Resource<BucketStep>, found: Option<&FoundBucket>) {
    let versioning = |found: &FoundBucket| {
        let versioning = found.versioning.as_ref();
        versioning.map_or(OFF, |status| status.as_str()).to_owned()
    };
    plan.compare(
        "versioning",
        found.map(versioning),
        BUCKET.versioning.as_str(),
        BucketStep::Versioning,
    );
    let encryption = |found: &FoundBucket| {
        let algorithm = found.encryption.as_ref();
        algorithm
            .map_or(OFF, ServerSideEncryption::as_str)
            .to_owned()
    };
    let more = found
        .map(encryption)
        .filter(|found| found.starts_with("aws:kms"));
    match more {
        Some(more) => plan.note("encryption", Verdict::Unchanged(more)),
        None => plan.compare(
            "encryption",
            found.map(encryption),
            BUCKET.encryption.as_str(),
            BucketStep::Encryption,
        ),
    }
}

fn compare_lifecycle(plan: &mut Resource<BucketStep>, found: Option<&FoundBucket>) {
    let there = found.map(|found| found.lifecycle.as_slice());
    let there = there.unwrap_or_default();
    let after = |days: i32| format!("after {days} days");
    let mut differs = false;
    let mut compare = |ours: LifecycleBaseline, days: fn(&LifecycleRule) -> Option<i32>| {
        let same = there.iter().find(|rule| rule.id() == Some(ours.id));
        let days = same.map(days);
        differs |= days != Some(Some(ours.days));
        let current = days.map(|days| days.map_or_else(|| "something else".to_owned(), after));
        plan.compare(
            &format!("rule {}", ours.id),
            current,
            after(ours.days),
            None,
        );
    };
    compare(BUCKET.unfinished_uploads, rules::ends_uploads);
    compare(BUCKET.old_versions, rules::removes_objects);
    let foreign = there.iter().filter(|rule| !rules::is_own(rule)).cloned();
    let foreign: Vec<_> = foreign.collect();
    for rule in &foreign {
        let id = rule.id().unwrap_or("without an id");
        let kept = Verdict::Kept("not managed by wm".into());
        plan.note(&format!("rule {id}"), kept);
    }
    if differs {
        let size = found.and_then(|found| found.transition_size.clone());
        plan.steps.push(BucketStep::Lifecycle { foreign, size });
    }
}

fn compare_notification(plan: &mut Resource<BucketStep>, found: Option<&FoundBucket>) {
    let is_on = |found: &FoundBucket| found.notification.event_bridge_configuration.is_some();
    let others = found.map(|found| found.notification.clone());
    let mut notification = others.unwrap_or_else(|| NotificationConfiguration::builder().build());
    notification.event_bridge_configuration = Some(EventBridgeConfiguration::builder().build());
    plan.compare(
        "event bus",
        found.map(is_on).map(switched),
        switched(BUCKET.event_bridge),
        BucketStep::Notification(Box::new(notification)),
    );
}

fn compare_cors(
    plan: &mut Resource<BucketStep>,
    wanted: &WantedBucket,
    found: Option<&FoundBucket>,
) {
    let there = found.map(|found| found.cors.as_slice()).unwrap_or_default();
    let same = there.iter().find(|rule| rule.id() == Some(BUCKET.cors.id));
    let origins = match same {
        Some(rule) if wanted.origins.is_empty() => rule.allowed_origins(),
        _ => &wanted.origins,
    };
    if origins.is_empty() {
        let none = Verdict::Unchanged("none; `--origin` names some".into());
        plan.note("origins", none);
        return;
    }
    let shown = origins.join(", ");
    let current = same.map(|rule| match rules::allows(rule) {
        true => rule.allowed_origins().join(", "),
        false => "something else".to_owned(),
    });
    let foreign = there
        .iter()
        .filter(|rule| rule.id() != Some(BUCKET.cors.id));
    let step = BucketStep::Cors {
        foreign: foreign.cloned().collect(),
        origins: origins.to_vec(),
    };
    plan.compare("origins", current, shown, step);
}

fn compare_tags(
    plan: &mut Resource<BucketStep>,
    wanted: &WantedBucket,
    found: Option<&FoundBucket>,
) {
    let there = found.map(|found| shown(&shared(&found.tags, &wanted.tags)));
    // The service replaces all tags at once.
    let mut all = found.map(|found| found.tags.clone()).unwrap_or_default();
    all.extend(wanted.tags.clone());
    plan.compare("tags", there, shown(&wanted.tags), BucketStep::Tags(all));
}

/// All settings of the bucket that this program must not correct.
fn refusals(name: &str, found: &FoundBucket) -> Vec<String> {
    let mut reasons = Vec::new();
    if policy::is_public(found.policy.as_ref()) {
        reasons.push(format!(
            "the policy of the bucket `{name}` gives everyone access: remove that statement, or choose another bucket with `--bucket`"
        ));
    }
    if found.shared {
        reasons.push(format!(
            "the access list of the bucket `{name}` gives others access: remove them, or choose another bucket with `--bucket`"
        ));
    }
    if let Some(key) = &found.key {
        reasons.push(format!(
            "the bucket `{name}` encrypts with `{key}`, which the functions may not use: remove that key, or choose another bucket with `--bucket`"
        ));
    }
    reasons
}
