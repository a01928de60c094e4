//! Nodes that borrow slices of one store: what they let pass together, what they ask, and what they give back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use palisade_conformance::{Random, block_on, rate_limit::History};
use palisade_core::{
    Clock as _, Decision, Dimension, Key, ManualClock, StoreError, StoreErrorKind,
};
use palisade_rate_limit::{
    Allowed, Charge, CheckRequest, Denied, InMemory, LeaseConfig, Leased, Limit, MemoryConfig,
    RateLimiter, RateLimiterExt as _, ReserveRequest, SettleRequest, Settled, Source,
};

/// The store of all nodes, which counts what it is asked and can be away.
#[derive(Clone)]
struct Store {
    memory: Arc<InMemory<ManualClock>>,
    reserves: Arc<AtomicU64>,
    away: Arc<AtomicBool>,
}

impl Store {
    fn new(clock: &ManualClock) -> Self {
        let config = MemoryConfig::new().with_capacity(1_024);
        Self {
            memory: Arc::new(InMemory::new(config, clock.clone()).unwrap()),
            reserves: Arc::default(),
            away: Arc::default(),
        }
    }

    fn node(&self, clock: &ManualClock, slice: u64) -> Leased<Self, ManualClock> {
        let config = LeaseConfig::default().with_slice(slice).with_time(TIME);
        Leased::new(self.clone(), clock.clone(), config)
    }

    fn there(&self) -> Result<(), StoreError> {
        match self.away.load(Ordering::Relaxed) {
            true => Err(StoreError::new(StoreErrorKind::Unavailable, "asking")),
            false => Ok(()),
        }
    }
}

impl RateLimiter for Store {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        self.there()?;
        self.reserves.fetch_add(1, Ordering::Relaxed);
        self.memory.reserve(request).await
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        self.there()?;
        self.memory.settle(request).await
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        self.memory.reset(limit, key).await
    }
}

const TIME: Duration = Duration::from_secs(1);

fn ask(
    limiter: &impl RateLimiter,
    limit: &Limit,
    key: &Key,
    cost: u64,
) -> Decision<Allowed, Denied> {
    let charge = Charge::new(limit, key, cost);
    block_on(limiter.check(CheckRequest::one(&charge))).unwrap()
}

fn left(store: &Store, limit: &Limit, key: &Key) -> u64 {
    ask(&*store.memory, limit, key, 0)
        .allowed()
        .unwrap()
        .binding()
        .remaining
}

#[test]
fn in_every_interval_all_nodes_together_keep_the_stated_bound() {
    let second = Duration::from_secs(1);
    for (seed, limit) in [
        Limit::per_second("bucket", 50).unwrap(),
        Limit::per_second("tight", 20)
            .unwrap()
            .with_burst(200)
            .unwrap(),
        Limit::sliding_log("log", 100, second).unwrap(),
        Limit::fixed_window("fixed", 100, 2 * second).unwrap(),
        Limit::sliding_window("sliding", 100, 2 * second).unwrap(),
    ]
    .into_iter()
    .enumerate()
    {
        let clock = ManualClock::default();
        let store = Store::new(&clock);
        let nodes: Vec<_> = (0..5).map(|_| store.node(&clock, 16)).collect();
        let mut random = Random::new(seed as u64);
        let mut history = History::new();
        let key = Key::global();
        for step in 0..6_000 {
            let millis = match random.below(50) {
                0 => random.below(3_000),
                1..=30 => 0,
                _ => random.below(10),
            };
            clock.advance(Duration::from_millis(millis));
            let node = &nodes[random.below(5) as usize];
            let cost = 1 + random.below(3);
            if ask(node, &limit, &key, cost).is_allow() {
                let now = clock.instant().as_nanos();
                history.admitted(now, now, cost);
            }
            if step % 500 == 499 {
                block_on(node.give_back()).unwrap();
            }
        }
        assert!(history.len() > 400, "{}", history.len());
        palisade_conformance::suite::hold(history.check(&limit, TIME, 0));
        // The other half of the bound: a slice of sixteen requests of three units for each node.
        palisade_conformance::suite::hold(history.check(&limit, Duration::ZERO, 5 * 16 * 3));
    }
}

