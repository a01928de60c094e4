//! What a minute without the upstream does to a service, with and without each guard.
//!
//! A thousand clients ask every five seconds or so, whatever became of their last request. After a minute the upstream falls silent for another; then it is back with half
//! its capacity, which would be enough for what the clients ask, but not for what impatience makes of it. It works on what
//! it was asked even when nobody waits for the answer any more, as upstreams do.
//!
//! Time is simulated and chance is seeded, so each run is the same.
//!
//! `cargo run --release -p palisade-examples --example outage [-- --plot FILE.svg]`

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    error::Error,
    fmt::Write as _,
    time::Duration,
};

use palisade::{
    core::{Clock as _, Decision, Instant, Key, ManualClock},
    resilience::{
        Adaptation, AdaptiveConfig, AdaptiveLimit, AdaptiveSlot, Asked, Backoff, Breaker,
        BreakerConfig, ClientThrottle, ErrorKind, Failure, Permit, Random, RetryBudget,
        RetryBudgetConfig, ThrottleConfig, Wait,
    },
};

const CLIENTS: usize = 1_000;
const SECONDS: usize = 300;
const DEAD_FROM: u64 = 60;
const DEAD_UNTIL: u64 = 120;
/// 200 requests a second come when all is well; 200 calls at a time can be worked on, 500 a second.
const PAUSE: Duration = Duration::from_secs(5);
const WORK: Duration = Duration::from_millis(400);
const CAPACITY: usize = 200;
const TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 4;
const BUDGET_PERCENT: u32 = 20;

/// Which guards stand around the upstream.
#[derive(Clone, Copy, Default)]
struct Setup {
    name: &'static str,
    colour: &'static str,
    retries: bool,
    budget: bool,
    breaker: bool,
    adaptive: bool,
    throttle: bool,
}

const PLAIN: Setup = Setup {
    name: "one attempt, no guard",
    colour: "#888888",
    retries: false,
    budget: false,
    breaker: false,
    adaptive: false,
    throttle: false,
};

const SETUPS: [Setup; 7] = [
    PLAIN,
    Setup {
        name: "retries",
        colour: "#d62728",
        retries: true,
        ..PLAIN
    },
    Setup {
        name: "retries, budget",
        colour: "#ff7f0e",
        retries: true,
        budget: true,
        ..PLAIN
    },
    Setup {
        name: "retries, breaker",
        colour: "#9467bd",
        retries: true,
        breaker: true,
        ..PLAIN
    },
    Setup {
        name: "retries, adaptive limit",
        colour: "#8c564b",
        retries: true,
        adaptive: true,
        ..PLAIN
    },
    Setup {
        name: "retries, throttle",
        colour: "#1f77b4",
        retries: true,
        throttle: true,
        ..PLAIN
    },
    Setup {
        name: "retries, budget, breaker, adaptive limit",
        colour: "#2ca02c",
        retries: true,
        budget: true,
        breaker: true,
        adaptive: true,
        ..PLAIN
    },
];

/// What came of a setup.
struct Outcome {
    setup: Setup,
    requests: u64,
    attempts: u64,
    failed: u64,
    /// Attempts that went out and whose answer was of no use: lost in the dead upstream, or worked on for nobody.
    wasted: u64,
    /// Requests that ended well or badly, second by second.
    seconds: Vec<(u32, u32)>,
}

