//! Whatever happens to a reservation, its hold is resolved: once, and never for less than it may have cost.

use std::{
    future::{Future, pending},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_conformance::block_on;
use palisade_core::{Decision, Dimension, Key, ManualClock, StoreError, StoreErrorKind, Timestamp};
use palisade_quota::{
    Amount, Balance, Defaults, Granted, InMemory, Outcome, Quota, QuotaLedger, Refused,
    Reservation, ReservationId, ReserveRequest, Resolution, SettleRequest, Settler, SettlerTask,
};

/// A ledger that can be told to fail or to hang, after it has acted or before.
#[derive(Clone)]
struct Flaky {
    ledger: InMemory<ManualClock>,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicU32>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Well,
    /// The answer is lost: it acts, and times out.
    ActsAndTimesOut,
    Down,
    Refuses,
    /// It acts, and never answers.
    ActsAndHangs,
    Hangs,
}

impl Flaky {
    async fn ask<T>(
        &self,
        act: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mood = *self.mood.lock().expect("no test fails while it holds this");
        match mood {
            Mood::Well => return act.await,
            Mood::ActsAndTimesOut | Mood::ActsAndHangs => drop(act.await?),
            Mood::Down | Mood::Refuses | Mood::Hangs => {}
        }
        match mood {
            Mood::Refuses => Err(StoreError::new(StoreErrorKind::Corrupt, "testing")),
            Mood::ActsAndHangs | Mood::Hangs => pending().await,
            _ => Err(StoreError::new(StoreErrorKind::Timeout, "testing")),
        }
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().expect("no test fails while it holds this") = mood;
    }

    fn stands(&self, spent: i64, held: i64) {
        let balance = block_on(self.ledger.balance(&user())).expect("an answer");
        assert_eq!((balance.spent, balance.held), (tokens(spent), tokens(held)));
    }
}

impl QuotaLedger for Flaky {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        self.ask(self.ledger.reserve(request)).await
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        self.ask(self.ledger.settle(request)).await
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        self.ask(self.ledger.release(id)).await
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        self.ledger.balance(scope).await
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        self.ledger.set_quota(scope, quota).await
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        self.ledger.expire(limit).await
    }
}

struct Bench {
    ledger: Flaky,
    clock: ManualClock,
    settler: Settler,
    task: SettlerTask<Flaky>,
}

impl Bench {
    fn new(capacity: usize) -> Self {
        let clock = ManualClock::at(Timestamp::from_secs(1_795_176_000));
        let ledger = Flaky {
            ledger: InMemory::new(clock.clone(), Defaults::default()),
            mood: Arc::new(Mutex::new(Mood::Well)),
            asked: Arc::default(),
        };
        let (settler, task) = Settler::new(ledger.clone(), capacity);
        Self {
            ledger,
            clock,
            settler,
            task,
        }
    }

    fn take(&self, bits: u128) -> Result<Reservation<Flaky>, StoreError> {
        let taken = block_on(Reservation::take(
            self.ledger.clone(),
            &self.settler,
            request(bits),
        ))?;
        Ok(taken.allowed().expect("a million tokens allow a hundred"))
    }

    /// Ends the service: no handle is left, and the task works off the queue. Gives back the ledger.
    fn finish(self) -> Flaky {
        drop(self.settler);
        block_on(self.task.run(self.clock));
        self.ledger
    }
}

fn user() -> Key {
    Key::new(Dimension::User, "a").expect("short")
}

fn tokens(count: i64) -> Amount {
    Amount::from_columns(count, 0).expect("not negative")
}

fn request(bits: u128) -> ReserveRequest {
    let id = ReservationId::from_u128(bits);
    ReserveRequest::new(id, [user()], tokens(100)).expect("one scope")
}

/// Polls once, expects it to wait, and drops it: what a host does whose client has left.
fn abandon(future: impl Future) {
    let mut future = pin!(future);
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
}

