//! Replays a script on all surfaces, step by step.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    fmt,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use serde_json::{Value, json};
use wm_core::value::Sha256;
use wm_service::clock::now;

use super::{
    compare::Comparison,
    model::{Body, RequestTemplate, Step},
    script::{Action, Command, PEOPLE, Script},
    snapshot::Snapshot,
    state::TargetState,
    target::{Target, Targets},
};
use crate::{
    client::object_request,
    harness::{Answer, ObjectRequest},
    instrumented::{Barrier, Crash, Defect, Order},
};

/// The clock advance between two steps, in milliseconds.
const PAUSE: i64 = 7;

/// Longer than the delay before interrupted work is resumed, in milliseconds.
const LATER: i64 = 20 * 60 * 1000;

/// The script starts this far ahead of the clock, so that no token lies in its future.
const AHEAD: Duration = Duration::from_secs(5);

/// A difference between a surface and the reference.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The surface.
    pub target: &'static str,
    /// The request or the inspected state.
    pub step: String,
    /// The difference.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, step, what } = self;
        write!(formatter, "{target} differs\n    {step}\n    {what}")
    }
}

impl Difference {
    /// A difference from a panic: an event that became a dead letter, or an answer that cannot be
    /// parsed.
    fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Self {
            target: "a surface",
            step: "something that cannot be".into(),
            what: text.unwrap_or_default(),
        }
    }
}

/// A defect of one surface.
pub type Defective = Option<(&'static str, Defect)>;

/// A running replay of a script.
pub(super) struct Replay<'a> {
    pub(super) targets: &'a Targets,
    pub(super) states: Vec<TargetState>,
    order: Order,
    /// The number of the step among all steps of all scripts.
    number: u64,
    defective: Defective,
    /// The scopes created so far.
    pub(super) scopes: BTreeSet<String>,
}

/// The options of a step, given to the surfaces in their control files.
#[derive(Default)]
pub(super) struct StepOptions {
    pub(super) barriers: BTreeMap<&'static str, Barrier>,
    pub(super) crashes: BTreeMap<&'static str, Crash>,
    /// Whether calls are recorded.
    pub(super) noted: bool,
    /// Whether the clock passes the delay before interrupted work is resumed.
    pub(super) later: bool,
}

/// Replays a script up to its first difference.
///
/// # Errors
///
/// [`Difference`].
pub async fn replay(
    targets: &mut Targets,
    script: &Script,
    seed: u64,
    defective: Defective,
) -> Result<(), Difference> {
    with_replay(targets, seed, defective, async |replay| {
        replay.run(script).await
    })
    .await
}

/// Runs work on all targets as the script of a seed, and removes its pending work afterwards.
pub(super) async fn with_replay<T>(
    targets: &mut Targets,
    seed: u64,
    defective: Defective,
    work: impl AsyncFnOnce(&mut Replay<'_>) -> Result<T, Difference>,
) -> Result<T, Difference> {
    let attempt = targets.renew(seed);
    let mut replay = Replay::begin(targets, seed, attempt, defective);
    let done = AssertUnwindSafe(work(&mut replay)).catch_unwind().await;
    let done = done.unwrap_or_else(|panic| Err(Difference::of_panic(&*panic)));
    if done.is_err() {
        replay.abandon().await;
    }
    let scopes = replay.scopes;
    targets.past.extend(scopes);
    done
}

/// A description of a request, for messages.
pub(super) fn described(template: &RequestTemplate) -> String {
    let RequestTemplate {
        who,
        method,
        path,
        query,
        precondition,
        body,
        ..
    } = template;
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{query}")
    };
    format!("{who:?}: {method} {path}{query}, if {precondition:?}, saying {body:?}")
}

