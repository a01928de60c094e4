//! A ledger that borrows keeps every rule of the kit, whatever it borrows from, and several of them on one store never
//! spend more than there is.

use std::{
    future::{Future, Ready, ready},
    time::Duration,
};

use palisade_conformance::{block_on, quota::Setup};
use palisade_core::{
    Clock as _, Decision, Dimension, Key, ManualClock, StoreErrorKind, Timestamp, Tokens,
};
use palisade_quota::{
    Amount, Defaults, Exchange, InMemory, LeaseConfig, LeaseEntry, LeaseTask, Leased, LesseeId,
    Quota, QuotaLedger as _, QuotaLender as _, ReservationId, ReserveRequest, SettleRequest,
};
use proptest::prelude::*;

type Store = InMemory<ManualClock>;
type Node = Leased<Store, ManualClock>;

fn leased(setup: Setup) -> Ready<Node> {
    let store = InMemory::new(setup.clock.clone(), setup.defaults);
    ready(node(&store, &setup.clock).0)
}

mod rules {
    palisade_conformance::quota_ledger_suite!(super::leased);
    palisade_conformance::quota_breadth_suite!(super::leased);
}

mod lender {
    palisade_conformance::quota_lender_suite!(super::in_memory);
}

fn in_memory(setup: Setup) -> Ready<Store> {
    ready(InMemory::new(setup.clock, setup.defaults))
}

fn node(store: &Store, clock: &ManualClock) -> (Node, LeaseTask<Store, ManualClock>) {
    Leased::new(store.clone(), clock.clone(), LeaseConfig::default()).expect("randomness")
}

fn tokens(count: i64) -> Amount {
    Amount::from_columns(count, 0).expect("not negative")
}

fn user() -> Key {
    Key::new(Dimension::User, "a").expect("short")
}

fn org() -> Key {
    Key::new(Dimension::Org, "o").expect("short")
}

fn id(bits: u128) -> ReservationId {
    ReservationId::from_u128(bits)
}

fn request(bits: u128, ask: Amount) -> ReserveRequest {
    ReserveRequest::new(id(bits), [user(), org()], ask).expect("two scopes")
}

/// A store where everybody has 1,000 tokens a day, at noon.
fn store() -> (Store, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_secs(1_795_176_000));
    let quota = Quota::default()
        .with_tokens(Some(Tokens::new(1_000)))
        .expect("small");
    let store = InMemory::new(clock.clone(), Defaults::new(quota));
    (store, clock)
}

fn stands(store: &Store) -> (u64, u64) {
    let balance = block_on(store.balance(&user())).expect("in memory");
    (balance.spent.tokens().get(), balance.held.tokens().get())
}

fn take(node: &Node, bits: u128, count: i64) -> bool {
    block_on(node.reserve(request(bits, tokens(count))))
        .expect("in memory")
        .is_allow()
}

fn settle(node: &Node, bits: u128, count: i64) {
    block_on(node.settle(SettleRequest::new(id(bits), tokens(count)))).expect("in memory");
}

fn flush(node: &Node) {
    block_on(node.flush()).expect("in memory");
}

#[test]
fn a_lone_call_borrows_what_it_reserves_and_gives_back_what_it_did_not_spend() {
    let (store, clock) = store();
    let (node, _task) = node(&store, &clock);
    assert!(take(&node, 1, 100));
    assert_eq!(stands(&store), (0, 100));
    settle(&node, 1, 30);
    assert_eq!(
        stands(&store),
        (0, 100),
        "the store hears of it in the round"
    );
    flush(&node);
    assert_eq!(stands(&store), (30, 0));
}

#[test]
fn demand_is_served_from_a_slice_and_what_it_leaves_is_given_back() {
    let (store, clock) = store();
    let (node, _task) = node(&store, &clock);
    for bits in 0..10 {
        assert!(take(&node, bits, 10));
        settle(&node, bits, 10);
    }
    flush(&node);
    let (spent, held) = stands(&store);
    assert_eq!(spent, 100);
    assert!(
        (1..=225).contains(&held),
        "{held} in hand, at most a quarter of the rest"
    );
    for bits in 10..13 {
        assert!(take(&node, bits, 10));
    }
    assert_eq!(stands(&store), (spent, held), "not asked again");
    for bits in 10..13 {
        settle(&node, bits, 10);
    }
    flush(&node);
    flush(&node);
    assert_eq!(stands(&store), (130, 0));
}

#[test]
fn the_last_token_is_found_wherever_it_is_on_lease_in_this_node() {
    let (store, clock) = store();
    let (node, _task) = node(&store, &clock);
    for bits in 0..50 {
        assert!(take(&node, bits, 10));
        settle(&node, bits, 10);
    }
    flush(&node);
    let mut bits = 50;
    while take(&node, bits, 1) {
        bits += 1;
    }
    assert_eq!(bits, 550, "500 spent, 500 times 1 reserved");
}

#[test]
fn a_node_that_dies_is_charged_what_it_had_and_never_less_than_it_spent() {
    let (store, clock) = store();
    let (node, task) = node(&store, &clock);
    assert!(take(&node, 1, 100) && take(&node, 2, 50));
    settle(&node, 1, 80);
    drop((node, task));
    let (spent, held) = stands(&store);
    assert_eq!(spent, 0);
    assert!(held >= 130, "{held}");
    clock.advance(Duration::from_secs(61));
    assert_eq!(stands(&store), (held, 0), "what was held is shown as spent");
}

#[test]
fn a_node_that_was_thought_dead_finds_its_leases_again() {
    let (store, clock) = store();
    let (node, _task) = node(&store, &clock);
    assert!(take(&node, 1, 100));
    clock.advance(Duration::from_secs(61));
    assert_eq!(stands(&store), (100, 0));
    settle(&node, 1, 30);
    flush(&node);
    assert_eq!(stands(&store), (30, 0));
}

