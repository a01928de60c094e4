//! Seeded simulations of clients, networks and clocks that misbehave, with an auditor who adds everything up after each
//! step.
//!
//! 300 of them by default; `PALISADE_SIMULATIONS=10000` plays more, `PALISADE_SEED=…` the same ones again.

use std::{collections::HashMap, time::Duration};

use palisade_conformance::{Random, block_on, seed};
use palisade_core::{Clock as _, Decision, Dimension, Key, ManualClock, Timestamp, Tokens};
use palisade_quota::{
    Amount, Bounds, Defaults, InMemory, LeaseConfig, Leased, Outcome, Quota, QuotaLedger,
    ReservationId, ReserveRequest, SettleRequest,
};

/// 2026-11-20T22:00:00Z: midnight is near.
const EVENING: Timestamp = Timestamp::from_secs(1_795_212_000);
const LIMIT: i64 = 200;
const STEPS: u32 = 120;

type Store = InMemory<ManualClock>;

/// Something on its way. It may come late, twice, after what was sent later, or never.
#[derive(Clone)]
enum Message {
    Reserve(ReserveRequest),
    Settle(ReservationId, i64),
    Release(ReservationId),
}

/// A hold as the auditor knows it.
struct Known {
    scopes: Vec<Key>,
    ask: i64,
    /// The start of the day it was granted in.
    day: Timestamp,
    deadline: Timestamp,
    /// How it ended, once.
    ended: Option<Outcome>,
}

struct World {
    random: Random,
    clock: ManualClock,
    scopes: Vec<Key>,
    on_the_way: Vec<Message>,
    known: HashMap<ReservationId, Known>,
    next: u128,
}

fn tokens(count: i64) -> Amount {
    Amount::from_columns(count, 0).expect("not negative")
}

fn quota() -> Quota {
    let limit = Tokens::new(LIMIT.unsigned_abs());
    Quota::UNLIMITED.with_tokens(Some(limit)).expect("small")
}

impl World {
    fn new(seed: u64) -> Self {
        let key = |dimension, name| Key::new(dimension, name).expect("short");
        Self {
            random: Random::new(seed),
            clock: ManualClock::at(EVENING),
            scopes: vec![
                key(Dimension::User, "a"),
                key(Dimension::User, "b"),
                key(Dimension::Org, "o"),
            ],
            on_the_way: Vec::new(),
            known: HashMap::new(),
            next: 0,
        }
    }

    fn store(&self) -> Store {
        // A message is never older than what is remembered.
        let bounds = Bounds::default().with_remember(Duration::from_secs(30 * 86_400));
        InMemory::with_bounds(self.clock.clone(), Defaults::new(quota()), bounds)
    }

    fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.random.below(end.unsigned_abs())).unwrap_or(0)
    }

    /// A client asks for something, perhaps twice.
    fn ask(&mut self) {
        let id = ReservationId::from_u128(self.next);
        self.next += 1;
        let mut scopes = self.scopes.clone();
        scopes.retain(|_| !self.random.one_in(3));
        if scopes.is_empty() {
            scopes.push(self.scopes[0].clone());
        }
        let ask = 1 + self.below(40);
        let timeout = Duration::from_secs(1 + self.random.below(3_600));
        let request = ReserveRequest::new(id, scopes, tokens(ask))
            .and_then(|request| request.with_timeout(timeout))
            .expect("a few scopes");
        self.send(Message::Reserve(request));
    }

    fn send(&mut self, message: Message) {
        if self.random.one_in(5) {
            self.on_the_way.push(message.clone());
        }
        if !self.random.one_in(12) {
            self.on_the_way.push(message);
        }
    }

    /// Any message arrives, not the first.
    fn arrives(&mut self) -> Option<Message> {
        let count = u64::try_from(self.on_the_way.len()).ok()?;
        if count == 0 {
            return None;
        }
        let at = usize::try_from(self.random.below(count)).ok()?;
        Some(self.on_the_way.swap_remove(at))
    }

    async fn deliver(&mut self, ledger: &impl QuotaLedger, message: Message) {
        match message {
            Message::Reserve(request) => {
                let answer = ledger
                    .reserve(request.clone())
                    .await
                    .expect("memory is there");
                let Decision::Allow(granted) = answer else {
                    return;
                };
                let ask = request.ask().to_columns().0;
                if granted.repeated {
                    assert!(
                        self.known.contains_key(&granted.id),
                        "it was granted before"
                    );
                    return;
                }
                let known = Known {
                    scopes: request.scopes().to_vec(),
                    ask,
                    day: quota().window(self.clock.now()).start(),
                    deadline: granted.deadline,
                    ended: None,
                };
                assert!(
                    self.known.insert(granted.id, known).is_none(),
                    "granted twice"
                );
                // The client may also have died, or lost its head.
                let cost = self.below(ask + 1);
                match self.random.below(8) {
                    0 => {}
                    1 => self.send(Message::Release(granted.id)),
                    2 => {
                        self.send(Message::Release(granted.id));
                        self.send(Message::Settle(granted.id, cost));
                    }
                    _ => self.send(Message::Settle(granted.id, cost)),
                }
            }
            Message::Settle(id, cost) => {
                let settle = SettleRequest::new(id, tokens(cost));
                let found = ledger.settle(settle).await.expect("memory is there");
                self.ended(id, found.outcome, found.earlier);
            }
            Message::Release(id) => {
                let found = ledger.release(id).await.expect("memory is there");
                self.ended(id, found.outcome, found.earlier);
            }
        }
    }

    /// Each hold ends once, and whoever asks later hears the same.
    fn ended(&mut self, id: ReservationId, outcome: Outcome, earlier: bool) {
        let now = self.clock.now();
        let Some(known) = self.known.get_mut(&id) else {
            return;
        };
        match (&known.ended, earlier) {
            (None | Some(Outcome::Expired), false) => {
                let is_late = matches!(outcome, Outcome::Settled { late: true, .. });
                assert_eq!(is_late, now >= known.deadline, "{id}: {outcome:?}");
                known.ended = Some(outcome);
            }
            (None, true) => {
                assert_eq!(
                    outcome,
                    Outcome::Expired,
                    "{id} ended without anybody's word"
                );
                assert!(now >= known.deadline);
                known.ended = Some(outcome);
            }
            (Some(before), _) => {
                assert!(earlier, "{id} ended twice: {before:?}, then {outcome:?}");
                assert_eq!(*before, outcome, "{id} ended otherwise");
            }
        }
    }

    /// What the auditor finds in one scope today: booked, booked late, and held.
    fn sums(&self, scope: &Key) -> (i64, i64, i64) {
        let now = self.clock.now();
        let today = quota().window(now).start();
        let (mut spent, mut late_sum, mut held) = (0, 0, 0);
        for known in self.known.values() {
            if known.day != today || !known.scopes.contains(scope) {
                continue;
            }
            match known.ended {
                Some(Outcome::Settled { actual, late }) => {
                    spent += actual.to_columns().0;
                    late_sum += if late { actual.to_columns().0 } else { 0 };
                }
                None if now < known.deadline => held += known.ask,
                _ => {}
            }
        }
        (spent, late_sum, held)
    }

    /// `exactly`: the ledger shows what the auditor knows and not a unit more.
    async fn audit(&self, ledger: &impl QuotaLedger, exactly: bool) {
        for scope in &self.scopes {
            let balance = ledger.balance(scope).await.expect("memory is there");
            let (spent, held) = (balance.spent.to_columns().0, balance.held.to_columns().0);
            let (booked, late, holding) = self.sums(scope);
            // A cost that came when its hold had expired was paid all the same.
            assert!(
                spent + held <= LIMIT + late,
                "{scope}: {spent} spent and {held} held of {LIMIT}, {late} late"
            );
            if exactly {
                assert_eq!((spent, held), (booked, holding), "{scope}");
            } else {
                // A late cost may take the room that a live hold of the same node stood in: until the hold ends, the two
                // share it, and the cost beyond is a debt.
                assert!(
                    spent + held + late >= booked + holding,
                    "{scope}: {spent} spent and {held} held, of {booked} booked and {holding} holding"
                );
            }
        }
    }
}