impl<'a> Replay<'a> {
    fn begin(targets: &'a Targets, seed: u64, attempt: u64, defective: Defective) -> Self {
        static RUNS: AtomicU64 = AtomicU64::new(1);
        let run = RUNS.fetch_add(1, Ordering::SeqCst);
        let begun = now();
        let mixed = Sha256::of(&[seed, attempt].map(u64::to_be_bytes).concat());
        let entropy = u64::from_be_bytes(mixed.as_bytes()[..8].try_into().unwrap());
        let name = format!("{}-{run}", std::process::id());
        let states = targets
            .all
            .iter()
            .map(|target| TargetState::new(target, &name, begun));
        let replay = Self {
            states: states.collect(),
            order: Order {
                now: begun.after(AHEAD).millis(),
                seed: entropy,
                ..Order::default()
            },
            number: 0,
            targets,
            defective,
            scopes: BTreeSet::new(),
        };
        replay.write_orders(&StepOptions::default());
        replay
    }

    async fn run(&mut self, script: &Script) -> Result<(), Difference> {
        let pair = script.pair.iter().flatten();
        self.sign_in_people(script.commands.iter().chain(pair))
            .await?;
        for (number, command) in script.commands.iter().enumerate() {
            self.take(number, command).await?;
        }
        match &script.pair {
            None => self.end().await,
            Some(pair) => self.at_once(pair, script.commands.len()).await,
        }
    }

    /// Discards pending work of this script before the next one.
    async fn abandon(&mut self) {
        self.defective = None;
        self.write_orders(&StepOptions::default());
        for target in &self.targets.all {
            target.publish().await;
            drop(target.take_events());
        }
    }

    /// Writes the time and the options into every control file.
    pub(super) fn write_orders(&self, options: &StepOptions) {
        if !self.targets.are_controlled {
            return;
        }
        for target in &self.targets.all {
            self.write_order(target, options);
        }
    }

    /// Writes the time and the options into the control file of one surface.
    pub(super) fn write_order(&self, target: &Target, options: &StepOptions) {
        let defect = self.defective.filter(|(name, _)| *name == target.name);
        let order = Order {
            defect: defect.map(|(_, defect)| defect),
            barrier: options.barriers.get(target.name).cloned(),
            crash: options.crashes.get(target.name).copied(),
            noted: options.noted,
            now: self.order.now + if options.later { LATER } else { 0 },
            ..self.order.clone()
        };
        order.write(&target.file);
    }

    /// Advances the clock.
    pub(super) fn tick(&mut self, options: &StepOptions) {
        self.order.now += PAUSE;
        self.number += 1;
        self.write_orders(options);
    }

    /// A trace id that is unique for this request and the same on every surface.
    pub(super) fn trace(&self, salt: u64) -> String {
        let (seed, number) = (self.order.seed, self.number);
        let parts = [seed.to_be_bytes(), number.to_be_bytes(), salt.to_be_bytes()].concat();
        let digest = Sha256::of(&parts).to_string();
        format!("00-{}-{}-01", &digest[..32], &digest[32..48])
    }

    /// Signs in the people of a script.
    pub(super) async fn sign_in_people(
        &mut self,
        commands: impl Iterator<Item = &Command>,
    ) -> Result<(), Difference> {
        let present: BTreeSet<usize> = commands.map(|command| command.who).collect();
        for who in present {
            self.take(0, &Command::plain(who, Action::Session)).await?;
        }
        Ok(())
    }

    /// Runs one step on every surface and compares the results.
    pub(super) async fn take(
        &mut self,
        number: usize,
        command: &Command,
    ) -> Result<(), Difference> {
        self.tick(&StepOptions::default());
        let steps = self
            .states
            .iter()
            .map(|state| state.model.step(number, command));
        let steps: Vec<Step> = steps.collect();
        let template = |step: Step| match step {
            Step::Send(template) | Step::Fetch(template) => template,
            Step::Put(_) => unreachable!("all steps are of one kind"),
        };
        match &steps[0] {
            Step::Put(upload) => self.put(*upload).await,
            Step::Send(_) => {
                let templates = steps.into_iter().map(template).collect();
                self.request_all(command, templates).await.map(drop)
            }
            Step::Fetch(_) => {
                let templates: Vec<RequestTemplate> = steps.into_iter().map(template).collect();
                let answers = self.request_all(command, templates.clone()).await?;
                self.fetch(&templates[0], &answers).await
            }
        }
    }

