//! What threads share, under a model checker that tries every order of their steps.
//!
//! Built and run by `cargo xtask ci races`, which sets `--cfg palisade_loom`; empty otherwise.

#![cfg(palisade_loom)]

use std::{future::Future, pin::pin, task::Context, time::Duration};

use loom::{future::block_on, model, sync::Arc, thread};
use palisade_core::{Decision, Dimension, Instant, Key, ManualClock};
use palisade_resilience::{
    Adaptation, AdaptiveConfig, AdaptiveLimit, Breaker, BreakerConfig, BreakerEvents, Bulkhead,
    ErrorKind, Failure, Phase, PushbackGate, RetryBudget, RetryBudgetConfig, RetryBudgets, Window,
};

const SECOND: Duration = Duration::from_secs(1);
const NOW: Instant = Instant::ORIGIN;

fn breaker(config: BreakerConfig) -> (Breaker<ManualClock>, ManualClock) {
    let clock = ManualClock::default();
    let policy = config.with_open_jitter(0).build().unwrap();
    (Breaker::new(Key::global(), policy, clock.clone()), clock)
}

fn config() -> BreakerConfig {
    BreakerConfig::default()
        .with_window(Window::Calls(4))
        .with_minimum_calls(1)
        .with_failure_rate(101)
        .with_probes(1, 60 * SECOND)
}

fn down() -> Failure {
    Failure::new(ErrorKind::Unavailable)
}

fn call(breaker: &Breaker<ManualClock>, well: bool) {
    if let Decision::Allow(permit) = breaker.admit() {
        permit.outcome((!well).then(down).as_ref());
    }
}

#[test]
fn no_call_is_lost_or_counted_twice() {
    model(|| {
        let (breaker, _clock) = breaker(config());
        let others = [true, false].map(|well| {
            let breaker = breaker.clone();
            thread::spawn(move || call(&breaker, well))
        });
        call(&breaker, true);
        for other in others {
            other.join().unwrap();
        }
        let counts = breaker.status().counts;
        assert_eq!((counts.calls, counts.failed), (3, 1));
    });
}

#[test]
fn a_success_that_races_with_the_opening_counts_nowhere_later() {
    model(|| {
        let (breaker, clock) = breaker(config().with_consecutive_failures(1));
        let late = breaker.admit().allowed().unwrap();
        let other = {
            let breaker = breaker.clone();
            thread::spawn(move || {
                call(&breaker, false);
                // Back to closed, two generations later.
                clock.advance(5 * SECOND);
                call(&breaker, true);
            })
        };
        late.success();
        other.join().unwrap();
        let status = breaker.status();
        assert_eq!((status.phase, status.counts.calls), (Phase::Closed, 0));
    });
}

#[test]
fn successes_around_the_turn_of_a_window_are_all_there() {
    model(|| {
        let window = Window::Time(16 * SECOND);
        let (breaker, clock) = breaker(config().with_window(window));
        let other = {
            let breaker = breaker.clone();
            thread::spawn(move || {
                call(&breaker, true);
                clock.advance(SECOND);
                call(&breaker, true);
            })
        };
        call(&breaker, true);
        other.join().unwrap();
        assert_eq!(breaker.status().counts.calls, 3);
    });
}

#[test]
fn one_trial_call_at_a_time_and_a_dropped_one_makes_room() {
    model(|| {
        let (breaker, clock) = breaker(config().with_consecutive_failures(1));
        call(&breaker, false);
        clock.advance(5 * SECOND);
        let ask = |breaker: &Breaker<ManualClock>| breaker.admit().allowed();
        let other = {
            let breaker = breaker.clone();
            thread::spawn(move || ask(&breaker))
        };
        let mine = ask(&breaker);
        let theirs = other.join().unwrap();
        assert!(mine.is_some() != theirs.is_some());
        drop((mine, theirs));
        assert!(ask(&breaker).is_some());
    });
}

#[test]
fn two_that_open_it_open_it_once() {
    model(|| {
        let (breaker, _clock) = breaker(config().with_consecutive_failures(1));
        let permits = [(); 2].map(|()| breaker.admit().allowed().unwrap());
        let threads = permits.map(|permit| thread::spawn(move || permit.failure(&down())));
        for thread in threads {
            thread.join().unwrap();
        }
        let status = breaker.status();
        assert_eq!((status.opened, status.changes), (1, 1));
    });
}

