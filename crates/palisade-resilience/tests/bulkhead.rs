//! What a bulkhead with a queue promises.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use palisade_core::{Decision, ManualClock};
use palisade_resilience::{Bulkhead, Busy, Failure, Fault, Slot};

const SECOND: Duration = Duration::from_secs(1);

type Waiting<'a> = Pin<Box<dyn Future<Output = Decision<Slot, Busy>> + 'a>>;

fn poll(waiting: &mut Waiting<'_>) -> Poll<Decision<Slot, Busy>> {
    waiting
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

fn allowed(waiting: &mut Waiting<'_>) -> Option<Slot> {
    match poll(waiting) {
        Poll::Ready(decision) => decision.allowed(),
        Poll::Pending => None,
    }
}

fn bulkhead(places: usize, queue: usize) -> (Bulkhead, ManualClock) {
    let bulkhead = Bulkhead::new(places).unwrap();
    let bulkhead = bulkhead.with_queue(queue, 10 * SECOND).unwrap();
    (bulkhead, ManualClock::default())
}

#[test]
fn those_who_wait_are_served_in_the_order_of_asking_and_nobody_overtakes() {
    let (bulkhead, timer) = bulkhead(1, 100);
    let mut held = bulkhead.enter().allowed();
    let mut queue: Vec<Waiting<'_>> = (0..50)
        .map(|_| Box::pin(bulkhead.wait(&timer)) as _)
        .collect();
    for waiting in &mut queue {
        assert!(poll(waiting).is_pending());
    }
    for served in 0..50 {
        drop(held.take());
        assert!(bulkhead.enter().is_deny(), "a newcomer overtook");
        for waiting in &mut queue[served + 1..] {
            assert!(poll(waiting).is_pending());
        }
        held = allowed(&mut queue[served]);
        assert!(held.is_some());
    }
}

#[test]
fn the_queue_has_a_bound_and_a_patience() {
    let (bulkhead, timer) = bulkhead(1, 2);
    let _held = bulkhead.enter().allowed();
    let mut first: Waiting<'_> = Box::pin(bulkhead.wait(&timer));
    let mut second: Waiting<'_> = Box::pin(bulkhead.wait_for(1, SECOND, &timer));
    let mut third: Waiting<'_> = Box::pin(bulkhead.wait(&timer));
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending());
    assert!(matches!(
        poll(&mut third),
        Poll::Ready(Decision::Deny(Busy::QueueFull))
    ));
    timer.advance(SECOND);
    assert!(matches!(
        poll(&mut second),
        Poll::Ready(Decision::Deny(Busy::TimedOut))
    ));
    timer.advance(8 * SECOND);
    assert!(poll(&mut first).is_pending());
    timer.advance(SECOND);
    assert!(matches!(
        poll(&mut first),
        Poll::Ready(Decision::Deny(Busy::TimedOut))
    ));
    assert_eq!(bulkhead.waiting(), 0);
    let failure = Failure::from(Busy::TimedOut);
    assert_eq!((failure.fault(), failure.is_retryable()), (Fault::Us, true));
}

#[test]
fn a_waiter_that_leaves_frees_its_place_in_the_queue_and_passes_on_what_it_was_given() {
    let (bulkhead, timer) = bulkhead(1, 2);
    let held = bulkhead.enter().allowed();
    let mut first: Waiting<'_> = Box::pin(bulkhead.wait(&timer));
    let mut second: Waiting<'_> = Box::pin(bulkhead.wait(&timer));
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending());
    drop(held);
    // The place is the first one's by now, who never looks again.
    drop(first);
    assert_eq!(bulkhead.waiting(), 0);
    let slot = allowed(&mut second);
    assert!(slot.is_some());
    assert_eq!(bulkhead.busy(), 1);
    drop(slot);
    assert_eq!(bulkhead.busy(), 0);
}

#[test]
fn a_place_that_comes_in_the_moment_of_the_time_out_is_taken() {
    let (bulkhead, timer) = bulkhead(1, 2);
    let held = bulkhead.enter().allowed();
    let mut waiting: Waiting<'_> = Box::pin(bulkhead.wait(&timer));
    assert!(poll(&mut waiting).is_pending());
    timer.advance(10 * SECOND);
    drop(held);
    assert!(allowed(&mut waiting).is_some());
    drop(waiting);
    assert_eq!(bulkhead.busy(), 0);
}