    async fn request_all(
        &mut self,
        command: &Command,
        templates: Vec<RequestTemplate>,
    ) -> Result<Vec<Answer>, Difference> {
        let templates = self.mailed(templates).await?;
        let trace = self.trace(0);
        let calls = self.targets.all.iter().zip(&self.states).zip(&templates);
        let calls = calls.map(|((target, state), template)| {
            target.call(state.request(target, template, trace.clone()))
        });
        let answers = join_all(calls).await;
        self.same_answers(&templates[0], &answers)?;
        for ((state, template), answer) in self.states.iter_mut().zip(&templates).zip(&answers) {
            state.record_answer(command, template, answer);
        }
        let uploads: Vec<usize> = self
            .states
            .iter()
            .map(|state| state.model.uploads.len())
            .collect();
        let step = || format!("the plans after {}", described(&templates[0]));
        Self::all_same(&self.targets.all, &uploads, step)?;
        self.covered(&templates[0], &answers[0]);
        if templates[0].method != "GET" && answers[0].status < 300 {
            // The recipients of an event depend on the state at its publication.
            self.publish().await;
        }
        Ok(answers)
    }

    /// Records the operation of a successful request.
    fn covered(&self, template: &RequestTemplate, answer: &Answer) {
        if answer.status < 300 {
            self.targets
                .covered
                .borrow_mut()
                .insert(template.operation());
        }
    }

    fn same_answers(
        &mut self,
        template: &RequestTemplate,
        answers: &[Answer],
    ) -> Result<(), Difference> {
        if !self.targets.are_controlled {
            let neutral: Vec<Value> = self
                .states
                .iter_mut()
                .zip(answers)
                .map(|(state, answer)| state.normal.answer(answer))
                .collect();
            return Self::all_same(&self.targets.all, &neutral, || described(template));
        }
        for ((target, state), answer) in self.targets.all.iter().zip(&mut self.states).zip(answers)
        {
            let mut comparison = Comparison {
                target: target.name,
                digests: &mut state.digests,
                opaque: template.is_opaque(),
            };
            let compared = comparison.answers(&answers[0], answer);
            compared.map_err(|what| Difference {
                target: target.name,
                step: described(template),
                what,
            })?;
        }
        Ok(())
    }

    /// Checks that all targets have the same value.
    pub(super) fn all_same<T: PartialEq + fmt::Debug>(
        targets: &[Target],
        values: &[T],
        step: impl FnOnce() -> String,
    ) -> Result<(), Difference> {
        let other = values.iter().position(|value| *value != values[0]);
        other.map_or(Ok(()), |other| {
            let (first, value) = (&values[0], &values[other]);
            Err(Difference {
                target: targets[other].name,
                step: step(),
                what: format!(
                    "{first:?} by {}, but here\n      {value:?}",
                    targets[0].name
                ),
            })
        })
    }

    /// Inserts the mailed token into requests that need one.
    pub(super) async fn mailed(
        &self,
        templates: Vec<RequestTemplate>,
    ) -> Result<Vec<RequestTemplate>, Difference> {
        let Body::Mailed(person) = templates[0].body else {
            return Ok(templates);
        };
        let mails = self.same_mails(person).await?;
        let with_token = |(template, mails): (RequestTemplate, Vec<String>)| {
            let token = mails.iter().rev().find_map(|mail| {
                let (_, rest) = mail.split_once("?token=")?;
                rest.split_whitespace().next()
            });
            let body = json!({ "token": token.unwrap_or("none") });
            RequestTemplate {
                body: Body::Json(body),
                ..template
            }
        };
        Ok(templates.into_iter().zip(mails).map(with_token).collect())
    }

    /// The texts of all mails to a person, on every surface, oldest first.
    async fn same_mails(&self, person: usize) -> Result<Vec<Vec<String>>, Difference> {
        let to = self.states[0].model.email(person);
        let mails = join_all(self.targets.all.iter().map(|target| target.mails(&to))).await;
        let sorted = mails.iter().map(|mails| {
            let mut mails: Vec<(&str, &str)> = mails
                .iter()
                .map(|(subject, text)| (subject.as_str(), text.trim()))
                .collect();
            mails.sort_unstable();
            if self.targets.are_controlled {
                mails
            } else {
                // The links contain values of each surface.
                mails
                    .into_iter()
                    .map(|(subject, _)| (subject, ""))
                    .collect()
            }
        });
        let sorted: Vec<Vec<(&str, &str)>> = sorted.collect();
        Self::all_same(&self.targets.all, &sorted, || format!("the mails to {to}"))?;
        let texts =
            |mails: Vec<(String, String)>| mails.into_iter().map(|(_, text)| text).collect();
        Ok(mails.into_iter().map(texts).collect())
    }

