//! This program's statement in the bucket policy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::WantedBucket;
use crate::setup::baseline::BASELINE;

const ID: &str = BASELINE.bucket.tls_only;

/// Refuses requests without TLS.
fn own_statement(wanted: &WantedBucket) -> Value {
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

/// The partition of the region, as in resource names.
fn partition(region: &str) -> &'static str {
    match region.split('-').collect::<Vec<_>>().as_slice() {
        ["cn", ..] => "aws-cn",
        ["us", "gov", ..] => "aws-us-gov",
        _ => "aws",
    }
}

/// The statements of a policy: a list or a single statement.
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

fn is_own(statement: &Value) -> bool {
    id(statement) == Some(ID)
}

/// Whether the policy contains this program's statement in any spelling. `None` if it has no
/// statement with its id.
pub(super) fn has_own_statement(policy: Option<&Value>, wanted: &WantedBucket) -> Option<bool> {
    let found = statements(policy);
    let same = found.iter().find(|statement| is_own(statement))?;
    Some(normal(same) == normal(&own_statement(wanted)))
}

/// Whether a statement gives everyone access without a condition.
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

/// The names of the other statements.
pub(super) fn foreign(policy: Option<&Value>) -> Vec<String> {
    let name = |statement: &Value| id(statement).unwrap_or("without an id").to_owned();
    let found = statements(policy);
    let foreign = found.iter().filter(|statement| !is_own(statement));
    foreign.map(name).collect()
}

/// The policy with this program's statement. All other statements stay unchanged.
pub(super) fn merged(policy: Option<&Value>, wanted: &WantedBucket) -> Value {
    let mut statements = statements(policy);
    statements.retain(|statement| !is_own(statement));
    statements.push(own_statement(wanted));
    let mut policy = policy
        .cloned()
        .unwrap_or_else(|| json!({ "Version": "2012-10-17" }));
    if let Value::Object(members) = &mut policy {
        members.insert("Statement".into(), Value::Array(statements));
    }
    policy
}

/// A normal form of policy values: a list of one element equals the element, the order of lists is
/// ignored, and booleans equal their text.
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
            // Sorted by name, independent of the order in the map.
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
    fn merged_policy_keeps_foreign_statements() {
        let wanted = wanted("us-east-1");
        let theirs = json!({ "Sid": "Audit", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" });
        let weaker = json!({ "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*" });
        for statement in [theirs.clone(), json!([weaker, theirs])] {
            let found = json!({ "Version": "2008-10-17", "Id": "theirs", "Statement": statement });
            assert_ne!(has_own_statement(Some(&found), &wanted), Some(true));
            assert_eq!(foreign(Some(&found)), ["Audit"]);
            let merged = merged(Some(&found), &wanted);
            assert_eq!(has_own_statement(Some(&merged), &wanted), Some(true));
            assert_eq!(merged["Id"], "theirs");
            assert_eq!(merged["Version"], "2008-10-17");
            assert_eq!(merged["Statement"].as_array().unwrap().len(), 2);
            assert_eq!(merged["Statement"][0], theirs);
        }
        let merged = merged(None, &wanted);
        assert_eq!(has_own_statement(Some(&merged), &wanted), Some(true));
        let elsewhere = super::tests::wanted("cn-north-1");
        assert_eq!(has_own_statement(Some(&merged), &elsewhere), Some(false));
    }

    #[test]
    fn policy_is_public_if_everyone_is_allowed_an_action() {
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
    fn statement_is_equal_in_another_spelling() {
        let wanted = wanted("us-gov-west-1");
        let mut spelt = merged(None, &wanted);
        let arn = "arn:aws-us-gov:s3:::b";
        spelt["Statement"][0] = json!({
            "Condition": { "Bool": { "aws:SecureTransport": [false] } },
            "Resource": [format!("{arn}/*"), arn],
            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": ["s3:*"],
        });
        assert_eq!(has_own_statement(Some(&spelt), &wanted), Some(true));
    }
}