#[test]
fn a_hot_key_asks_the_store_once_a_slice() {
    let clock = ManualClock::default();
    let store = Store::new(&clock);
    let node = store.node(&clock, 32);
    let (limit, key) = (Limit::per_second("hot", 1_000_000).unwrap(), Key::global());
    for _ in 0..10_000 {
        assert!(ask(&node, &limit, &key, 1).is_allow());
    }
    let asked = store.reserves.load(Ordering::Relaxed);
    assert!(asked <= 10_000 / 32, "{asked}");
    let counts = node.counts();
    assert_eq!((counts.local + counts.asked, counts.asked), (10_000, asked));
    assert_eq!(
        ask(&node, &limit, &key, 1).allowed().map(|a| a.source()),
        Some(Source::Lease)
    );
}

#[test]
fn near_the_limit_slices_shrink_and_every_last_unit_is_found_by_whoever_asks() {
    let clock = ManualClock::default();
    let store = Store::new(&clock);
    let nodes = [store.node(&clock, 64), store.node(&clock, 64)];
    let (limit, key) = (Limit::per_hour("small", 100).unwrap(), Key::global());
    let passed = |node: &Leased<Store, ManualClock>, times| {
        (0..times)
            .filter(|_| ask(node, &limit, &key, 1).is_allow())
            .count()
    };
    let first = passed(&nodes[0], 70);
    assert_eq!(first, 70);
    let in_hand = nodes[0].counts().on_lease;
    assert!(in_hand <= 8, "a quarter of what was left, found {in_hand}");
    assert_eq!(passed(&nodes[1], 100) as u64 + in_hand, 30);
    assert_eq!(passed(&nodes[0], 100) as u64, in_hand);
}

#[test]
fn a_refusal_is_the_stores_and_is_told_without_asking_until_it_ends() {
    let clock = ManualClock::default();
    let store = Store::new(&clock);
    let node = store.node(&clock, 8);
    let (limit, key) = (
        Limit::per_minute("chat", 60)
            .unwrap()
            .with_burst(1)
            .unwrap(),
        Key::global(),
    );
    assert!(ask(&node, &limit, &key, 1).is_allow());
    let denied = ask(&node, &limit, &key, 1).denied().unwrap();
    assert_eq!(denied.source(), Source::Store);
    let asked = store.reserves.load(Ordering::Relaxed);
    clock.advance(Duration::from_millis(400));
    for _ in 0..100 {
        let denied = ask(&node, &limit, &key, 1).denied().unwrap();
        assert_eq!(denied.source(), Source::Lease);
        assert_eq!(
            denied.retry_after().duration(),
            Some(Duration::from_millis(600))
        );
    }
    assert_eq!(store.reserves.load(Ordering::Relaxed), asked);
    clock.advance(Duration::from_millis(600));
    assert!(ask(&node, &limit, &key, 1).is_allow());
}

#[test]
fn what_is_not_spent_comes_back_and_what_a_dead_node_had_counts_as_used() {
    let clock = ManualClock::default();
    let store = Store::new(&clock);
    let (limit, key) = (Limit::per_hour("all", 1_000).unwrap(), Key::global());
    let use_some = |node: &Leased<Store, ManualClock>| {
        for _ in 0..50 {
            assert!(ask(node, &limit, &key, 1).is_allow());
        }
    };
    let node = store.node(&clock, 32);
    use_some(&node);
    assert!(node.counts().on_lease > 0);
    block_on(node.give_back()).unwrap();
    assert_eq!(
        (left(&store, &limit, &key), node.counts().on_lease),
        (950, 0)
    );

    let dies = store.node(&clock, 32);
    use_some(&dies);
    let lost = dies.counts().on_lease;
    drop(dies);
    assert_eq!(left(&store, &limit, &key), 900 - lost);
}

