//! Dead letters, sent again over the event bus.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::{Client as Bus, types::PutEventsRequestEntry};
use aws_sdk_sqs::{
    Client as Queues,
    error::BuildError,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
        QueueAttributeName,
    },
};
use serde::Deserialize;
use serde_json::value::RawValue;
use wm_deploy::dead_letters::{DeadLetters, Outcome, batches};
use wm_terminal::{
    failure::Failure,
    output::{notice, plain},
};

use crate::{
    account::{Account, failed},
    deployment::Names,
    setup::SetupError,
};

/// The source of all events sent again. The rules of `notify` and `ingest` match it.
pub(crate) const SOURCE: &str = "workspace-management.redrive";
/// The maximum number of messages per call of both services.
const BATCH: i32 = 10;
/// The maximum size of one request to the bus, in bytes.
const LARGEST_REQUEST: usize = 256 * 1024;
/// The time for which a received message is hidden from other readers, in seconds. It exceeds the
/// duration of a run.
const HIDDEN: i32 = 600;
/// The time without messages after which a queue counts as empty, in seconds.
const WAIT: i32 = 2;

#[derive(Debug)]
pub struct Queue {
    name: String,
    /// The number of messages when the queue was opened.
    waiting: usize,
    url: String,
    bus_name: String,
    queues: Queues,
    bus: Bus,
}

/// An event in the form in which a function received it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DeadLetter {
    detail_type: String,
    detail: Box<RawValue>,
}

/// A received message with its event.
#[derive(Debug)]
struct ReceivedMessage {
    id: String,
    receipt: String,
    dead_letter: DeadLetter,
}

/// The receipts of received messages that are not deleted yet, by message id.
type Receipts = BTreeMap<String, String>;

impl DeadLetter {
    fn read(body: &str) -> Option<Self> {
        let dead_letter: Self = serde_json::from_str(body).ok()?;
        let is_event =
            !dead_letter.detail_type.is_empty() && dead_letter.detail.get().starts_with('{');
        is_event.then_some(dead_letter)
    }

    /// The size in bytes, as the bus counts it.
    fn size(&self) -> usize {
        SOURCE.len() + self.detail_type.len() + self.detail.get().len()
    }

    fn entry(&self, bus: &str) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source(SOURCE)
            .detail_type(&self.detail_type)
            .detail(self.detail.get())
            .build()
    }
}

impl Queue {
    /// The dead letters of a function.
    ///
    /// # Errors
    /// If the queue does not exist.
    pub(crate) async fn open(
        account: &Account,
        names: &Names,
        function: &str,
    ) -> Result<Self, Failure> {
        let queues = Queues::new(&account.config);
        let name = names.dead_letters(function);
        let found = queues.get_queue_url().queue_name(&name).send().await;
        let found = found.map_err(|error| {
            match error
                .as_service_error()
                .is_some_and(|error| error.is_queue_does_not_exist())
            {
                true => Failure::new(format!(
                    "there is no queue `{name}`: deploy with `wm deploy aws` first"
                )),
                false => failed("sqs:GetQueueUrl")(error),
            }
        })?;
        let url = found.queue_url.unwrap_or_default();
        let waiting = waiting(&queues, &url).await?;
        let (bus_name, bus) = (names.base_name.to_string(), Bus::new(&account.config));
        Ok(Self {
            name,
            waiting,
            url,
            bus_name,
            queues,
            bus,
        })
    }

    async fn drain(&self, outcome: &mut Outcome, receipts: &mut Receipts) -> Result<(), Failure> {
        let mut room = self.waiting;
        while room > 0 {
            let messages = self.receive(room).await?;
            if messages.is_empty() {
                break;
            }
            room = room.saturating_sub(messages.len());
            let count = messages.len();
            let received = self.parse_messages(messages, receipts);
            let mut sent = 0;
            for batch in batches(&received, LARGEST_REQUEST, |message| {
                message.dead_letter.size()
            }) {
                let accepted = self.put(batch).await?;
                sent += self.delete(&accepted, receipts).await?;
            }
            outcome.sent += sent;
            outcome.left += count - sent;
        }
        Ok(())
    }