#[test]
fn settled_or_released_it_leaves_nothing_to_the_queue() {
    let bench = Bench::new(8);
    let settled = block_on(bench.take(1).unwrap().settle(tokens(30))).expect("an answer");
    assert_eq!(
        settled.outcome,
        Outcome::Settled {
            actual: tokens(30),
            late: false
        }
    );
    let released = block_on(bench.take(2).unwrap().release()).expect("an answer");
    assert_eq!(released.outcome, Outcome::Released);
    assert_eq!(bench.settler.counts().waiting, 0);
    bench.finish().stands(30, 0);
}

#[test]
fn dropped_before_the_call_began_it_costs_nothing() {
    let bench = Bench::new(8);
    drop(bench.take(1).unwrap());
    assert_eq!(bench.settler.counts().waiting, 1);
    bench.finish().stands(0, 0);
}

#[test]
fn dropped_after_the_call_began_it_costs_what_was_reserved() {
    let bench = Bench::new(8);
    let mut reservation = bench.take(1).unwrap();
    reservation.begin();
    drop(reservation);
    bench.finish().stands(100, 0);
}

#[test]
fn dropped_in_mid_stream_it_costs_the_larger_of_known_and_expected() {
    for (expected, known, cost) in [(40, 10, 40), (40, 70, 70), (0, 0, 0), (40, 250, 250)] {
        let bench = Bench::new(8);
        let mut reservation = bench.take(1).unwrap();
        reservation.expect(tokens(expected));
        reservation.observe(tokens(known));
        // What is known never shrinks: a provider that reports less later has not given anything back.
        reservation.observe(tokens(0));
        drop(reservation);
        bench.finish().stands(cost, 0);
    }
}

#[test]
fn an_explicit_zero_is_booked_as_zero_and_a_missing_usage_is_not() {
    let bench = Bench::new(8);
    let mut zero = bench.take(1).unwrap();
    zero.begin();
    block_on(zero.settle(Amount::ZERO)).expect("an answer");
    bench.ledger.stands(0, 0);
    let mut missing = bench.take(2).unwrap();
    missing.begin();
    missing.expect(tokens(60));
    block_on(missing.settle_uncertain()).expect("an answer");
    bench.finish().stands(60, 0);
}

#[test]
fn a_refusal_leaves_nothing_behind() {
    let bench = Bench::new(8);
    let most = ReserveRequest::new(ReservationId::from_u128(1), [user()], Amount::MAX);
    let taken = block_on(Reservation::take(
        bench.ledger.clone(),
        &bench.settler,
        most.unwrap(),
    ));
    assert!(taken.expect("an answer").is_deny());
    assert_eq!(bench.settler.counts().waiting, 0);
    bench.finish().stands(0, 0);
}

#[test]
fn a_reservation_whose_answer_was_lost_is_released() {
    let bench = Bench::new(8);
    bench.ledger.set(Mood::ActsAndTimesOut);
    assert!(bench.take(1).is_err());
    bench.ledger.stands(0, 100);
    bench.ledger.set(Mood::ActsAndHangs);
    abandon(Reservation::take(
        bench.ledger.clone(),
        &bench.settler,
        request(2),
    ));
    bench.ledger.stands(0, 200);
    bench.ledger.set(Mood::Well);
    bench.finish().stands(0, 0);
}

#[test]
fn a_settlement_that_fails_or_is_abandoned_is_made_again_and_booked_once() {
    for mood in [
        Mood::ActsAndTimesOut,
        Mood::Down,
        Mood::ActsAndHangs,
        Mood::Hangs,
    ] {
        let bench = Bench::new(8);
        let reservation = bench.take(1).unwrap();
        bench.ledger.set(mood);
        if matches!(mood, Mood::ActsAndHangs | Mood::Hangs) {
            abandon(reservation.settle(tokens(30)));
        } else {
            assert!(block_on(reservation.settle(tokens(30))).is_err());
        }
        assert_eq!(bench.settler.counts().waiting, 1);
        bench.ledger.set(Mood::Well);
        bench.finish().stands(30, 0);
    }
}

