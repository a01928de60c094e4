//! What a queue promises to those who wait in it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Decision, Key, ManualClock};
use palisade_rate_limit::{
    Allowed, Charge, CheckRequest, InMemory, Limit, MemoryConfig, Queue, ReserveRequest, Waited,
};

const SECOND: Duration = Duration::from_secs(1);

struct House {
    clock: ManualClock,
    limiter: InMemory<ManualClock>,
    queue: Queue<ManualClock, ManualClock>,
    limit: Limit,
    key: Key,
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Decision<Allowed, Waited>> + 'a>>;

/// One a second, ten at once, of which all ten are taken.
fn house() -> House {
    let clock = ManualClock::default();
    let house = House {
        limiter: InMemory::new(MemoryConfig::new(), clock.clone()).unwrap(),
        queue: Queue::new(3, clock.clone(), clock.clone()),
        limit: Limit::per_second("x", 1).unwrap().with_burst(10).unwrap(),
        key: Key::global(),
        clock,
    };
    assert!(poll(&mut house.wait(10, SECOND)).unwrap().is_allow());
    house
}

impl House {
    fn wait(&self, cost: u64, patience: Duration) -> Waiting<'_> {
        Box::pin(async move {
            let charge = Charge::new(&self.limit, &self.key, cost);
            let request = ReserveRequest::check(CheckRequest::one(&charge));
            let answer = self.queue.reserve(&self.limiter, request, patience).await;
            answer.unwrap()
        })
    }
}

fn poll(waiting: &mut Waiting<'_>) -> Option<Decision<Allowed, Waited>> {
    match waiting
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

#[test]
fn a_large_request_is_not_starved_by_small_ones_behind_it() {
    let house = house();
    let (mut large, mut small) = (house.wait(9, 60 * SECOND), house.wait(1, 60 * SECOND));
    assert!(poll(&mut large).is_none() && poll(&mut small).is_none());
    for _ in 0..8 {
        house.clock.advance(SECOND);
        assert!(poll(&mut small).is_none(), "it slipped past");
        assert!(poll(&mut large).is_none());
    }
    house.clock.advance(SECOND);
    assert!(poll(&mut large).unwrap().is_allow());
    assert!(poll(&mut small).is_none());
    house.clock.advance(SECOND);
    assert!(poll(&mut small).unwrap().is_allow());
}

#[test]
fn nobody_waits_beyond_the_deadline_or_for_nothing() {
    let house = house();
    for (cost, patience) in [(3, 2 * SECOND), (11, 60 * SECOND)] {
        let answer = poll(&mut house.wait(cost, patience)).unwrap().denied();
        assert!(matches!(answer, Some(Waited::Refused(_))), "{answer:?}");
    }
    let (mut first, mut second) = (house.wait(5, 5 * SECOND), house.wait(1, 3 * SECOND));
    assert!(poll(&mut first).is_none() && poll(&mut second).is_none());
    house.clock.advance(3 * SECOND);
    assert_eq!(poll(&mut second).unwrap().denied(), Some(Waited::TimedOut));
    house.clock.advance(2 * SECOND);
    assert!(poll(&mut first).unwrap().is_allow());
    drop((first, second));
    assert!(house.queue.is_empty());
}

#[test]
fn a_full_queue_says_so_and_a_waiter_who_leaves_makes_room() {
    let house = house();
    let mut waiting: Vec<_> = (0..3).map(|_| house.wait(1, 60 * SECOND)).collect();
    assert!(waiting.iter_mut().all(|waiter| poll(waiter).is_none()));
    let one_more = poll(&mut house.wait(1, SECOND)).unwrap().denied();
    assert_eq!(one_more, Some(Waited::Full));
    // The first leaves while it sleeps; the second moves up.
    drop(waiting.remove(0));
    assert_eq!(house.queue.len(), 2);
    let mut last = house.wait(1, 60 * SECOND);
    assert!(poll(&mut last).is_none());
    house.clock.advance(SECOND);
    assert!(poll(&mut waiting[0]).unwrap().is_allow());
    assert!(poll(&mut waiting[1]).is_none());
}
