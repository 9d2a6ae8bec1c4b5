//! A process dies during a request, before or after any of its calls, and the client sends the
//! request again.

use futures_util::future::join_all;
use serde_json::Value;

use super::{
    model::{RequestTemplate, Step},
    run::{Difference, Replay, StepOptions, described, with_replay},
    script::Command,
    snapshot::Outcome,
    target::{Target, Targets},
};
use crate::{
    client::object_request,
    faults::Moment,
    harness::Answer,
    instrumented::{Crash, Order, calls},
};

/// The maximum number of attempts of a client without an answer.
const TRIES: usize = 40;

/// A command and its preconditions.
#[derive(Debug, Clone)]
pub struct Case {
    /// The commands to run first.
    pub before: Vec<Command>,
    /// An upload whose bytes arrive next. The process dies before it examines them.
    pub arrives: Option<usize>,
    /// The command during which a process dies.
    pub command: Command,
}

/// The result on one surface.
struct CrashResult {
    answer: Answer,
    /// Whether the process died at the ordered call.
    died: bool,
    calls: String,
}

/// The calls at which a process dies during a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deaths {
    /// Once per state that a death can leave: before the first call, and after every call that
    /// changes something. A process stores no state itself, so a death in between leaves one of
    /// these states too.
    EveryState,
    /// Before every call, and after every call that changes something.
    EveryCall,
}

impl Deaths {
    fn moments(self, place: usize, effect: char) -> &'static [Moment] {
        match (self, place, effect) {
            (Self::EveryState, 1.., 'w') => &[Moment::After],
            (Self::EveryState, 1.., _) => &[],
            (_, _, 'w') => &[Moment::Before, Moment::After],
            // After a call that changes nothing equals before the next call.
            _ => &[Moment::Before],
        }
    }
}

/// Kills a process during a command on every surface and sends the same request again. Answer,
/// state, events and mails must equal those of the reference, which dies too. The reference that
/// died must equal one that did not, except for the times of work that is finished later.
///
/// # Errors
///
/// [`Difference`], also if the command is not carried out, changes nothing, or makes other calls on
/// one surface.
pub async fn check_crashes(
    targets: &mut Targets,
    case: &Case,
    seed: u64,
    deaths: Deaths,
) -> Result<(), Difference> {
    let calls = visit(targets, case, seed, None).await?;
    for (place, effect) in calls.chars().enumerate() {
        for moment in deaths.moments(place, effect) {
            let crash = Crash {
                call: place + 1,
                moment: *moment,
            };
            visit(targets, case, seed, Some(crash)).await?;
        }
    }
    Ok(())
}

/// Runs the preconditions and the command once. Returns the calls, which must be the same on every
/// surface.
async fn visit(
    targets: &mut Targets,
    case: &Case,
    seed: u64,
    crash: Option<Crash>,
) -> Result<String, Difference> {
    with_replay(targets, seed, None, async |replay| {
        replay.visit(case, crash).await
    })
    .await
}

/// Lets a surface finish and publish all pending work.
async fn rest(target: &Target) {
    target.publish().await;
    target.sweep().await;
    target.publish().await;
}