impl Outcome {
    /// How long after the upstream's return it took until ten seconds went by in which 99 of 100 requests were answered.
    fn recovered_after(&self) -> Option<u64> {
        let well = |from: &usize| {
            let ten = &self.seconds[*from..*from + 10];
            let (good, bad) = ten
                .iter()
                .fold((0, 0), |sum, second| (sum.0 + second.0, sum.1 + second.1));
            good > 1_000 && bad * 99 <= good
        };
        let after = (DEAD_UNTIL as usize..SECONDS - 10).find(well)?;
        Some(after as u64 - DEAD_UNTIL)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A client asks.
    Ask {
        client: usize,
    },
    /// A client tries again.
    Again {
        client: usize,
        number: u32,
    },
    /// The time of an attempt is over.
    TimedOut {
        attempt: usize,
    },
    /// The upstream is through with an attempt.
    Worked {
        attempt: usize,
    },
    Dies,
    Returns,
}

/// An attempt that has gone out.
struct Attempt {
    client: usize,
    number: u32,
    /// Nothing is awaited any more once they are gone.
    guards: Option<Guards>,
}

struct Guards {
    permit: Option<Permit<ManualClock>>,
    slot: Option<AdaptiveSlot<ManualClock>>,
    asked: Option<Asked<ManualClock>>,
}

struct World {
    outcome: Outcome,
    clock: ManualClock,
    random: Random,
    backoff: Backoff,
    budget: RetryBudget,
    breaker: Breaker<ManualClock>,
    limit: AdaptiveLimit<ManualClock>,
    throttle: ClientThrottle<ManualClock>,
    events: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    numbered: u64,
    attempts: Vec<Attempt>,
    // The upstream.
    alive: bool,
    capacity: usize,
    working: Vec<usize>,
    queue: VecDeque<usize>,
}

impl World {
    fn new(setup: Setup, seed: u64) -> Result<Self, Box<dyn Error>> {
        let clock = ManualClock::default();
        let breaker = BreakerConfig::default()
            .with_open_for(Duration::from_secs(5), Duration::from_secs(20))
            .with_open_jitter(0)
            .with_probes(3, Duration::from_secs(10))
            .with_ramp(10, Duration::from_secs(10));
        let adaptive = AdaptiveConfig::new(Adaptation::Aimd)
            .with_range(5, 100, 400)
            .with_drop_after(TIMEOUT);
        let budget = RetryBudgetConfig::default()
            .with_percent(BUDGET_PERCENT)
            .with_floor(1);
        Ok(Self {
            outcome: Outcome {
                setup,
                requests: 0,
                attempts: 0,
                failed: 0,
                wasted: 0,
                seconds: vec![(0, 0); SECONDS + 1],
            },
            random: Random::seeded(seed),
            backoff: Backoff::new(Duration::from_millis(200), Duration::from_secs(5))?,
            budget: RetryBudget::new(budget)?,
            breaker: Breaker::new(Key::global(), breaker.build()?, clock.clone()),
            limit: AdaptiveLimit::seeded(adaptive.build()?, clock.clone(), seed),
            throttle: ClientThrottle::with_random(
                ThrottleConfig::default(),
                clock.clone(),
                Random::seeded(seed),
            )?,
            clock,
            events: BinaryHeap::new(),
            numbered: 0,
            attempts: Vec::new(),
            alive: true,
            capacity: CAPACITY,
            working: Vec::new(),
            queue: VecDeque::new(),
        })
    }

