//! Mails about events.

use wm_core::{
    jobs::{
        deliver::{self, Claim},
        mail::Message,
        notify::{Invited, Topic, delivery_id},
    },
    operation::{Facts, Problem, ReadRequest},
    record::{CloudEvent, Member, Record},
    storage::{Item, List, Page},
    value::UserId,
};

use crate::{
    Service,
    execute::port_problem,
    ports::{EntropyContext, Mail, Provider, Records},
};

/// The number of members considered in one page.
const PAGE: u32 = 25;

impl<P: Provider> Service<P> {
    /// Sends the mails for an event. Returns whether the event is finished. If not, it must be
    /// delivered again; recipients who already have their mail do not get it twice.
    pub async fn notify(&self, event: &CloudEvent) -> bool {
        match self.try_notify(event).await {
            Ok(()) => true,
            Err(problem) => {
                let internal = problem.internal.as_deref();
                tracing::warn!(event = event.id, %problem, internal, "a notification failed and will be retried");
                false
            }
        }
    }

    async fn try_notify(&self, event: &CloudEvent) -> Result<(), Problem> {
        // A newer program may store elsewhere who wants the mail.
        self.known_layout().await?;
        if let Some(invited) = Invited::of(event) {
            let facts = self.facts(invited.reads()).await?;
            let message = invited.message(&self.surface, &facts, self.provider.now())?;
            self.deliver(event, message).await?;
        }
        match Topic::of(event) {
            Some(topic) => self.notify_members(event, &topic).await,
            None => Ok(()),
        }
    }

    async fn notify_members(&self, event: &CloudEvent, topic: &Topic<'_>) -> Result<(), Problem> {
        let mut after = None;
        loop {
            let list = topic.members(after, PAGE);
            let page = self.list(&list).await?;
            let members = page
                .items
                .iter()
                .map(|item| self.notify_member(event, topic, item));
            futures_util::future::try_join_all(members).await?;
            match list.end_of(&page) {
                Some(row) => after = Some(row.to_owned()),
                None => return Ok(()),
            }
        }
    }

    async fn notify_member(
        &self,
        event: &CloudEvent,
        topic: &Topic<'_>,
        member: &Item,
    ) -> Result<(), Problem> {
        let member: Record<Member> =
            Record::decode(member).map_err(|error| Problem::internal(error.to_string()))?;
        let user: UserId = member.id;
        let mut facts = Facts::default();
        loop {
            let mut reads = topic.reads(user, &facts)?;
            reads.retain(|read| !facts.has(read));
            if reads.is_empty() {
                break;
            }
            for (read, answer) in self.answer_all(reads, self.provider.now()).await? {
                facts.insert(read, answer);
            }
        }
        let message = topic.message(&self.surface, user, &facts, self.provider.now())?;
        self.deliver(event, message).await
    }

    async fn deliver(&self, event: &CloudEvent, message: Option<Message>) -> Result<(), Problem> {
        let Some(message) = message else {
            return Ok(());
        };
        let (scope, id) = (
            event.data.scope,
            delivery_id(&self.surface, event, &message.to),
        );
        let claim = self
            .run(EntropyContext::Ephemeral, &*deliver::claim(scope, id))
            .await?;
        if claim == Claim::AlreadySent {
            return Ok(());
        }
        let sent = self.provider.mail().send(&message).await;
        sent.map_err(|error| port_problem(&error))?;
        self.run(EntropyContext::Ephemeral, &*deliver::sent(scope, id))
            .await
    }

    /// One page of an index.
    pub(crate) async fn list(&self, list: &List) -> Result<Page, Problem> {
        let page = self.provider.records().list(list).await;
        page.map_err(|error| port_problem(&error))
    }

    /// The facts for these reads.
    pub(crate) async fn facts(&self, reads: Vec<ReadRequest>) -> Result<Facts, Problem> {
        let mut facts = Facts::default();
        for (read, answer) in self.answer_all(reads, self.provider.now()).await? {
            facts.insert(read, answer);
        }
        Ok(facts)
    }
}