impl Replay<'_> {
    async fn visit(&mut self, case: &Case, crash: Option<Crash>) -> Result<String, Difference> {
        let people = case.before.iter().chain([&case.command]);
        self.sign_in_people(people).await?;
        for (number, command) in case.before.iter().enumerate() {
            self.take(number, command).await?;
        }
        if let Some(upload) = case.arrives {
            self.arrive(upload).await;
            // A restarted node must see these people first.
            self.sign_in_people([&case.command].into_iter()).await?;
        }
        let template = self.template(case).await?;
        self.tick(&StepOptions::default());
        let lived = self.repeated(&template, 1, None).await;
        // The request is sent again by intermediaries and by the client.
        let mut outcomes = Vec::new();
        for times in crash.map_or(1..=1, |_| 2..=3) {
            let outcome = self.repeated(&template, times, crash).await;
            let same = compare_with_uninterrupted(&template, &lived, &outcome);
            same.map_err(|what| self.found("memory", &template, crash, what))?;
            outcomes.push(outcome);
        }
        let results = self.die(&template, crash).await;
        let mut calls = Vec::new();
        for (number, result) in results.into_iter().enumerate() {
            let name = self.targets.all[number + 1].name;
            let verdict = match (judge(&template, &result), crash) {
                (Err(what), None) => Err(what),
                (_, Some(_)) if !result.died => Err("it did not die".to_owned()),
                _ => Ok(()),
            };
            verdict.map_err(|what| self.found(name, &template, crash, what))?;
            let answers = [result.answer];
            let templates = [template.clone()];
            let explained = self.explain(number + 1, &templates, &answers, &outcomes);
            let explained = explained.await;
            explained.map_err(|what| self.found(name, &template, crash, what))?;
            calls.push(result.calls);
        }
        self.same_mails_as(&lived).await?;
        if crash.is_none() {
            let step = || format!("the calls of {}", described(&template));
            Self::all_same(&self.targets.all[1..], &calls, step)?;
        }
        Ok(calls.swap_remove(0))
    }

    fn found(
        &self,
        target: &'static str,
        template: &RequestTemplate,
        crash: Option<Crash>,
        what: String,
    ) -> Difference {
        let at = crash.map_or(String::new(), |crash| format!(", dying at {crash:?}"));
        Difference {
            target,
            step: format!("{}{at}", described(template)),
            what,
        }
    }

    /// Sends the request to every surface, where each process dies, and then lets all pending work
    /// finish.
    async fn die(&self, template: &RequestTemplate, crash: Option<Crash>) -> Vec<CrashResult> {
        let others = self.targets.all.iter().map(|target| target.name).skip(1);
        let crashes = others.filter_map(|name| Some((name, crash?)));
        self.write_orders(&StepOptions {
            crashes: crashes.collect(),
            noted: true,
            ..StepOptions::default()
        });
        let others = self.targets.all.iter().enumerate().skip(1);
        let sent = others.map(|(number, target)| self.send(number, target, template, crash));
        let results = join_all(sent).await;
        self.write_orders(&StepOptions {
            later: true,
            ..StepOptions::default()
        });
        join_all(self.targets.all.iter().skip(1).map(rest)).await;
        results
    }

    /// The outcome of a request that is sent this many times. The reference dies during the first
    /// one.
    async fn repeated(
        &self,
        template: &RequestTemplate,
        times: usize,
        crash: Option<Crash>,
    ) -> Outcome {
        let fork = self.fork();
        // Like the other surfaces, the fork knows the caller.
        let known = RequestTemplate {
            who: template.who,
            ..RequestTemplate::session()
        };
        fork.call(self.to_reference(&known, 0)).await;
        let request = self.to_reference(template, 0);
        let mut answer = None;
        for number in 0..times {
            let dies = crash.filter(|_| number == 0);
            self.write_order(
                &fork,
                &StepOptions {
                    crashes: dies.map(|crash| (fork.name, crash)).into_iter().collect(),
                    ..StepOptions::default()
                },
            );
            answer = fork.try_call(request.clone()).await;
            assert_eq!(answer.is_none(), dies.is_some(), "where the reference dies");
        }
        self.write_order(
            &fork,
            &StepOptions {
                later: true,
                ..StepOptions::default()
            },
        );
        rest(&fork).await;
        let outcome = self.left(vec![answer.expect("it lives in the end")], &fork);
        outcome.await
    }

    /// Checks that people got the same mails, each at least once.
    async fn same_mails_as(&self, lived: &Outcome) -> Result<(), Difference> {
        for target in self.targets.all.iter().skip(1) {
            let mails = self.mails_of(target).await;
            if mails != lived.mails {
                let expected = &lived.mails;
                return Err(Difference {
                    target: target.name,
                    step: "the mails".into(),
                    what: format!("{expected:?} by the reference, but here\n      {mails:?}"),
                });
            }
        }
        Ok(())
    }

    /// Stores the bytes of an upload without a notification. The node notices by itself and dies.
    async fn arrive(&mut self, number: usize) {
        let first = Crash {
            call: 1,
            moment: Moment::Before,
        };
        self.tick(&StepOptions {
            crashes: [("local", first)].into(),
            ..StepOptions::default()
        });
        for (target, state) in self.targets.all.iter().zip(&self.states) {
            let bytes = state.model.uploads[number].bytes.clone();
            let sent = target.try_object(object_request(&state.plans[number], bytes));
            // The node may die before it answers.
            let _ = sent.await;
            target.revive();
        }
        self.write_orders(&StepOptions::default());
    }

    /// The request of the command, in the form that all surfaces share.
    async fn template(&self, case: &Case) -> Result<RequestTemplate, Difference> {
        let number = case.before.len();
        let step = |command: &Command| self.states[0].model.step(number, command);
        let (Step::Send(template) | Step::Fetch(template)) = step(&case.command) else {
            unreachable!("bytes are sent to the store, not to a process of the surface");
        };
        let templates = vec![template; self.targets.all.len()];
        Ok(self.mailed(templates).await?.swap_remove(0))
    }

    /// Sends a request until the application answers, and once more if the process died.
    async fn send(
        &self,
        number: usize,
        target: &Target,
        template: &RequestTemplate,
        crash: Option<Crash>,
    ) -> CrashResult {
        let request = self.states[number].request(target, template, self.trace(0));
        // Discard the calls of an earlier attempt.
        drop(calls(&target.file));
        let mut answer = target.try_call(request.clone()).await;
        let noted = calls(&target.file);
        let died = crash.is_some() && Order::read(&target.file).crash.is_none();
        if died {
            target.revive();
            answer = target.try_call(request.clone()).await;
        }
        for _ in 0..TRIES {
            match answer {
                Some(answer) if answer.header("x-request-id").is_some() => {
                    return CrashResult {
                        answer,
                        died,
                        calls: noted,
                    };
                }
                _ => answer = target.try_call(request.clone()).await,
            }
        }
        panic!("{} answers no more: {}", target.name, target.last_lines());
    }
}

