//! The AWS resources of one surface, in their deployed shapes and with unique names.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use wm_core::value::{SurfaceId, id::ulid_at};
use wm_service::clock::now;

use super::Options;
use crate::emulators::ministack::{ACCOUNT, Credentials, Ministack, REGION};

/// The characters of a key that a URL encodes: all but the unreserved ones and `/`.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The public URL of the surfaces under test.
pub const PUBLIC_URL: &str = "https://workspace.test";

#[derive(Debug)]
pub struct Resources {
    pub cloud: &'static Ministack,
    pub table: String,
    pub bucket: String,
    /// The URL of the object store.
    pub storage: String,
    pub bus: String,
    /// The URL of the queue that receives all events of the bus.
    pub queue: String,
    /// The sender of mail.
    pub sender: String,
    /// The path of its parameters.
    pub parameters: String,
    /// The name of its secret.
    pub secret: String,
}

impl Resources {
    /// Creates all resources, except for a bucket of another store.
    pub async fn create(cloud: &'static Ministack, options: &Options) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("wm-test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let queue = cloud
            .json("AmazonSQS.CreateQueue", &json!({ "QueueName": name }))
            .await;
        let resources = Self {
            cloud,
            table: name.clone(),
            bucket: match &options.storage {
                Some(storage) => storage.bucket.clone(),
                None => format!("{name}-documents"),
            },
            storage: match &options.storage {
                Some(storage) => storage.url.clone(),
                None => cloud.url.clone(),
            },
            bus: name.clone(),
            queue: queue["QueueUrl"].as_str().unwrap().to_owned(),
            sender: format!("no-reply@{name}.example.com"),
            parameters: format!("/workspace-management/{name}"),
            secret: name,
        };
        tokio::join!(
            resources.create_table(),
            resources.create_bucket(options),
            resources.create_bus(),
            resources.create_sender(),
            resources.create_parameters(options),
        );
        resources
    }

