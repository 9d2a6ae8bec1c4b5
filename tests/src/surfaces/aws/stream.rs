//! The table's stream, and the event source that passes it to `relay`.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::resources::Resources;
use crate::lambda::{Function, Outcome};

/// The maximum number of records in a batch.
const BATCH: usize = 100;
/// The maximum number of deliveries of a batch before the test fails.
const DELIVERIES: usize = 10;

/// A position in the stream, and the records read so far.
#[derive(Debug)]
pub struct Stream {
    arn: String,
    iterator: Value,
    /// The records that the event source has not delivered yet, after its filter.
    pub waiting: VecDeque<Value>,
}

impl Stream {
    /// Opens the stream at its beginning.
    pub async fn open(resources: &Resources) -> Self {
        let cloud = resources.cloud;
        let table = json!({ "TableName": resources.table });
        let table = cloud.json("DynamoDB_20120810.DescribeTable", &table).await;
        let arn = table["Table"]["LatestStreamArn"]
            .as_str()
            .unwrap()
            .to_owned();
        let stream = json!({ "StreamArn": arn });
        let stream = cloud
            .json("DynamoDBStreams_20120810.DescribeStream", &stream)
            .await;
        let shards = stream["StreamDescription"]["Shards"].as_array().unwrap();
        assert_eq!(shards.len(), 1, "{stream}");
        let iterator = json!({
            "StreamArn": arn,
            "ShardId": shards[0]["ShardId"],
            "ShardIteratorType": "TRIM_HORIZON",
        });
        let iterator = cloud
            .json("DynamoDBStreams_20120810.GetShardIterator", &iterator)
            .await;
        Self {
            arn,
            iterator: iterator["ShardIterator"].clone(),
            waiting: VecDeque::new(),
        }
    }

    /// Reads to the end of the stream.
    pub async fn read(&mut self, resources: &Resources) {
        loop {
            let parameters = json!({ "ShardIterator": self.iterator });
            let target = "DynamoDBStreams_20120810.GetRecords";
            let mut page = resources.cloud.json(target, &parameters).await;
            self.iterator = page["NextShardIterator"].take();
            let records = page["Records"].as_array_mut().unwrap();
            if records.is_empty() {
                return;
            }
            for mut record in records.drain(..).filter(is_wanted) {
                record["eventSourceARN"] = self.arn.as_str().into();
                self.waiting.push_back(record);
            }
        }
    }

    /// Delivers all waiting records in batches. A failed batch is delivered again, from its first
    /// failed record on if the answer names one.
    pub async fn deliver(&mut self, relay: &Function) {
        let mut deliveries = 0;
        while !self.waiting.is_empty() {
            let before = self.waiting.len();
            self.deliver_batch(relay).await;
            deliveries = if self.waiting.len() < before {
                0
            } else {
                deliveries + 1
            };
            let lines = || relay.last_lines();
            assert!(
                deliveries < DELIVERIES,
                "a batch does not come through: {}",
                lines()
            );
        }
    }

    /// Delivers one batch once.
    pub async fn deliver_batch(&mut self, relay: &Function) {
        let records: Vec<&Value> = self.waiting.iter().take(BATCH).collect();
        let outcome = relay.invoke(&json!({ "Records": records })).await;
        let done = match outcome {
            Outcome::Answered(answer) => done(&records, &answer),
            Outcome::Failed(_) | Outcome::Died | Outcome::TimedOut => 0,
        };
        self.waiting.drain(..done);
    }
}

/// The filter of the event source mapping.
fn is_wanted(record: &Value) -> bool {
    let sort = record["dynamodb"]["Keys"]["SK"]["S"].as_str();
    record["eventName"] == "INSERT" && sort.is_some_and(|sort| sort.starts_with("JOURNAL#"))
}

/// The number of processed records: those before the first failed one. An answer that names a
/// record outside the batch fails the whole batch.
fn done(records: &[&Value], answer: &Value) -> usize {
    let failures = answer["batchItemFailures"].as_array();
    let places = failures.into_iter().flatten().map(|failure| {
        let number = &failure["itemIdentifier"];
        let place = records
            .iter()
            .position(|record| record["dynamodb"]["SequenceNumber"] == *number);
        place.unwrap_or(0)
    });
    places.min().unwrap_or(records.len())
}
