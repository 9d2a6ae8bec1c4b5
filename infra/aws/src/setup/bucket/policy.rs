//! The statement of the bucket's policy that is ours.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::WantedBucket;
use crate::setup::baseline::BASELINE;

const ID: &str = BASELINE.bucket.tls_only;

/// Refuses whatever does not come over TLS.
fn ours(wanted: &WantedBucket) -> Value {
    let arn = format!("arn:{}:s3:::{}", partition(&wanted.region), wanted.name);
    json!({
        "Sid": ID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// The part of the cloud a region belongs to, which full names begin with.
fn partition(region: &str) -> &'static str {
    match region.split('-').collect::<Vec<_>>().as_slice() {
        ["cn", ..] => "aws-cn",
        ["us", "gov", ..] => "aws-us-gov",
        _ => "aws",
    }
}

/// The statements of a policy: a list, or a single one.
fn statements(policy: Option<&Value>) -> Vec<Value> {
    match policy.and_then(|policy| policy.get("Statement")) {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => Vec::new(),
    }
}

fn id(statement: &Value) -> Option<&str> {
    statement.get("Sid").and_then(Value::as_str)
}

fn is_ours(statement: &Value) -> bool {
    id(statement) == Some(ID)
}

/// Whether the policy has our statement, whatever the spelling; `None` without one of its id.
pub(super) fn has_ours(policy: Option<&Value>, wanted: &WantedBucket) -> Option<bool> {
    let found = statements(policy);
    let same = found.iter().find(|statement| is_ours(statement))?;
    Some(normal(same) == normal(&ours(wanted)))
}

/// Whether a statement lets everybody in without any condition.
pub(super) fn is_public(policy: Option<&Value>) -> bool {
    let everybody = |principal: &Value| match principal {
        Value::Object(kinds) => kinds.get("AWS").map(normal) == Some("*".into()),
        principal => principal == "*",
    };
    let lets_in = |statement: &Value| {
        statement.get("Effect") == Some(&"Allow".into())
            && statement.get("Principal").is_some_and(everybody)
            && statement.get("Condition").is_none()
    };
    statements(policy).iter().any(lets_in)
}

/// What to call the statements that are not ours.
pub(super) fn foreign(policy: Option<&Value>) -> Vec<String> {
    let name = |statement: &Value| id(statement).unwrap_or("without an id").to_owned();
    let found = statements(policy);
    let foreign = found.iter().filter(|statement| !is_ours(statement));
    foreign.map(name).collect()
}

/// The policy with our statement, and with everybody else's as they were.
pub(super) fn merged(policy: Option<&Value>, wanted: &WantedBucket) -> Value {
    let mut statements = statements(policy);
    statements.retain(|statement| !is_ours(statement));
    statements.push(ours(wanted));
    let mut policy = policy
        .cloned()
        .unwrap_or_else(|| json!({ "Version": "2012-10-17" }));
    if let Value::Object(members) = &mut policy {
        members.insert("Statement".into(), Value::Array(statements));
    }
    policy
}

/// One form for what a policy may say in several: a list of one is its member, the order of a list
/// does not count, and a truth value is its word.
fn normal(value: &Value) -> Value {
    match value {
        Value::Bool(truth) => Value::from(truth.to_string()),
        Value::Number(number) => Value::from(number.to_string()),
        Value::Array(members) => {
            let mut members: Vec<Value> = members.iter().map(normal).collect();
            members.sort_by_key(Value::to_string);
            match <[Value; 1]>::try_from(members) {
                Ok([only]) => only,
                Err(members) => Value::Array(members),
            }
        }
        Value::Object(members) => {
            // Sorted by name, whatever the map keeps.
            let sorted: BTreeMap<_, _> = members
                .iter()
                .map(|(name, member)| (name.clone(), normal(member)))
                .collect();
            sorted.into_iter().collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(region: &str) -> WantedBucket {
        WantedBucket {
            name: "b".into(),
            region: region.into(),
            account: "111122223333".into(),
            origins: Vec::new(),
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn foreign_statements_stay_and_ours_is_there_once() {
        let wanted = wanted("us-east-1");
        let theirs = json!({ "Sid": "Audit", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" });
        let weaker = json!({ "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*" });
        for statement in [theirs.clone(), json!([weaker, theirs])] {
            let found = json!({ "Version": "2008-10-17", "Id": "theirs", "Statement": statement });
            assert_ne!(has_ours(Some(&found), &wanted), Some(true));
            assert_eq!(foreign(Some(&found)), ["Audit"]);
            let merged = merged(Some(&found), &wanted);
            assert_eq!(has_ours(Some(&merged), &wanted), Some(true));
            assert_eq!(merged["Id"], "theirs");
            assert_eq!(merged["Version"], "2008-10-17");
            assert_eq!(merged["Statement"].as_array().unwrap().len(), 2);
            assert_eq!(merged["Statement"][0], theirs);
        }
        let merged = merged(None, &wanted);
        assert_eq!(has_ours(Some(&merged), &wanted), Some(true));
        let elsewhere = super::tests::wanted("cn-north-1");
        assert_eq!(has_ours(Some(&merged), &elsewhere), Some(false));
    }

    #[test]
    fn a_policy_is_public_when_anybody_may_do_anything() {
        for principal in [json!("*"), json!({ "AWS": "*" }), json!({ "AWS": ["*"] })] {
            let mut policy = json!({ "Statement": { "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*" } });
            assert!(is_public(Some(&policy)), "{policy}");
            policy["Statement"]["Condition"] =
                json!({ "StringEquals": { "aws:SourceVpc": "vpc-1" } });
            assert!(!is_public(Some(&policy)), "{policy}");
        }
        assert!(!is_public(Some(&merged(None, &wanted("us-east-1")))));
        assert!(!is_public(None));
    }

    #[test]
    fn another_spelling_is_the_same_statement() {
        let wanted = wanted("us-gov-west-1");
        let mut spelt = merged(None, &wanted);
        let arn = "arn:aws-us-gov:s3:::b";
        spelt["Statement"][0] = json!({
            "Condition": { "Bool": { "aws:SecureTransport": [false] } },
            "Resource": [format!("{arn}/*"), arn],
            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": ["s3:*"],
        });
        assert_eq!(has_ours(Some(&spelt), &wanted), Some(true));
    }
}