#[test]
fn a_heavy_call_is_not_starved_by_light_ones() {
    let (bulkhead, timer) = bulkhead(10, 1_000);
    let mut light: Vec<_> = (0..10)
        .map(|_| bulkhead.enter().allowed().unwrap())
        .collect();
    let mut heavy: Waiting<'_> = Box::pin(bulkhead.wait_for(9, 10 * SECOND, &timer));
    assert!(poll(&mut heavy).is_pending());
    // One leaves, one comes, as always.
    let mut behind = Vec::new();
    for left in (1..10).rev() {
        light.pop();
        assert!(bulkhead.enter().is_deny());
        let mut next: Waiting<'_> = Box::pin(bulkhead.wait(&timer));
        assert!(poll(&mut next).is_pending());
        behind.push(next);
        assert_eq!(allowed(&mut heavy).is_some(), left == 1);
    }
}

#[test]
fn what_is_larger_than_the_bulkhead_is_told_so_at_once() {
    let (bulkhead, timer) = bulkhead(10, 10);
    let mut huge: Waiting<'_> = Box::pin(bulkhead.wait_for(11, SECOND, &timer));
    let Poll::Ready(Decision::Deny(busy)) = poll(&mut huge) else {
        panic!("it can never pass")
    };
    assert_eq!(busy, Busy::TooLarge);
    assert!(!Failure::from(busy).is_retryable());
}

#[test]
fn a_higher_limit_lets_the_waiting_in_and_a_lower_one_cuts_nobody_off() {
    let (bulkhead, timer) = bulkhead(1, 10);
    let first = bulkhead.enter().allowed();
    let mut waiting: Waiting<'_> = Box::pin(bulkhead.wait(&timer));
    assert!(poll(&mut waiting).is_pending());
    bulkhead.set_limit(2).unwrap();
    let second = allowed(&mut waiting);
    assert!(second.is_some());
    bulkhead.set_limit(1).unwrap();
    assert_eq!((bulkhead.busy(), bulkhead.limit()), (2, 1));
    drop(first);
    assert!(bulkhead.enter().is_deny());
    drop(second);
    assert!(bulkhead.enter().is_allow());
    assert!(bulkhead.set_limit(0).is_err());
}

#[test]
fn another_one_like_it_has_places_of_its_own() {
    let bulkhead = Bulkhead::new(1).unwrap();
    let _held = bulkhead.enter().allowed();
    let another = bulkhead.another();
    assert!(bulkhead.clone().enter().is_deny());
    assert_eq!((another.limit(), another.busy()), (1, 0));
}

#[test]
fn without_a_queue_full_means_no() {
    let bulkhead = Bulkhead::new(1).unwrap();
    let timer = ManualClock::default();
    let _held = bulkhead.enter().allowed();
    let mut asked: Waiting<'_> = Box::pin(bulkhead.wait(&timer));
    assert!(matches!(
        poll(&mut asked),
        Poll::Ready(Decision::Deny(Busy::NoPlace))
    ));
    assert!(bulkhead.clone().with_queue(1, Duration::ZERO).is_err());
}

#[test]
fn a_waiter_is_woken_when_its_place_comes() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let (bulkhead, timer) = bulkhead(1, 10);
    let held = bulkhead.enter().allowed();
    let mut waiting: Waiting<'_> = Box::pin(bulkhead.wait(&timer));
    let (old, new) = (
        Arc::new(Count(AtomicUsize::new(0))),
        Arc::new(Count(AtomicUsize::new(0))),
    );
    // It moves to another task between two polls; only the last one is called.
    for count in [&old, &new] {
        let waker = Waker::from(Arc::clone(count));
        assert!(
            waiting
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    drop(held);
    assert_eq!(
        (old.0.load(Ordering::Relaxed), new.0.load(Ordering::Relaxed)),
        (0, 1)
    );
}
