//! A process that dies over a request, before or after any of its calls, and a client that asks again.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::{
    left::Outcome,
    pair::left,
    run::{Besides, Difference, Replay, told},
    script::Command,
    side::{Side, Sides},
    world::{Asked, Step},
};
use crate::{
    client::object_request,
    faults::Moment,
    harness::Answer,
    told::{Crash, Order, calls},
};

/// How often a client asks again whom the application does not answer.
const TRIES: usize = 40;

/// A command, and what has to be there for it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What happens before.
    pub before: Vec<Command>,
    /// The upload whose bytes arrive then, and which no process of ours lives to look at.
    pub arrives: Option<usize>,
    /// What a process dies over.
    pub command: Command,
}

/// What a surface went through.
struct Went {
    answer: Answer,
    /// Whether it died where it was told to.
    died: bool,
    calls: String,
}

/// Dies at every call of a command on every surface, and sends the same request again. Answer, state and events must be
/// those of the reference, which dies there too. Answers how often processes died.
///
/// # Errors
/// [`Difference`], also where a surface makes other calls than the first one.
pub async fn walk(sides: &mut Sides, case: &Case, seed: u64) -> Result<usize, Difference> {
    let calls = visit(sides, case, seed, None).await?;
    let first = calls.values().next().expect("there are surfaces").1.clone();
    for (side, (_, calls)) in &calls {
        if *calls != first {
            return Err(Difference {
                side,
                step: format!("the calls of {:?}", case.command),
                what: format!("`{first}` on the first surface, but here `{calls}`"),
            });
        }
    }
    let mut deaths = 0;
    for (place, effect) in first.chars().enumerate() {
        let moments: &[Moment] = match effect {
            'w' => &[Moment::Before, Moment::After],
            // Behind a call that changes nothing is before the next one.
            _ => &[Moment::Before],
        };
        for moment in moments {
            let crash = Crash {
                call: place + 1,
                moment: *moment,
            };
            let went = visit(sides, case, seed, Some(crash)).await?;
            deaths += went.values().filter(|(died, _)| *died).count();
        }
    }
    Ok(deaths)
}

/// One visit: what has to be there, then the command. Whether each surface died, and its calls.
async fn visit(
    sides: &mut Sides,
    case: &Case,
    seed: u64,
    crash: Option<Crash>,
) -> Result<BTreeMap<&'static str, (bool, String)>, Difference> {
    sides.renew();
    let mut replay = Replay::begin(sides, seed, None);
    let visited = replay.visit(case, crash).await;
    if visited.is_err() {
        replay.abandon().await;
    }
    visited
}

/// Lets a surface finish and publish everything.
async fn rest(side: &Side) {
    side.publish().await;
    side.sweep().await;
    side.publish().await;
}