    fn run(mut self) -> Outcome {
        for client in 0..CLIENTS {
            let first = self.chance(PAUSE);
            self.after(first, Event::Ask { client });
        }
        self.after(Duration::from_secs(DEAD_FROM), Event::Dies);
        self.after(Duration::from_secs(DEAD_UNTIL), Event::Returns);
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            let now = self.clock.instant();
            self.clock.advance(at.saturating_since(now));
            if at.as_nanos() >= SECONDS as u64 * 1_000_000_000 {
                break;
            }
            self.step(event);
        }
        self.outcome
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Ask { client } => {
                self.outcome.requests += 1;
                self.budget.deposit(1);
                let pause = PAUSE / 2 + self.chance(PAUSE);
                self.after(pause, Event::Ask { client });
                self.attempt(client, 1);
            }
            Event::Again { client, number } => self.attempt(client, number),
            Event::TimedOut { attempt } => {
                if let Some(guards) = self.attempts[attempt].guards.take() {
                    self.outcome.wasted += 1;
                    let Attempt { client, number, .. } = self.attempts[attempt];
                    self.failed(client, number, guards, ErrorKind::Timeout);
                }
            }
            Event::Worked { attempt } => {
                // What was worked on when it died never came back.
                if let Some(at) = self.working.iter().position(|other| *other == attempt) {
                    self.working.swap_remove(at);
                    if let Some(guards) = self.attempts[attempt].guards.take() {
                        guards.end(None);
                        self.answered(true);
                    }
                    self.work();
                }
            }
            Event::Dies => {
                self.alive = false;
                self.working.clear();
                self.queue.clear();
            }
            Event::Returns => {
                self.alive = true;
                self.capacity = CAPACITY / 2;
            }
        }
    }

    /// One attempt of a client's request, if the guards let it.
    fn attempt(&mut self, client: usize, number: u32) {
        let setup = self.outcome.setup;
        let asked = setup.throttle.then(|| self.throttle.ask());
        let permit = setup.breaker.then(|| self.breaker.admit());
        let slot = setup.adaptive.then(|| self.limit.enter());
        // Taken apart one by one: a permit that is not used goes back as a cancelled call.
        let (Some(asked), Some(permit), Some(slot)) = (unless(asked), unless(permit), unless(slot))
        else {
            // A refusal here costs nobody anything, and is not worth another attempt.
            self.answered(false);
            return;
        };
        self.outcome.attempts += 1;
        let attempt = self.attempts.len();
        let guards = Some(Guards {
            permit,
            slot,
            asked,
        });
        self.attempts.push(Attempt {
            client,
            number,
            guards,
        });
        self.after(TIMEOUT, Event::TimedOut { attempt });
        if self.alive {
            self.queue.push_back(attempt);
            self.work();
        }
    }

    fn failed(&mut self, client: usize, number: u32, guards: Guards, kind: ErrorKind) {
        let failure = Failure::new(kind);
        guards.end(Some(&failure));
        let setup = self.outcome.setup;
        let again = setup.retries
            && number < ATTEMPTS
            && (!setup.budget || self.budget.withdraw(1, self.clock.instant()));
        match self.backoff.wait(number, None, self.random.next()) {
            Wait::For(pause) if again => self.after(
                pause,
                Event::Again {
                    client,
                    number: number + 1,
                },
            ),
            _ => self.answered(false),
        }
    }

    /// A request is over.
    fn answered(&mut self, well: bool) {
        let second = self.clock.instant().as_nanos() / 1_000_000_000;
        let counts = &mut self.outcome.seconds[second as usize];
        if well {
            counts.0 += 1;
        } else {
            counts.1 += 1;
            self.outcome.failed += 1;
        }
    }

    /// Lets the upstream take up what it has room for.
    fn work(&mut self) {
        while self.working.len() < self.capacity {
            let Some(attempt) = self.queue.pop_front() else {
                return;
            };
            self.working.push(attempt);
            let time = WORK / 2 + self.chance(WORK);
            self.after(time, Event::Worked { attempt });
        }
    }

    fn after(&mut self, time: Duration, event: Event) {
        let at = self.clock.instant().saturating_add(time);
        self.numbered += 1;
        self.events.push(Reverse((at, self.numbered, event)));
    }

    /// Some time up to `most`.
    fn chance(&self, most: Duration) -> Duration {
        most.mul_f64((self.random.next() >> 11) as f64 / (1u64 << 53) as f64)
    }
}

impl Guards {
    fn end(self, failure: Option<&Failure>) {
        if let Some(permit) = self.permit {
            permit.outcome(failure);
        }
        if let Some(slot) = self.slot {
            slot.outcome(failure);
        }
        if let Some(asked) = self.asked {
            asked.outcome(failure);
        }
    }
}

/// Nothing if it was refused; otherwise what was given, if it was asked for.
fn unless<A, D>(asked: Option<Decision<A, D>>) -> Option<Option<A>> {
    match asked {
        None => Some(None),
        Some(Decision::Allow(given)) => Some(Some(given)),
        Some(Decision::Deny(_)) => None,
    }
}

