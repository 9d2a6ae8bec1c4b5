//! The policies that refuse requests without TLS, on an emulator without TLS.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wm_tests::{
    emulators::ministack::{ACCOUNT, Credentials, Ministack, REGION},
    infra::{TEMPLATE, Template, function},
};

use super::{roles::assume, stack::Stack};

/// Replaces names of the template by their values.
fn named(value: &Value, names: &BTreeMap<&str, String>) -> Value {
    match value {
        Value::Array(values) => values.iter().map(|value| named(value, names)).collect(),
        Value::Object(members) => match function(value) {
            Some(("Ref", name)) => names[name.as_str().unwrap()].clone().into(),
            Some(("Fn::GetAtt", path)) => {
                let path: Vec<&str> = path
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(Value::as_str)
                    .collect();
                names[path.join(".").as_str()].clone().into()
            }
            Some(("Fn::Sub", text)) => {
                let mut text = text.as_str().unwrap().to_owned();
                for (name, value) in names {
                    text = text.replace(&format!("${{{name}}}"), value);
                }
                text.into()
            }
            _ => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), named(value, names)))
                    .collect(),
            ),
        },
        value => value.clone(),
    }
}

/// A policy of the template for these resources.
fn policy(resource: &str, names: &[(&str, &str)]) -> String {
    let names = names
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    let template = Template::read(TEMPLATE);
    let document = &template.properties(resource)["PolicyDocument"];
    // Only the denying statements: the allowing ones name rules that do not exist here.
    let statements = document["Statement"].as_array().unwrap().iter();
    let refusing: Vec<Value> = statements
        .filter(|statement| statement["Effect"] == "Deny")
        .cloned()
        .collect();
    let document = json!({ "Version": document["Version"], "Statement": refusing });
    named(&document, &names.collect()).to_string()
}

/// A role with all rights on queues and buckets.
async fn administrator(cloud: &Ministack) -> Credentials {
    let trust =
        json!({ "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole" });
    let anything = json!({ "Effect": "Allow", "Action": ["s3:*", "sqs:*"], "Resource": "*" });
    let document =
        |statement: Value| json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let (trust, anything) = (document(trust), document(anything));
    let (name, version) = (("RoleName", "administrator"), ("Version", "2010-05-08"));
    for parameters in [
        vec![
            ("Action", "CreateRole"),
            name,
            version,
            ("AssumeRolePolicyDocument", &*trust),
        ],
        vec![
            ("Action", "PutRolePolicy"),
            name,
            version,
            ("PolicyName", "anything"),
            ("PolicyDocument", &*anything),
        ],
    ] {
        let answered = cloud
            .query_as(&Credentials::root(), "iam", &parameters)
            .await;
        assert_eq!(answered.status, 200, "{}", answered.text);
    }
    assume(cloud, &format!("arn:aws:iam::{ACCOUNT}:role/administrator")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_tls_are_refused_to_every_caller() {
    let cloud = &Stack::shared().await.cloud;
    let who = administrator(cloud).await;
    let queue = async |operation: &str, body: Value| {
        cloud
            .json_as(&who, &format!("AmazonSQS.{operation}"), &body)
            .await
    };
    let created = queue("CreateQueue", json!({ "QueueName": "plain" }))
        .await
        .json();
    let url = &created["QueueUrl"];
    let receive = json!({ "QueueUrl": url });
    assert_eq!(queue("ReceiveMessage", receive.clone()).await.status, 200);
    let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:plain");
    let refusing = policy("RelayDeadLettersPolicy", &[("RelayDeadLetters.Arn", &arn)]);
    let set = json!({ "QueueUrl": url, "Attributes": { "Policy": refusing } });
    assert_eq!(queue("SetQueueAttributes", set).await.status, 200);
    let refused = queue("ReceiveMessage", receive).await;
    assert!(refused.text.contains("AccessDenied"), "{}", refused.text);

    let bucket = async |method: &str, target: &str, body: &str| {
        cloud
            .send(&who, "s3", method, target, &[], body.into())
            .await
    };
    assert_eq!(bucket("PUT", "/plain", "").await.status, 200);
    assert_eq!(bucket("PUT", "/plain/accounts/a", "x").await.status, 200);
    let refusing = policy("BucketPolicy", &[("Bucket.Arn", "arn:aws:s3:::plain")]);
    let put = bucket("PUT", "/plain?policy=", &refusing).await;
    assert!(put.status < 300, "{}", put.text);
    for (method, target) in [
        ("GET", "/plain"),
        ("GET", "/plain/accounts/a"),
        ("PUT", "/plain/accounts/b"),
    ] {
        let refused = bucket(method, target, "").await;
        assert_eq!(refused.status, 403, "{method} {target}: {}", refused.text);
    }
}
