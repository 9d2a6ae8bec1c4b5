//! The events on the bus.

use serde_json::{Value, json};

use super::resources::Resources;

/// Takes every event off the queue of the bus, in order.
pub async fn drain(resources: &Resources) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let parameters = json!({ "QueueUrl": resources.queue, "MaxNumberOfMessages": 10 });
        let answer = resources
            .cloud
            .json("AmazonSQS.ReceiveMessage", &parameters)
            .await;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        if messages.is_empty() {
            return events;
        }
        for message in messages {
            events.push(serde_json::from_str(message["Body"].as_str().unwrap()).unwrap());
            let done =
                json!({ "QueueUrl": resources.queue, "ReceiptHandle": message["ReceiptHandle"] });
            resources.cloud.json("AmazonSQS.DeleteMessage", &done).await;
        }
    }
}
