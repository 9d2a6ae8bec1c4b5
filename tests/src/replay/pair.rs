//! Two concurrent requests.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use wm_core::http::Request;

use super::{
    model::{RequestTemplate, Step},
    run::{Difference, Replay, StepOptions, described},
    script::{Command, PEOPLE},
    snapshot::{Outcome, Snapshot},
    target::{Kind, Target},
};
use crate::{harness::Answer, instrumented::Barrier};

impl Replay<'_> {
    /// Runs two commands concurrently. The outcome must equal that of a sequential run in one of
    /// both orders.
    pub(super) async fn at_once(
        &mut self,
        pair: &[Command; 2],
        number: usize,
    ) -> Result<(), Difference> {
        // Publish earlier changes first, so that only the two requests change something.
        self.end().await?;
        let model = &self.states[0].model;
        // The same command twice is the same request twice, including its key.
        let second = number + usize::from(pair[0] != pair[1]);
        let steps = [model.step(number, &pair[0]), model.step(second, &pair[1])];
        let [Step::Send(first), Step::Send(second)] = steps else {
            return Ok(());
        };
        let mut templates = [first, second];
        for template in &mut templates {
            let everywhere = vec![template.clone(); self.targets.all.len()];
            *template = self.mailed(everywhere).await?.swap_remove(0);
        }
        self.tick(&StepOptions::default());
        let mut outcomes = [
            self.serial(&templates, &[0, 1]).await,
            self.serial(&templates, &[1, 0]).await,
        ];
        for outcome in &mut outcomes {
            outcome.left.mailed = false;
        }
        let parallel = self.parallel(&templates).await;
        for (number, answers) in parallel.into_iter().enumerate() {
            let what = self
                .explain(number + 1, &templates, &answers, &outcomes)
                .await;
            what.map_err(|what| Difference {
                target: self.targets.all[number + 1].name,
                step: format!(
                    "at once:\n      {}\n      {}",
                    described(&templates[0]),
                    described(&templates[1])
                ),
                what,
            })?;
        }
        Ok(())
    }

    /// Finds the expected outcome that equals the outcome on a surface.
    pub(super) async fn explain(
        &mut self,
        number: usize,
        templates: &[RequestTemplate],
        answers: &[Answer],
        outcomes: &[Outcome],
    ) -> Result<(), String> {
        let (target, state) = (&self.targets.all[number], &self.states[number]);
        let events = self.targets.take_events(target);
        let mut why = Vec::new();
        for outcome in outcomes {
            let mut digests = state.digests.clone();
            let compared = outcome.compare(target, templates, answers, &events, &mut digests);
            match compared.await {
                Ok(()) => {
                    self.scopes.extend(outcome.left.scopes());
                    return Ok(());
                }
                Err(what) => why.push(what),
            }
        }
        Err(format!("nothing explains it:\n    {}", why.join("\n    ")))
    }

    /// The outcome of requests in this order on a fork of the reference: the last answer to each.
    pub(super) async fn serial(&self, templates: &[RequestTemplate], order: &[usize]) -> Outcome {
        let fork = self.fork();
        let mut answers = vec![Answer::default(); templates.len()];
        for place in order {
            let request = self.to_reference(&templates[*place], *place);
            answers[*place] = fork.call(request).await;
        }
        fork.publish().await;
        self.left(answers, &fork).await
    }

    /// The outcome of these answers and of the final state of a fork of the reference.
    pub(super) async fn left(&self, answers: Vec<Answer>, fork: &Target) -> Outcome {
        let events = fork.take_events();
        let reference = fork.reference().expect("it is one");
        Outcome {
            answers,
            left: Snapshot::behind(reference, events),
            mails: self.mails_of(fork).await,
        }
    }

    /// The mails to all people, each once.
    pub(super) async fn mails_of(&self, target: &Target) -> BTreeSet<(String, String)> {
        let mut all = BTreeSet::new();
        for person in 0..PEOPLE {
            let mails = target.mails(&self.states[0].model.email(person)).await;
            all.extend(
                mails
                    .into_iter()
                    .map(|(subject, text)| (subject, text.trim().to_owned())),
            );
        }
        all
    }

    /// A copy of the reference that continues independently.
    pub(super) fn fork(&self) -> Target {
        let target = &self.targets.all[0];
        let reference = target.reference().expect("the reference is the first");
        Target {
            name: target.name,
            file: target.file.clone(),
            kind: Kind::Memory(reference.fork()),
        }
    }

    /// A request in the form that the reference gets.
    pub(super) fn to_reference(&self, template: &RequestTemplate, place: usize) -> Request {
        self.states[0].request(&self.targets.all[0], template, self.trace(place as u64))
    }

    /// The answers of the other surfaces to both requests at once. On a cloud, each is decided
    /// before the other commits. A node queues writers before they decide.
    async fn parallel(&self, templates: &[RequestTemplate; 2]) -> Vec<[Answer; 2]> {
        let folder = |name: &str| self.targets.folder.path().join(format!("barrier-{name}"));
        let clouds = self.targets.all.iter();
        let clouds = clouds.filter(|target| matches!(target.kind, Kind::Aws(..) | Kind::Azure(..)));
        let barriers: BTreeMap<&str, Barrier> = clouds
            .map(|target| (target.name, Barrier::at(&folder(target.name))))
            .collect();
        self.write_orders(&StepOptions {
            barriers: barriers.clone(),
            ..StepOptions::default()
        });
        let others = self.targets.all.iter().zip(&self.states).skip(1);
        let both = others.map(|(target, state)| {
            let barrier = barriers.get(target.name);
            let each = [0, 1].map(|place| {
                let request = state.request(target, &templates[place], self.trace(place as u64));
                async move {
                    let answer = target.call(request).await;
                    if let Some(barrier) = barrier {
                        barrier.open();
                    }
                    answer
                }
            });
            async move { <[Answer; 2]>::try_from(join_all(each).await).expect("there are two") }
        });
        let answers = join_all(both).await;
        self.write_orders(&StepOptions::default());
        for (_, barrier) in barriers {
            barrier.remove();
        }
        join_all(self.targets.all.iter().skip(1).map(Target::publish)).await;
        answers
    }
}