#[test]
fn a_slice_is_not_spent_after_its_time() {
    let clock = ManualClock::default();
    let store = Store::new(&clock);
    let node = store.node(&clock, 32);
    let (limit, key) = (Limit::per_hour("all", 1_000).unwrap(), Key::global());
    for _ in 0..20 {
        assert!(ask(&node, &limit, &key, 1).is_allow());
    }
    let on_lease = node.counts().on_lease;
    assert!(on_lease > 0);
    let asked = store.reserves.load(Ordering::Relaxed);
    clock.advance(TIME);
    assert!(ask(&node, &limit, &key, 1).is_allow());
    assert_eq!(store.reserves.load(Ordering::Relaxed), asked + 1);
}

#[test]
fn several_limits_are_spent_from_slices_together_or_not_at_all() {
    let clock = ManualClock::default();
    let store = Store::new(&clock);
    let node = store.node(&clock, 32);
    let wide = Limit::per_hour("wide", 10_000).unwrap();
    let tight = Limit::per_hour("tight", 100).unwrap();
    let key = Key::global();
    let both = [Charge::new(&wide, &key, 10), Charge::new(&tight, &key, 1)];
    let passed = (0..300)
        .filter(|_| {
            block_on(node.check(CheckRequest::new(&both).unwrap()))
                .unwrap()
                .is_allow()
        })
        .count();
    assert_eq!(passed, 100);
    block_on(node.give_back()).unwrap();
    assert_eq!(
        (left(&store, &wide, &key), left(&store, &tight, &key)),
        (9_000, 0)
    );
}

#[test]
fn a_reset_forgets_what_is_on_lease_too() {
    let clock = ManualClock::default();
    let store = Store::new(&clock);
    let node = store.node(&clock, 32);
    let (limit, key) = (Limit::per_hour("all", 100).unwrap(), Key::global());
    while ask(&node, &limit, &key, 1).is_allow() {}
    block_on(node.reset(&limit, &key)).unwrap();
    assert_eq!(left(&store, &limit, &key), 100);
    assert!(
        ask(&node, &limit, &key, 1).is_allow(),
        "the refusal is forgotten"
    );
}

#[test]
fn a_node_remembers_no_more_keys_than_it_may_and_asks_about_the_others() {
    let clock = ManualClock::default();
    let store = Store::new(&clock);
    let config = LeaseConfig::default().with_keys_max(4).with_time(TIME);
    let node = Leased::new(store.clone(), clock.clone(), config);
    let limit = Limit::per_hour("all", 1_000).unwrap();
    let keys: Vec<Key> = (0..100_u64)
        .map(|n| Key::new(Dimension::User, n.to_string()).unwrap())
        .collect();
    for _ in 0..20 {
        for key in &keys {
            assert!(ask(&node, &limit, key, 1).is_allow());
        }
    }
    block_on(node.give_back()).unwrap();
    for key in &keys {
        assert_eq!(left(&store, &limit, key), 980);
    }
}

#[test]
fn while_the_store_is_away_what_is_on_lease_is_still_spent() {
    let clock = ManualClock::default();
    let store = Store::new(&clock);
    let node = store.node(&clock, 32);
    let (limit, key) = (Limit::per_hour("all", 1_000).unwrap(), Key::global());
    for _ in 0..50 {
        assert!(ask(&node, &limit, &key, 1).is_allow());
    }
    let on_lease = node.counts().on_lease;
    store.away.store(true, Ordering::Relaxed);
    let charge = Charge::new(&limit, &key, 1);
    let request = CheckRequest::one(&charge);
    let answered = (0..100)
        .filter(|_| block_on(node.check(request)).is_ok())
        .count();
    assert_eq!(answered as u64, on_lease);
}