#[test]
fn whoever_is_turned_away_is_counted_and_a_released_breaker_turns_nobody_away() {
    model(|| {
        let (breaker, clock) = breaker(config().with_consecutive_failures(1));
        call(&breaker, false);
        let other = {
            let breaker = breaker.clone();
            thread::spawn(move || {
                // Its time is over, somebody tries, and it is open once more.
                clock.advance(5 * SECOND);
                call(&breaker, false);
                assert!(breaker.admit().is_deny());
                breaker.release();
                assert!(breaker.admit().is_allow());
            })
        };
        let mine = breaker.admit().denied();
        other.join().unwrap();
        if let Some(wait) = mine.and_then(|denied| denied.retry_after.duration()) {
            assert!(wait <= 10 * SECOND);
        }
        assert!(breaker.admit().is_allow());
        let refused = breaker.status().refused;
        assert!(refused >= 1 + u64::from(mine.is_some()) && refused <= 2);
    });
}

#[test]
fn a_place_that_becomes_free_wakes_whoever_waits() {
    model(|| {
        let bulkhead = Bulkhead::new(1).unwrap().with_queue(4, SECOND).unwrap();
        let held = bulkhead.enter().allowed();
        let other = thread::spawn(move || drop(held));
        // Were the wake-up lost, this would never end.
        let slot = block_on(bulkhead.wait(&ManualClock::default())).allowed();
        assert!(slot.is_some());
        other.join().unwrap();
    });
}

#[test]
fn no_place_is_lost_between_a_handover_and_a_time_out_or_a_drop() {
    for times_out in [true, false] {
        model(move || {
            let timer = ManualClock::default();
            let bulkhead = Bulkhead::new(1).unwrap().with_queue(4, SECOND).unwrap();
            let held = bulkhead.enter().allowed();
            {
                let mut waiting = pin!(bulkhead.wait(&timer));
                let mut cx = Context::from_waker(std::task::Waker::noop());
                assert!(waiting.as_mut().poll(&mut cx).is_pending());
                let other = thread::spawn(move || drop(held));
                if times_out {
                    timer.advance(SECOND);
                    // With a place or without one: either way it is over.
                    assert!(waiting.as_mut().poll(&mut cx).is_ready());
                    other.join().unwrap();
                } else {
                    drop(other);
                }
            }
            // The other thread may still be about to give the place back.
            let slot = block_on(bulkhead.wait(&timer)).allowed();
            assert!(slot.is_some());
        });
    }
}

#[test]
fn a_limit_that_is_taught_by_two_at_once_is_the_one_they_learnt() {
    model(|| {
        let config = AdaptiveConfig::new(Adaptation::Aimd)
            .with_range(1, 2, 8)
            .with_keep(50);
        let clock = ManualClock::default();
        let limit = AdaptiveLimit::new(config.build().unwrap(), clock.clone());
        let slots = [(); 2].map(|()| limit.enter().allowed().unwrap());
        clock.advance(SECOND);
        let [first, second] = slots;
        let other = thread::spawn(move || first.outcome(Some(&down())));
        second.success();
        other.join().unwrap();
        assert_eq!((limit.limit(), limit.busy()), (1, 0));
    });
}

#[test]
fn a_gate_that_was_shut_is_seen_by_whoever_comes_after() {
    model(|| {
        let gate = PushbackGate::new(ManualClock::default());
        let other = {
            let gate = gate.clone();
            thread::spawn(move || gate.push(&Key::global(), SECOND))
        };
        let _before_or_after = gate.ask(&Key::global());
        other.join().unwrap();
        assert!(gate.ask(&Key::global()).is_deny());
    });
}

#[test]
fn a_subscriber_that_goes_to_sleep_is_woken_by_the_next_change() {
    model(|| {
        let events = BreakerEvents::default();
        let mut changes = events.subscribe(4).unwrap();
        let policy = config().build().unwrap();
        let other = thread::spawn(move || {
            let observer = std::sync::Arc::new(events);
            Breaker::with_observer(Key::global(), policy, ManualClock::default(), observer)
                .force_open();
        });
        assert_eq!(block_on(changes.next_event()).change.to, Phase::ForcedOpen);
        other.join().unwrap();
    });
}

#[test]
fn a_budget_is_spent_once() {
    model(|| {
        let config = RetryBudgetConfig::default()
            .with_percent(0)
            .with_floor(1)
            .with_capacity(1);
        let budget = Arc::new(RetryBudget::new(config).unwrap());
        let other = {
            let budget = Arc::clone(&budget);
            thread::spawn(move || budget.withdraw(1, NOW))
        };
        let mine = budget.withdraw(1, NOW);
        let theirs = other.join().unwrap();
        assert!(!(mine && theirs), "one retry was paid for twice");
    });
}

