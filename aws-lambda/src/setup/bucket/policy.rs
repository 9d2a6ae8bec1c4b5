//! The statements of the bucket's policy that are ours.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Wanted;
use crate::setup::baseline::BASELINE;

/// Refuses whatever does not come over TLS, or over an old one.
fn ours(wanted: &Wanted) -> [Value; 2] {
    let (modern, version) = BASELINE.bucket.modern_tls_only;
    let arn = format!("arn:{}:s3:::{}", partition(&wanted.region), wanted.name);
    let refuses = |id: &str, condition: Value| {
        json!({
            "Sid": id,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": condition,
        })
    };
    [
        refuses(
            BASELINE.bucket.tls_only,
            json!({ "Bool": { "aws:SecureTransport": "false" } }),
        ),
        refuses(
            modern,
            json!({ "NumericLessThan": { "s3:TlsVersion": version } }),
        ),
    ]
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
    let baseline = BASELINE.bucket;
    id(statement).is_some_and(|id| [baseline.tls_only, baseline.modern_tls_only.0].contains(&id))
}

/// Each of our statements' ids, and whether the policy has it: `None` without a statement of that id,
/// `false` where it says something else.
pub(super) fn compared(policy: Option<&Value>, wanted: &Wanted) -> Vec<(String, Option<bool>)> {
    let found = statements(policy);
    let compare = |ours: &Value| {
        let same = found.iter().find(|statement| id(statement) == id(ours));
        let is_same = same.map(|statement| normal(statement) == normal(ours));
        (id(ours).unwrap_or_default().to_owned(), is_same)
    };
    ours(wanted).iter().map(compare).collect()
}

/// What to call the statements that are not ours.
pub(super) fn foreign(policy: Option<&Value>) -> Vec<String> {
    let name = |statement: &Value| id(statement).unwrap_or("without an id").to_owned();
    let found = statements(policy);
    let foreign = found.iter().filter(|statement| !is_ours(statement));
    foreign.map(name).collect()
}

/// The policy with our statements, and with everybody else's as they were.
pub(super) fn merged(policy: Option<&Value>, wanted: &Wanted) -> Value {
    let mut statements = statements(policy);
    statements.retain(|statement| !is_ours(statement));
    statements.extend(ours(wanted));
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

    fn wanted(region: &str) -> Wanted {
        Wanted {
            name: "b".into(),
            region: region.into(),
            account: "111122223333".into(),
            origins: Vec::new(),
            tags: BTreeMap::new(),
        }
    }

    fn has_ours(policy: Option<&Value>, wanted: &Wanted) -> bool {
        let compared = compared(policy, wanted);
        compared.iter().all(|(_, is_same)| *is_same == Some(true))
    }

    #[test]
    fn foreign_statements_stay_and_ours_are_there_once() {
        let wanted = wanted("us-east-1");
        let theirs = json!({ "Sid": "Audit", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" });
        let weaker = json!({ "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*" });
        for statement in [theirs.clone(), json!([weaker, theirs])] {
            let found = json!({ "Version": "2008-10-17", "Id": "theirs", "Statement": statement });
            assert!(!has_ours(Some(&found), &wanted));
            assert_eq!(foreign(Some(&found)), ["Audit"]);
            let merged = merged(Some(&found), &wanted);
            assert!(has_ours(Some(&merged), &wanted));
            assert_eq!(merged["Id"], "theirs");
            assert_eq!(merged["Version"], "2008-10-17");
            assert_eq!(merged["Statement"].as_array().unwrap().len(), 3);
            assert_eq!(merged["Statement"][0], theirs);
        }
        let merged = merged(None, &wanted);
        assert!(has_ours(Some(&merged), &wanted));
        assert!(!has_ours(
            Some(&merged),
            &super::tests::wanted("cn-north-1")
        ));
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
        assert!(has_ours(Some(&spelt), &wanted));
    }
}