    /// Downloads the objects that the answers point to.
    async fn fetch(
        &self,
        template: &RequestTemplate,
        answers: &[Answer],
    ) -> Result<(), Difference> {
        let fetched = self
            .targets
            .all
            .iter()
            .zip(answers)
            .map(|(target, answer)| async move {
                let request = download(answer)?;
                let answer = target.object(request).await;
                Some((answer.status, answer.body))
            });
        let fetched = join_all(fetched).await;
        let step = || format!("what is fetched after {}", described(template));
        Self::all_same(&self.targets.all, &fetched, step)
    }

    /// Uploads bytes according to the plans. All stores must agree on accepting them.
    async fn put(&mut self, number: usize) -> Result<(), Difference> {
        let sent = self
            .targets
            .all
            .iter()
            .zip(&self.states)
            .map(|(target, state)| {
                let bytes = state.model.uploads[number].bytes.clone();
                target.object(object_request(&state.plans[number], bytes))
            });
        let answers = join_all(sent).await;
        let taken: Vec<bool> = answers.iter().map(|answer| answer.status < 300).collect();
        let step = || {
            let path = &self.states[0].model.uploads[number].path;
            format!("whether PUT {path} is taken")
        };
        Self::all_same(&self.targets.all, &taken, step)?;
        if taken[0] {
            let pairs = self.targets.all.iter().zip(&self.states);
            let completed =
                pairs.map(|(target, state)| target.created(&state.model.uploads[number].path));
            join_all(completed).await;
            self.publish().await;
        }
        Ok(())
    }

    async fn publish(&self) {
        join_all(self.targets.all.iter().map(Target::publish)).await;
    }

    /// Compares the final state of a script on all surfaces.
    pub(super) async fn end(&mut self) -> Result<(), Difference> {
        self.tick(&StepOptions::default());
        self.publish().await;
        match self.targets.all[0].reference() {
            Some(reference) => {
                let left = Snapshot::behind(reference, self.targets.all[0].take_events());
                self.same_left(&left).await?;
            }
            None => self.same_events()?,
        }
        for person in 0..PEOPLE {
            self.same_mails(person).await?;
        }
        Ok(())
    }

    async fn same_left(&mut self, left: &Snapshot) -> Result<(), Difference> {
        self.scopes.extend(left.scopes());
        for (target, state) in self.targets.all.iter().zip(&mut self.states).skip(1) {
            let events = self.targets.take_events(target);
            let compared = left.compare(target, &events, &mut state.digests).await;
            compared.map_err(|what| Difference {
                target: target.name,
                step: "what is left in the end".into(),
                what,
            })?;
        }
        Ok(())
    }

    /// Compares the published events after normalisation.
    fn same_events(&mut self) -> Result<(), Difference> {
        let neutral = self
            .targets
            .all
            .iter()
            .zip(&mut self.states)
            .map(|(target, state)| {
                let mut events = self.targets.take_events(target);
                events.sort_by_key(|event| (event.time, event.subject.clone(), event.data.seq));
                let kinds = events
                    .iter()
                    .map(|event| json!([event.kind, event.subject, event.data.seq]));
                let mut kinds: Vec<String> = kinds
                    .map(|kind| state.normal.value(&kind).to_string())
                    .collect();
                kinds.sort();
                kinds
            });
        let neutral: Vec<Vec<String>> = neutral.collect();
        Self::all_same(&self.targets.all, &neutral, || "the events".into())
    }
}

/// The download request that an answer contains.
fn download(answer: &Answer) -> Option<ObjectRequest> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let url = body["url"].as_str()?.to_owned();
    let headers = body["headers"].as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = headers.map(|(name, value)| (name.clone(), text(value)));
    Some(ObjectRequest {
        method: "GET".into(),
        url,
        headers: headers.collect(),
        body: Vec::new(),
    })
}