async fn direct(seed: u64) {
    let mut world = World::new(seed);
    let store = world.store();
    for _ in 0..STEPS {
        match world.random.below(10) {
            0..=3 => world.ask(),
            4..=7 => {
                if let Some(message) = world.arrives() {
                    world.deliver(&store, message).await;
                }
            }
            8 => {
                // The clock jumps, over deadlines and over midnight.
                let jump = Duration::from_secs(world.random.below(7_200));
                world.clock.advance(jump);
            }
            _ => {
                store.expire(2).await.expect("memory is there");
            }
        }
        world.audit(&store, true).await;
    }
}

/// The same through nodes that borrow, die and are replaced. What is on loan when one dies is charged, so the store shows
/// as much as the auditor knows or more, and never more than there is.
async fn borrowed(seed: u64) {
    let mut world = World::new(seed);
    let store = world.store();
    let node = || {
        let config = LeaseConfig::default().with_ttl(Duration::from_secs(30));
        Leased::new(store.clone(), world.clock.clone(), config)
            .expect("there is randomness")
            .0
    };
    let mut nodes = [node(), node()];
    let fresh = |clock: &ManualClock| {
        let config = LeaseConfig::default().with_ttl(Duration::from_secs(30));
        Leased::new(store.clone(), clock.clone(), config)
            .expect("there is randomness")
            .0
    };
    // Where a hold was taken, its end is sent.
    let mut homes: HashMap<ReservationId, usize> = HashMap::new();
    for _ in 0..STEPS {
        match world.random.below(12) {
            0..=3 => world.ask(),
            4..=8 => {
                if let Some(message) = world.arrives() {
                    let id = match &message {
                        Message::Reserve(request) => request.id(),
                        Message::Settle(id, _) | Message::Release(id) => *id,
                    };
                    let any = usize::from(world.random.one_in(2));
                    let home = *homes.entry(id).or_insert(any);
                    if home < nodes.len() {
                        world.deliver(&nodes[home], message).await;
                    }
                }
            }
            9 => {
                let jump = Duration::from_secs(world.random.below(600));
                world.clock.advance(jump);
            }
            10 => {
                let any = usize::from(world.random.one_in(2));
                nodes[any].flush().await.expect("memory is there");
            }
            _ if world.random.one_in(4) => {
                // One dies, without a last word. Nobody speaks for its holds any more.
                let dead = usize::from(world.random.one_in(2));
                nodes[dead] = fresh(&world.clock);
                for (id, home) in &mut homes {
                    if *home == dead {
                        *home = usize::MAX;
                        // What it had booked stays booked.
                        if world
                            .known
                            .get(id)
                            .is_some_and(|known| known.ended.is_none())
                        {
                            world.known.remove(id);
                        }
                    }
                }
            }
            _ => {}
        }
        world.audit(&store, false).await;
    }
}

fn simulations() -> u64 {
    let wanted = std::env::var("PALISADE_SIMULATIONS").ok();
    wanted.map_or(300, |wanted| {
        wanted.parse().expect("a number of simulations")
    })
}

fn play<F: Future<Output = ()>>(simulate: impl Fn(u64) -> F) {
    let first = seed();
    for round in 0..simulations() {
        let seed = first.wrapping_add(round);
        let played =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(simulate(seed))));
        assert!(
            played.is_ok(),
            "PALISADE_SEED={seed} PALISADE_SIMULATIONS=1"
        );
    }
}

#[test]
fn every_hold_ends_once_and_every_sum_is_that_of_the_log() {
    play(direct);
}

#[test]
fn nodes_that_die_lose_nothing_and_lend_nobody_what_is_not_there() {
    play(borrowed);
}