/// A budget that begins with `units`, and saves up to `capacity`; each call brings a unit.
fn units(units: u32, capacity: u32) -> RetryBudgetConfig {
    RetryBudgetConfig::default()
        .with_percent(100)
        .with_floor(units)
        .with_capacity(capacity)
}

#[test]
fn two_parts_are_not_given_the_last_unit_of_the_whole_twice() {
    model(|| {
        let whole = Arc::new(RetryBudget::new(units(1, 1)).unwrap());
        let part = || {
            let part = RetryBudget::new(units(1, 1)).unwrap();
            Arc::new(part.within(Arc::clone(&whole)))
        };
        let (mine, theirs) = (part(), part());
        let other = {
            let theirs = Arc::clone(&theirs);
            thread::spawn(move || theirs.withdraw(1, NOW))
        };
        let won = [mine.withdraw(1, NOW), other.join().unwrap()];
        assert!(won[0] != won[1], "one of them, and only one: {won:?}");
        assert_eq!(whole.balance(NOW), 0);
        // Whoever was refused has what they had.
        let left = [mine.balance(NOW), theirs.balance(NOW)];
        assert_eq!(left, won.map(|won| u64::from(!won)));
    });
}

#[test]
fn what_a_part_takes_and_gives_back_is_neither_lost_nor_doubled() {
    model(|| {
        let whole = Arc::new(RetryBudget::new(units(1, 8)).unwrap());
        let part = RetryBudget::new(units(2, 8)).unwrap();
        let part = Arc::new(part.within(Arc::clone(&whole)));
        let other = {
            let part = Arc::clone(&part);
            thread::spawn(move || {
                part.deposit(1);
                part.withdraw(2, NOW)
            })
        };
        let mine = u64::from(part.withdraw(1, NOW));
        let theirs = 2 * u64::from(other.join().unwrap());
        assert!(mine + theirs <= 2, "the whole never had more");
        assert_eq!(whole.balance(NOW), 2 - mine - theirs);
        assert_eq!(part.balance(NOW), 3 - mine - theirs);
    });
}

#[test]
fn the_floor_of_a_second_is_paid_once_to_a_part_and_once_to_the_whole() {
    model(|| {
        let config = units(1, 8).with_percent(0);
        let whole = Arc::new(RetryBudget::new(config).unwrap());
        let part = RetryBudget::new(config.with_floor(8)).unwrap();
        let part = Arc::new(part.within(Arc::clone(&whole)));
        let later = NOW.saturating_add(SECOND);
        let other = {
            let part = Arc::clone(&part);
            thread::spawn(move || (0..2).filter(|_| part.withdraw(1, later)).count())
        };
        let mine = usize::from(part.withdraw(1, later));
        let theirs = other.join().unwrap();
        assert!(
            mine + theirs <= 2,
            "one it began with, and one for the second"
        );
        assert_eq!(whole.balance(later), 2 - (mine + theirs) as u64);
        assert_eq!(part.balance(later), 8 - (mine + theirs) as u64);
    });
}

fn tenant(name: &str) -> Key {
    Key::new(Dimension::Org, name).unwrap()
}

#[test]
fn a_tenant_who_comes_twice_at_once_has_one_budget() {
    model(|| {
        let budgets = Arc::new(RetryBudgets::new(units(3, 8), units(1, 8)).unwrap());
        let spend = |budgets: &RetryBudgets| budgets.of(&tenant("a"), NOW).withdraw(1, NOW);
        let other = {
            let budgets = Arc::clone(&budgets);
            thread::spawn(move || spend(&budgets))
        };
        let won = [spend(&budgets), other.join().unwrap()];
        assert!(won[0] != won[1], "{won:?}");
        assert_eq!(budgets.len(), 1);
        assert_eq!(budgets.whole().balance(NOW), 2);
    });
}

#[test]
fn a_budget_is_not_forgotten_while_it_is_being_spent() {
    model(|| {
        // One place, and both want it. Whoever does not get it is among the rest.
        let budgets = RetryBudgets::new(units(3, 8), units(1, 8)).unwrap();
        let budgets = Arc::new(budgets.with_limit(1).unwrap());
        let spend = |budgets: &RetryBudgets, name: &str| {
            let budget = budgets.of(&tenant(name), NOW);
            u64::from(budget.withdraw(1, NOW))
        };
        let other = {
            let budgets = Arc::clone(&budgets);
            thread::spawn(move || spend(&budgets, "b"))
        };
        let first = spend(&budgets, "a");
        let second = spend(&budgets, "a");
        let theirs = other.join().unwrap();
        assert_eq!((first, second), (1, 0), "it came back with a gift");
        assert_eq!(budgets.whole().balance(NOW), 3 - first - second - theirs);
    });
}