#[test]
fn a_cost_beyond_the_lease_is_in_the_store_before_anybody_is_told() {
    let (store, clock) = store();
    let (node, _task) = node(&store, &clock);
    assert!(take(&node, 1, 10));
    settle(&node, 1, 5_000);
    assert_eq!(stands(&store), (5_000, 0));
    assert!(!take(&node, 2, 1));
}

#[test]
fn exchanges_that_fail_take_no_room() {
    let (store, _clock) = store();
    let exchange = |lessee, spent| {
        let entry = |spent| LeaseEntry::look(user()).spent(spent);
        let entries = vec![entry(tokens(1)), entry(spent)];
        let lessee = LesseeId::from_u128(lessee);
        let exchange = Exchange::new(lessee, 1, Duration::from_secs(60), entries);
        block_on(store.exchange(exchange.expect("two entries")))
    };
    for lessee in 0..2_000 {
        let error = exchange(lessee, Amount::MAX).expect_err("the sum leaves its range");
        assert_eq!(error.kind(), StoreErrorKind::Invalid);
    }
    assert_eq!(stands(&store), (0, 0));
    assert!(exchange(2_000, tokens(1)).is_ok());
    assert_eq!(stands(&store), (2, 0));
}

#[test]
fn the_task_tells_the_store_every_round_and_says_a_last_word() {
    let (store, clock) = store();
    let (node, task) = node(&store, &clock);
    let mut run = Box::pin(task.run(clock.clone()));
    let mut step = || {
        clock.advance(Duration::from_millis(50));
        let waker = std::task::Waker::noop();
        run.as_mut()
            .poll(&mut std::task::Context::from_waker(waker))
    };
    assert!(step().is_pending());
    for bits in 0..4 {
        assert!(take(&node, bits, 10));
        settle(&node, bits, 9);
    }
    assert!(step().is_pending());
    assert!(step().is_pending());
    assert_eq!(stands(&store).0, 36);
    assert!(take(&node, 4, 10));
    settle(&node, 4, 9);
    drop(node);
    while step().is_pending() {}
    assert_eq!(stands(&store), (45, 0));
}

/// What a player may do with one of the nodes.
#[derive(Clone, Debug)]
enum Move {
    Reserve { node: usize, ask: i64 },
    Settle { which: usize, actual: i64 },
    Release { which: usize },
    Flush { node: usize },
    Die { node: usize },
    Wait { seconds: u64 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let node = 0..3_usize;
    let one = prop_oneof![
        6 => (node.clone(), 1..200_i64).prop_map(|(node, ask)| Move::Reserve { node, ask }),
        5 => (any::<usize>(), 0..200_i64).prop_map(|(which, actual)| Move::Settle { which, actual }),
        1 => any::<usize>().prop_map(|which| Move::Release { which }),
        2 => node.clone().prop_map(|node| Move::Flush { node }),
        1 => node.prop_map(|node| Move::Die { node }),
        1 => (0..90_u64).prop_map(|seconds| Move::Wait { seconds }),
    ];
    proptest::collection::vec(one, 1..120)
}

proptest! {
    #[test]
    fn nodes_that_share_a_store_never_reserve_more_than_there_is(moves in moves()) {
        let (store, clock) = store();
        let fresh = || node(&store, &clock).0;
        let mut nodes = [fresh(), fresh(), fresh()];
        // Which node, id, ask.
        let mut open: Vec<(usize, u128, i64)> = Vec::new();
        let (mut next, mut told, mut lost) = (0, 0, false);
        for step in moves {
            match step {
                Move::Reserve { node, ask } => {
                    next += 1;
                    let asked = block_on(nodes[node].reserve(request(next, tokens(ask))));
                    if matches!(asked, Ok(Decision::Allow(_))) {
                        open.push((node, next, ask));
                    }
                }
                Move::Settle { which, actual } if !open.is_empty() => {
                    let (node, bits, ask) = open.swap_remove(which % open.len());
                    let actual = actual.min(ask);
                    settle(&nodes[node], bits, actual);
                    told += actual;
                }
                Move::Release { which } if !open.is_empty() => {
                    let (node, bits, _) = open.swap_remove(which % open.len());
                    prop_assert!(block_on(nodes[node].release(id(bits))).is_ok());
                }
                Move::Flush { node } => flush(&nodes[node]),
                Move::Die { node } => {
                    nodes[node] = fresh();
                    open.retain(|(of, ..)| *of != node);
                    lost = true;
                }
                Move::Wait { seconds } => {
                    clock.advance(Duration::from_secs(seconds));
                }
                Move::Settle { .. } | Move::Release { .. } => {}
            }
            let balance = block_on(store.balance(&user())).expect("in memory");
            let (spent, held) = (balance.spent.tokens().get(), balance.held.tokens().get());
            let live: i64 = open.iter().map(|(.., ask)| ask).sum();
            prop_assert!(spent + held <= 1_000, "{spent} spent and {held} held of 1000");
            prop_assert!(i64::try_from(spent + held).expect("small") >= told + live);
        }
        for (node, bits, ask) in open.drain(..) {
            settle(&nodes[node], bits, ask);
            told += ask;
        }
        for node in &nodes {
            flush(node);
            flush(node);
        }
        let (spent, held) = stands(&store);
        if !lost {
            prop_assert_eq!((i64::try_from(spent).expect("small"), held), (told, 0));
        }
        prop_assert!(clock.now() < Timestamp::from_secs(1_795_176_000 + 43_200));
    }
}