    /// The environment of its functions, without the accepted issuer.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut environment = self.cloud.environment();
        let own = [
            ("AWS_DYNAMODB_TABLE", &self.table),
            ("AWS_S3_BUCKET", &self.bucket),
            ("AWS_ENDPOINT_URL_S3", &self.storage),
            ("AWS_EVENTBRIDGE_BUS", &self.bus),
            ("AWS_SES_FROM", &self.sender),
            ("AWS_SSM_PATH", &self.parameters),
            ("AWS_SECRETS_MANAGER_SECRET", &self.secret),
        ];
        environment.extend(own.map(|(name, value)| (name.to_owned(), value.clone())));
        environment
    }

    /// The keys of all objects in the bucket, in order.
    pub async fn objects(&self) -> Vec<String> {
        let target = format!("/{}?encoding-type=url&list-type=2", self.bucket);
        let root = Credentials::root();
        let listed = self
            .cloud
            .send_to(&self.storage, &root, "s3", "GET", &target, &[], Vec::new())
            .await;
        assert_eq!(listed.status, 200, "{}", listed.text);
        assert!(
            !listed.text.contains("<IsTruncated>true"),
            "{}",
            listed.text
        );
        let keys = listed.text.split("<Key>").skip(1);
        let key = |text: &str| {
            let encoded = text.split("</Key>").next().unwrap();
            percent_decode_str(encoded)
                .decode_utf8()
                .unwrap()
                .into_owned()
        };
        keys.map(key).collect()
    }

    /// Stores an item in the form of DynamoDB.
    pub async fn put_item(&self, item: &Value) {
        let put = json!({ "TableName": self.table, "Item": item });
        self.cloud.json("DynamoDB_20120810.PutItem", &put).await;
    }

    /// Stores an object.
    pub async fn put_object(&self, key: &str, bytes: &[u8]) {
        let key = utf8_percent_encode(key, KEY);
        let target = format!("/{}/{key}", self.bucket);
        let (root, body) = (Credentials::root(), bytes.to_vec());
        let put = self
            .cloud
            .send_to(&self.storage, &root, "s3", "PUT", &target, &[], body)
            .await;
        assert_eq!(put.status, 200, "{}", put.text);
    }

    /// Every partition of the table.
    pub async fn partitions(&self) -> BTreeSet<String> {
        let mut partitions = BTreeSet::new();
        let mut start = Value::Null;
        loop {
            let mut ask = json!({ "TableName": self.table, "ProjectionExpression": "PK" });
            if !start.is_null() {
                ask["ExclusiveStartKey"] = start;
            }
            let mut page = self.cloud.json("DynamoDB_20120810.Scan", &ask).await;
            let items = page["Items"].as_array().unwrap().iter();
            partitions.extend(items.map(|item| item["PK"]["S"].as_str().unwrap().to_owned()));
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                return partitions;
            }
        }
    }

    async fn create_table(&self) {
        let table = table(&self.table);
        let created = self.cloud.json("DynamoDB_20120810.CreateTable", &table);
        created.await;
    }

    async fn create_bucket(&self, options: &Options) {
        if options.storage.is_some() {
            return;
        }
        let put = async |target: String, body: &str| {
            let root = Credentials::root();
            let body = body.as_bytes().to_vec();
            let answered = self
                .cloud
                .send(&root, "s3", "PUT", &target, &[], body)
                .await;
            assert_eq!(answered.status, 200, "{target}: {}", answered.text);
        };
        put(format!("/{}", self.bucket), "").await;
        if !options.versioned {
            return;
        }
        let versioning = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
            <Status>Enabled</Status></VersioningConfiguration>";
        put(format!("/{}?versioning=", self.bucket), versioning).await;
    }

    /// Creates a bus and a queue that receives all its events.
    async fn create_bus(&self) {
        let call = async |operation: &str, body: Value| {
            self.cloud
                .json(&format!("AWSEvents.{operation}"), &body)
                .await;
        };
        call("CreateEventBus", json!({ "Name": self.bus })).await;
        let pattern = json!({ "account": [ACCOUNT] }).to_string();
        let rule = json!({ "Name": "all", "EventBusName": self.bus, "EventPattern": pattern });
        call("PutRule", rule).await;
        let queue = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", self.bus);
        let target = json!({ "Id": "queue", "Arn": queue });
        let targets = json!({ "Rule": "all", "EventBusName": self.bus, "Targets": [target] });
        call("PutTargets", targets).await;
        let statement = json!({
            "Effect": "Allow",
            "Principal": { "Service": "events.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue,
        });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let attributes = json!({ "QueueUrl": self.queue, "Attributes": { "Policy": policy } });
        self.cloud
            .json("AmazonSQS.SetQueueAttributes", &attributes)
            .await;
    }

    async fn create_sender(&self) {
        let body = json!({ "EmailIdentity": self.sender })
            .to_string()
            .into_bytes();
        let headers = [("content-type", "application/json")];
        let path = "/v2/email/identities";
        let root = Credentials::root();
        let answered = self
            .cloud
            .send(&root, "ses", "POST", path, &headers, body)
            .await;
        assert_eq!(answered.status, 200, "{}", answered.text);
    }

    async fn create_parameters(&self, options: &Options) {
        let (surface, text) = options.surface.clone().unwrap_or_else(|| {
            let random = *wm_core::value::Sha256::of(self.table.as_bytes()).as_bytes();
            let surface = SurfaceId::first(ulid_at(now(), &random));
            let text = format!("a secret of {} that nobody would guess", self.secret);
            (surface.to_string(), text)
        });
        for (name, value) in [("surface-id", surface.as_str()), ("public-url", PUBLIC_URL)] {
            let name = format!("{}/{name}", self.parameters);
            let parameter = json!({ "Name": name, "Value": value, "Type": "String" });
            self.cloud.json("AmazonSSM.PutParameter", &parameter).await;
        }
        let secret = json!({
            "Name": self.secret,
            "SecretString": text,
            "ClientRequestToken": "0c7b1f0e-2f4f-4d53-8a48-c4d7b8e0f6a1",
        });
        self.cloud
            .json("secretsmanager.CreateSecret", &secret)
            .await;
    }
}

/// The request that creates a table of the deployed shape.
pub fn table(name: &str) -> Value {
    let key = |name: &str, kind| json!({ "AttributeName": name, "KeyType": kind });
    let keys = |prefix: &str| {
        let (partition, sort) = (format!("{prefix}PK"), format!("{prefix}SK"));
        json!([key(&partition, "HASH"), key(&sort, "RANGE")])
    };
    let indexes = ["GSI1", "GSI2", "GSI3", "GSI4"];
    let attributes: Vec<Value> = ["", "GSI1", "GSI2", "GSI3", "GSI4"]
        .iter()
        .flat_map(|prefix| [format!("{prefix}PK"), format!("{prefix}SK")])
        .map(|name| json!({ "AttributeName": name, "AttributeType": "S" }))
        .collect();
    let index = |name: &str| {
        let projection = json!({ "ProjectionType": "ALL" });
        json!({ "IndexName": name, "KeySchema": keys(name), "Projection": projection })
    };
    json!({
        "TableName": name,
        "AttributeDefinitions": attributes,
        "KeySchema": keys(""),
        "GlobalSecondaryIndexes": indexes.map(index),
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" },
    })
}