impl Replay<'_> {
    async fn visit(
        &mut self,
        case: &Case,
        crash: Option<Crash>,
    ) -> Result<BTreeMap<&'static str, (bool, String)>, Difference> {
        let people = case.before.iter().chain([&case.command]);
        self.come(people).await?;
        for (number, command) in case.before.iter().enumerate() {
            self.take(number, command).await?;
        }
        if let Some(upload) = case.arrives {
            self.arrive(upload).await;
            // A node that was started again has to meet them first.
            self.come([&case.command].into_iter()).await?;
        }
        let asked = self.asked(case).await?;
        let others = || self.sides.all.iter().map(|side| side.name).skip(1);
        let crashes = others().filter_map(|name| Some((name, crash?)));
        let besides = Besides {
            crashes: crashes.collect(),
            noted: true,
            ..Besides::default()
        };
        self.tick(&Besides::default());
        // Sent again by whoever is in between, and by the client.
        let sent = match crash {
            None => 1..=1,
            Some(_) => 2..=3,
        };
        let mut outcomes = Vec::new();
        for times in sent {
            outcomes.push(self.repeated(&asked[0], times, crash).await);
        }
        self.tell(&besides);
        let others = self.sides.all.iter().enumerate().skip(1);
        let sent = others.map(|(number, side)| self.send(number, side, &asked[0], crash));
        let went = join_all(sent).await;
        self.tell(&Besides {
            later: true,
            ..Besides::default()
        });
        join_all(self.sides.all.iter().skip(1).map(rest)).await;
        let mut visited = BTreeMap::new();
        for (number, went) in went.into_iter().enumerate() {
            let name = self.sides.all[number + 1].name;
            let answers = [went.answer];
            let explained = self.explain(number + 1, &asked, &answers, &outcomes);
            explained.await.map_err(|what| Difference {
                side: name,
                step: format!("{}, dying at {crash:?}", told(&asked[0])),
                what,
            })?;
            visited.insert(name, (went.died, went.calls));
        }
        Ok(visited)
    }

    /// What comes of a request that is sent so many times, and over the first of which the reference dies too.
    async fn repeated(&self, asked: &Asked, times: usize, crash: Option<Crash>) -> Outcome {
        let fork = self.fork();
        // As the others do, it knows who asks.
        let known = Asked {
            who: asked.who,
            ..Asked::session()
        };
        fork.call(self.to_reference(&known, 0)).await;
        self.tell(&Besides {
            crashes: crash.map(|crash| (fork.name, crash)).into_iter().collect(),
            ..Besides::default()
        });
        let request = self.to_reference(asked, 0);
        let mut answer = None;
        for _ in 0..times {
            answer = fork.try_call(request.clone()).await;
        }
        self.tell(&Besides {
            later: true,
            ..Besides::default()
        });
        rest(&fork).await;
        left(vec![answer.expect("it lives in the end")], &fork)
    }

    /// Sends the bytes of an upload, and lets nobody know: the node, which notices by itself, dies over it.
    async fn arrive(&mut self, number: usize) {
        let first = Crash {
            call: 1,
            moment: Moment::Before,
        };
        self.tick(&Besides {
            crashes: [("local", first)].into(),
            ..Besides::default()
        });
        for (side, own) in self.sides.all.iter().zip(&self.own) {
            let bytes = own.world.uploads[number].bytes.clone();
            let sent = side.try_object(object_request(&own.plans[number], bytes));
            // The node may not live to answer.
            let _ = sent.await;
            side.revive();
        }
        self.tell(&Besides::default());
    }

    /// The request of the command, in the words all surfaces share.
    async fn asked(&self, case: &Case) -> Result<Vec<Asked>, Difference> {
        let number = case.before.len();
        let step = |command: &Command| self.own[0].world.step(number, command);
        let (Step::Ask(asked) | Step::Fetch(asked)) = step(&case.command) else {
            unreachable!("bytes are sent to the store, not to a process of ours");
        };
        let asked = self.mailed(vec![asked; self.sides.all.len()]).await?;
        Ok(asked.into_iter().take(1).collect())
    }

    /// Sends a request until the application answers, and once more where it died over it.
    async fn send(&self, number: usize, side: &Side, asked: &Asked, crash: Option<Crash>) -> Went {
        let request = self.own[number].request(side, asked, self.trace(0));
        // What a retry noted the last time is not this request's.
        drop(calls(&side.file));
        let mut answer = side.try_call(request.clone()).await;
        let noted = calls(&side.file);
        let died = crash.is_some() && Order::read(&side.file).crash.is_none();
        if died {
            side.revive();
            answer = side.try_call(request.clone()).await;
        }
        for _ in 0..TRIES {
            match answer {
                Some(answer) if answer.header("x-request-id").is_some() => {
                    return Went {
                        answer,
                        died,
                        calls: noted,
                    };
                }
                _ => answer = side.try_call(request.clone()).await,
            }
        }
        panic!("{} answers no more: {}", side.name, side.last_lines());
    }
}