    async fn receive(&self, room: usize) -> Result<Vec<Message>, Failure> {
        let request = self.queues.receive_message().queue_url(&self.url);
        let answer = request
            .max_number_of_messages(i32::try_from(room).unwrap_or(BATCH).min(BATCH))
            .visibility_timeout(HIDDEN)
            .wait_time_seconds(WAIT)
            .send()
            .await
            .map_err(failed("sqs:ReceiveMessage"))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Records the receipts of messages, and returns the messages that contain an event.
    fn parse_messages(
        &self,
        messages: Vec<Message>,
        receipts: &mut Receipts,
    ) -> Vec<ReceivedMessage> {
        let mut received = Vec::new();
        for message in messages {
            let (Some(id), Some(receipt)) = (message.message_id, message.receipt_handle) else {
                continue;
            };
            receipts.insert(id.clone(), receipt.clone());
            match DeadLetter::read(message.body.as_deref().unwrap_or_default()) {
                Some(dead_letter) => received.push(ReceivedMessage {
                    id,
                    receipt,
                    dead_letter,
                }),
                None => notice(format!("`{id}` in `{}` is not an event", self.name)),
            }
        }
        received
    }

    /// Publishes a batch on the bus and returns the accepted messages.
    async fn put<'batch>(
        &self,
        batch: &'batch [ReceivedMessage],
    ) -> Result<Vec<&'batch ReceivedMessage>, Failure> {
        let entries = batch
            .iter()
            .map(|message| message.dead_letter.entry(&self.bus_name));
        let request = self.bus.put_events().set_entries(Some(entries.collect()));
        let answer = request.send().await.map_err(failed("events:PutEvents"))?;
        let mut accepted = Vec::new();
        for (message, result) in batch.iter().zip(answer.entries()) {
            match result.error_code() {
                None => accepted.push(message),
                Some(code) => {
                    let words = plain(result.error_message().unwrap_or(code));
                    notice(format!(
                        "`{}` in `{}` was not accepted: {words}",
                        message.id, self.name
                    ));
                }
            }
        }
        Ok(accepted)
    }

    /// Deletes sent messages from the queue and returns their number.
    async fn delete(
        &self,
        sent: &[&ReceivedMessage],
        receipts: &mut Receipts,
    ) -> Result<usize, Failure> {
        if sent.is_empty() {
            return Ok(0);
        }
        let mut request = self.queues.delete_message_batch().queue_url(&self.url);
        for (number, message) in sent.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder().id(number.to_string());
            let entry = entry.receipt_handle(&message.receipt).build();
            request = request.entries(entry.map_err(unbuilt)?);
        }
        let answer = request.send().await.map_err(failed("sqs:DeleteMessage"))?;
        for deleted in &answer.successful {
            let number = deleted.id.parse::<usize>().ok();
            if let Some(message) = number.and_then(|number| sent.get(number)) {
                receipts.remove(&message.id);
            }
        }
        Ok(answer.successful.len())
    }

    /// Makes undeleted messages visible at once. If that fails, they become visible after ten
    /// minutes.
    async fn release(&self, receipts: &Receipts) {
        let receipts: Vec<&String> = receipts.values().collect();
        for batch in receipts.chunks(10) {
            let entry = |(number, receipt): (usize, &&String)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(*receipt);
                entry.visibility_timeout(0).build().ok()
            };
            let entries = batch.iter().enumerate().filter_map(entry).collect();
            let request = self.queues.change_message_visibility_batch();
            let request = request.queue_url(&self.url).set_entries(Some(entries));
            let _ = request.send().await;
        }
    }
}

impl DeadLetters for Queue {
    fn name(&self) -> &str {
        &self.name
    }

    fn count(&self) -> usize {
        self.waiting
    }

    async fn send_again(&self) -> Result<Outcome, Failure> {
        let (mut outcome, mut receipts) = (Outcome::default(), Receipts::new());
        let result = self.drain(&mut outcome, &mut receipts).await;
        self.release(&receipts).await;
        result.map(|()| outcome)
    }
}

/// The approximate number of messages in a queue.
async fn waiting(queues: &Queues, url: &str) -> Result<usize, Failure> {
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let request = queues.get_queue_attributes().queue_url(url);
    let answer = request.attribute_names(name.clone()).send().await;
    let answer = answer.map_err(failed("sqs:GetQueueAttributes"))?;
    let count = answer
        .attributes
        .and_then(|found| found.get(&name)?.parse().ok());
    Ok(count.unwrap_or_default())
}

fn unbuilt(error: BuildError) -> Failure {
    Failure::of(&SetupError::from(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(size: usize) -> ReceivedMessage {
        let body = format!(
            r#"{{"detail-type":"t","detail":{{"x":"{}"}}}}"#,
            "y".repeat(size)
        );
        ReceivedMessage {
            id: size.to_string(),
            receipt: String::new(),
            dead_letter: DeadLetter::read(&body).unwrap(),
        }
    }

    #[test]
    fn dead_letter_keeps_its_detail_unchanged() {
        let body = r#"{"version":"0","id":"1","detail-type":"wm.x","source":"s","detail":{"b": 1,  "a": 2}}"#;
        let dead_letter = DeadLetter::read(body).unwrap();
        assert_eq!(dead_letter.detail_type, "wm.x");
        assert_eq!(dead_letter.detail.get(), r#"{"b": 1,  "a": 2}"#);
        for body in [
            "",
            "x",
            "{}",
            r#"{"detail-type":"t"}"#,
            r#"{"detail-type":"","detail":{}}"#,
            r#"{"detail-type":"t","detail":"x"}"#,
        ] {
            assert!(DeadLetter::read(body).is_none(), "{body}");
        }
    }

    #[test]
    fn batch_keeps_the_size_limit_of_the_bus() {
        let large = 100 * 1024;
        let all = [
            received(large),
            received(large),
            received(large),
            received(300 * 1024),
            received(1),
        ];
        let sizes: Vec<usize> = batches(&all, LARGEST_REQUEST, |received| {
            received.dead_letter.size()
        })
        .iter()
        .map(|batch| batch.len())
        .collect();
        assert_eq!(sizes, [2, 1, 1, 1]);
    }
}