#[test]
fn a_full_queue_loses_countably_and_the_hold_expires() {
    let bench = Bench::new(2);
    for bits in 0..5 {
        drop(bench.take(bits).unwrap());
    }
    let counts = bench.settler.counts();
    assert_eq!((counts.waiting, counts.lost_full), (2, 3));
    let clock = bench.clock.clone();
    let ledger = bench.finish();
    ledger.stands(0, 300);
    clock.advance(ReserveRequest::TIMEOUT_DEFAULT);
    ledger.stands(0, 0);
}

#[test]
fn without_its_task_the_queue_loses_countably() {
    let Bench {
        ledger,
        settler,
        task,
        ..
    } = Bench::new(8);
    let take = |bits| {
        let taken = block_on(Reservation::take(ledger.clone(), &settler, request(bits)));
        taken.expect("an answer").allowed().expect("enough")
    };
    drop(take(1));
    drop(task);
    drop(take(2));
    let counts = settler.counts();
    assert_eq!((counts.waiting, counts.lost_gone), (0, 2));
}

#[test]
fn a_task_that_is_dropped_at_work_counts_what_it_had_in_hand() {
    let Bench {
        ledger,
        clock,
        settler,
        task,
    } = Bench::new(8);
    let taken = block_on(Reservation::take(ledger.clone(), &settler, request(1)));
    drop(taken);
    ledger.set(Mood::Hangs);
    abandon(task.run(clock));
    assert_eq!(settler.counts().lost_gone, 1);
}

#[test]
fn a_store_in_passing_trouble_is_asked_again_after_a_pause_and_not_for_ever() {
    let Bench {
        ledger,
        clock,
        settler,
        task,
    } = Bench::new(8);
    let taken = block_on(Reservation::take(ledger.clone(), &settler, request(1)));
    drop(taken);
    ledger.set(Mood::Down);
    let before = ledger.asked.load(Ordering::Relaxed);
    let mut run = pin!(task.run(clock.clone()));
    let mut cx = Context::from_waker(Waker::noop());
    let tick = Duration::from_nanos(1);
    let mut pause = Duration::from_millis(100);
    for attempts in 1..8 {
        assert!(run.as_mut().poll(&mut cx).is_pending());
        assert_eq!(ledger.asked.load(Ordering::Relaxed) - before, attempts);
        // Each pause is twice as long as the one before, to the tick.
        clock.advance(pause - tick);
        assert!(run.as_mut().poll(&mut cx).is_pending());
        assert_eq!(ledger.asked.load(Ordering::Relaxed) - before, attempts);
        clock.advance(tick);
        pause *= 2;
    }
    assert!(run.as_mut().poll(&mut cx).is_pending());
    let counts = settler.counts();
    assert_eq!((counts.retried, counts.failed, counts.done), (7, 1, 0));
    // Trouble that does not pass is not asked about twice.
    ledger.set(Mood::Well);
    let taken = block_on(Reservation::take(ledger.clone(), &settler, request(2)));
    drop(taken);
    ledger.set(Mood::Refuses);
    assert!(run.as_mut().poll(&mut cx).is_pending());
    assert_eq!(settler.counts().failed, 2);
    drop(settler);
    assert_eq!(run.as_mut().poll(&mut cx), Poll::Ready(()));
}

#[test]
fn promises_about_types_hold() {
    fn sent<T: Send + 'static>(_: &T) {}
    let bench = Bench::new(1);
    let clock = bench.clock.clone();
    let take = Reservation::take(bench.ledger.clone(), &bench.settler, request(1));
    sent(&bench.ledger);
    fn is_send<T: Send>(_: &T) {}
    is_send(&take);
    drop(take);
    let reservation = bench.take(2).unwrap();
    sent(&reservation);
    sent(&reservation.settle(Amount::ZERO));
    sent(&bench.task.run(clock));
}