fn table(outcomes: &[Outcome]) -> Result<String, std::fmt::Error> {
    let mut table = String::from(
        "| guards | requests | attempts | per request | wasted | failed requests | well again after |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for outcome in outcomes {
        let Outcome {
            setup,
            requests,
            attempts,
            wasted,
            failed,
            ..
        } = outcome;
        let each = attempts * 100 / requests;
        let after = match outcome.recovered_after() {
            Some(seconds) => format!("{seconds} s"),
            None => "never".to_owned(),
        };
        writeln!(
            table,
            "| {} | {requests} | {attempts} | {}.{:02} | {wasted} | {failed} | {after} |",
            setup.name,
            each / 100,
            each % 100
        )?;
    }
    Ok(table)
}

/// The answered requests of each second, as a drawing.
fn plot(outcomes: &[Outcome]) -> Result<String, std::fmt::Error> {
    const WIDTH: usize = 900;
    const HEIGHT: usize = 300;
    let (x, y) = (
        |second: usize| 50 + second * WIDTH / SECONDS,
        |rate: u32| 20 + HEIGHT - rate as usize * HEIGHT / 300,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 980 {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <rect x=\"{}\" y=\"20\" width=\"{}\" height=\"{HEIGHT}\" fill=\"#f3d9d9\"/>\n\
         <text x=\"{}\" y=\"34\">the upstream is dead</text><text x=\"{}\" y=\"34\">half its capacity</text>\n",
        HEIGHT + 60 + 16 * outcomes.len(),
        x(DEAD_FROM as usize),
        x(DEAD_UNTIL as usize) - x(DEAD_FROM as usize),
        x(DEAD_FROM as usize) + 6,
        x(DEAD_UNTIL as usize) + 6,
    );
    for rate in [0, 100, 200, 300] {
        writeln!(
            svg,
            "<text x=\"15\" y=\"{}\">{rate}</text><path d=\"M50 {}H950\" stroke=\"#dddddd\"/>",
            y(rate) + 4,
            y(rate)
        )?;
    }
    for second in (0..=SECONDS).step_by(60) {
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\">{second} s</text>",
            x(second) - 10,
            HEIGHT + 36
        )?;
    }
    for (row, outcome) in outcomes.iter().enumerate() {
        let mut points = String::new();
        // The mean of five seconds, so that the lines can be told apart.
        for second in 2..SECONDS - 2 {
            let five = outcome.seconds[second - 2..=second + 2].iter();
            write!(
                points,
                "{},{} ",
                x(second),
                y(five.map(|counts| counts.0).sum::<u32>() / 5)
            )?;
        }
        let (colour, below) = (outcome.setup.colour, HEIGHT + 56 + 16 * row);
        writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n\
             <path d=\"M50 {}h24\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"82\" y=\"{below}\">{}</text>",
            below - 4,
            outcome.setup.name
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let outcomes = SETUPS
        .into_iter()
        .map(|setup| Ok(World::new(setup, 20_261_120)?.run()))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    print!("{}", table(&outcomes)?);
    let mut arguments = std::env::args().skip_while(|argument| argument != "--plot");
    if let Some(file) = arguments.nth(1) {
        std::fs::write(file, plot(&outcomes)?)?;
    }

    // Whoever has a budget keeps it: a fifth more than was asked for, and one attempt a second besides.
    for outcome in outcomes.iter().filter(|outcome| outcome.setup.budget) {
        let most = outcome.requests * u64::from(100 + BUDGET_PERCENT) / 100 + SECONDS as u64;
        assert!(outcome.attempts <= most, "{} over {most}", outcome.attempts);
    }
    let by = |name| outcomes.iter().find(|outcome| outcome.setup.name == name);
    let (Some(naive), Some(guarded)) = (by("retries"), by(SETUPS[6].name)) else {
        return Err("a setup is missing".into());
    };
    assert_eq!(naive.recovered_after(), None, "retries alone keep it down");
    assert!(
        guarded
            .recovered_after()
            .is_some_and(|seconds| seconds <= 60)
    );
    assert!(guarded.wasted * 4 < naive.wasted);
    Ok(())
}