/// Checks that a process that did not die carried the command out and changed something.
fn judge(template: &RequestTemplate, result: &CrashResult) -> Result<(), String> {
    if result.answer.status >= 300 {
        let text = String::from_utf8_lossy(&result.answer.body);
        return Err(format!("it is refused: {text}"));
    }
    if template.route().budget.commits > 0 && !result.calls.contains('w') {
        return Err("it changes nothing".into());
    }
    Ok(())
}

/// An answer without URLs and without the version of its records: a multipart upload is recorded
/// after the answer.
fn comparable(answer: &Answer) -> (u16, Value) {
    fn normalise(value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(normalise),
            Value::Object(members) => {
                members.retain(|name, value| match name.as_str() {
                    "updated_at" | "updated_by" | "url" => false,
                    "version" => !value.is_number(),
                    _ => true,
                });
                members.values_mut().for_each(normalise);
            }
            _ => {}
        }
    }
    let mut body = serde_json::from_slice(&answer.body).unwrap_or_default();
    normalise(&mut body);
    (answer.status, body)
}

/// Checks that a process that died left the state of one that did not: the same number of items,
/// the same events, and the same answer to a client that repeats its request with a key. A repeated
/// `PUT` without a condition writes the value again, which is a further event.
fn compare_with_uninterrupted(
    template: &RequestTemplate,
    lived: &Outcome,
    died: &Outcome,
) -> Result<(), String> {
    let again = template.method == "PUT";
    let same = [
        again || lived.left.keys() == died.left.keys(),
        again || lived.left.event_ids() == died.left.event_ids(),
        template.key.is_none() || comparable(&lived.answers[0]) == comparable(&died.answers[0]),
        lived.mails == died.mails,
    ];
    if same == [true; 4] {
        return Ok(());
    }
    let effects = |outcome: &Outcome| {
        let body = String::from_utf8_lossy(&outcome.answers[0].body).into_owned();
        let (ids, mails) = (outcome.left.event_ids(), &outcome.mails);
        format!(
            "{} items, {ids:?} {body} {mails:?}",
            outcome.left.keys().len()
        )
    };
    Err(format!(
        "a process that does not die leaves other state, events, answers or mails {same:?}:\n      {}\n      {}",
        effects(lived),
        effects(died)
    ))
}
