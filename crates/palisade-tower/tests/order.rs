//! The guards of one upstream stand in one order, be they layers or the room's composed policy.

#![cfg(feature = "full")]

mod common;

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use common::{Reply, Step as Piece, Upstream, call, now};
use http::Request;
use palisade_core::{Key, ManualClock};
use palisade_resilience::{
    Adaptation, AdaptiveConfig, AdaptiveLimit, AsFailure, BreakerConfig, BreakerRegistry, Bulkhead,
    Call, ClientThrottle, ConcurrencyConfig, ErrorKind, Failure, GateConfig, Idempotency, Phase,
    Policy, PolicyConfig, PushbackGate, Step, ThrottleConfig,
};
use palisade_tower::{
    AdmitLayer, BreakerLayer, Gate, LearnedPlaces, Places, Time, around_breaker, find,
};
use tower_layer::Layer as _;

const SECOND: Duration = Duration::from_secs(1);

type Asked = Pin<Box<dyn Future<Output = Result<(), ErrorKind>>>>;

/// The guards around one upstream, and how to call it through them.
struct Walk {
    gate: PushbackGate<ManualClock>,
    bulkhead: Bulkhead,
    adaptive: AdaptiveLimit<ManualClock>,
    breaker: palisade_resilience::Breaker<ManualClock>,
    throttle: ClientThrottle<ManualClock>,
    ask: Box<dyn Fn() -> Asked>,
}

/// What stands in the way of a call.
type Blocked = Box<dyn std::any::Any>;

fn config() -> PolicyConfig {
    let mut gate = GateConfig::default();
    gate.patience = Duration::ZERO;
    let mut concurrency = ConcurrencyConfig::new(1);
    concurrency.queue = 1;
    concurrency.patience = 60 * SECOND;
    PolicyConfig::new("acme")
        .with_gate(gate)
        .with_concurrency(concurrency)
        .with_adaptive(AdaptiveConfig::new(Adaptation::Aimd).with_range(1, 1, 1))
        .with_breaker(BreakerConfig::default())
        .with_throttle(ThrottleConfig::default().with_refuse_max(99))
}

fn policy(clock: &ManualClock) -> (Arc<Policy<ManualClock>>, Walk) {
    let policy = Arc::new(Policy::new(config(), Key::global(), clock.clone()).unwrap());
    let (asked, timer) = (Arc::clone(&policy), clock.clone());
    let walk = Walk {
        gate: policy.gate().unwrap().clone(),
        bulkhead: policy.bulkhead().unwrap().clone(),
        adaptive: policy.adaptive().unwrap().clone(),
        breaker: policy.breaker().unwrap().clone(),
        throttle: policy.throttle().unwrap().clone(),
        ask: Box::new(move || {
            let (policy, timer) = (Arc::clone(&asked), timer.clone());
            Box::pin(async move {
                let well = |_| async { Ok::<(), Failure>(()) };
                let call = Call::new(Idempotency::Declared);
                let ended = policy.run(call, &AsFailure, &timer, well).await;
                ended.map_err(|gave_up| gave_up.failure.kind())
            })
        }),
    };
    (policy, walk)
}

fn layers(clock: &ManualClock) -> Walk {
    let time = Time::new(clock.clone(), clock.clone());
    let gate = PushbackGate::new(clock.clone());
    let queued = Bulkhead::new(1).unwrap().with_queue(1, 60 * SECOND);
    let bulkhead = queued.unwrap();
    let range = AdaptiveConfig::new(Adaptation::Aimd).with_range(1, 1, 1);
    let adaptive = AdaptiveLimit::new(range.build().unwrap(), clock.clone());
    let config = ThrottleConfig::default().with_refuse_max(99);
    let throttle = ClientThrottle::new(config, clock.clone()).unwrap();
    let breaker = BreakerConfig::default().build().unwrap();
    let breakers = Arc::new(BreakerRegistry::new(breaker, clock.clone()));
    let waits = (
        Gate::new(gate.clone(), Duration::ZERO, time.clone()),
        (
            Places::new(bulkhead.clone(), time.clone()),
            LearnedPlaces::new(adaptive.clone(), 1, 60 * SECOND, time.clone()),
        ),
    );
    let classify = palisade_tower::Upstream::new(clock.clone());
    let guards = around_breaker(
        AdmitLayer::new(waits, time.clone()),
        BreakerLayer::new(Arc::clone(&breakers), classify),
        AdmitLayer::new(throttle.clone(), time),
    );
    let service = guards.layer(Upstream::new([Reply::json("{}")]));
    Walk {
        gate,
        bulkhead,
        adaptive,
        breaker: breakers.breaker(&Key::global()).allowed().unwrap(),
        throttle,
        ask: Box::new(move || {
            let service = service.clone();
            Box::pin(async move {
                let kind = |error: &_| find::<Failure>(error).expect("a failure").kind();
                let asked = call(&service, Request::new(())).await;
                asked.map(drop).map_err(|error| kind(&*error))
            })
        }),
    }
}

impl Walk {
    /// Lets nothing past this guard.
    fn block(&self, step: Step) -> Blocked {
        match step {
            Step::Gate => self.gate.push(&Key::global(), SECOND),
            Step::Concurrency => return Box::new(self.bulkhead.enter().allowed()),
            Step::Adaptive => return Box::new(self.adaptive.enter().allowed()),
            Step::Breaker => self.breaker.force_open(),
            Step::Throttle => {
                let overloaded = Failure::new(ErrorKind::Overloaded);
                for _ in 0..1_000 {
                    if let Some(asked) = self.throttle.ask().allowed() {
                        asked.outcome(Some(&overloaded));
                    }
                }
            }
            other => panic!("{other:?} blocks nothing"),
        }
        Box::new(())
    }

    /// At which guard a call ends, or waits.
    fn stops_at(&self) -> Option<Step> {
        let mut asked = (self.ask)();
        let mut cx = Context::from_waker(Waker::noop());
        // The upstream takes a few polls.
        let mut ended = Poll::Pending;
        for _ in 0..8 {
            if ended.is_pending() {
                ended = asked.as_mut().poll(&mut cx);
            }
        }
        match ended {
            Poll::Pending => match (self.bulkhead.waiting(), self.adaptive.waiting()) {
                (1, 0) => Some(Step::Concurrency),
                (0, 1) => Some(Step::Adaptive),
                both => panic!("it waits, but where? {both:?}"),
            },
            Poll::Ready(Ok(())) => None,
            Poll::Ready(Err(ErrorKind::RateLimited)) => Some(Step::Gate),
            Poll::Ready(Err(ErrorKind::CircuitOpen)) => Some(Step::Breaker),
            Poll::Ready(Err(ErrorKind::Overloaded)) => Some(Step::Throttle),
            Poll::Ready(Err(other)) => panic!("{other:?}"),
        }
    }
}

#[test]
fn layers_and_the_composed_policy_ask_the_same_guards_in_the_same_order() {
    let clock = common::clock();
    let (described, _) = policy(&clock);
    let order = described.steps();
    assert_eq!(order.len(), 5);
    // From each guard inwards all say no, and the outermost of them is heard.
    for (first, expected) in order.iter().enumerate() {
        for walk in [policy(&clock).1, layers(&clock)] {
            assert_eq!(walk.stops_at(), None);
            let blocked: Vec<Blocked> = order[first..]
                .iter()
                .map(|step| walk.block(*step))
                .collect();
            // The throttle decides by chance, and lets one in a hundred pass.
            let stops = (0..100).find_map(|_| walk.stops_at());
            assert_eq!(stops, Some(*expected), "of {:?}", &order[first..]);
            drop(blocked);
        }
    }
}

/// Why the breaker stands inside the queue.
#[test]
fn a_breaker_that_opens_empties_the_queue_and_nobody_comes_out_with_a_permit_of_before() {
    let clock = common::clock();
    let time = Time::new(clock.clone(), clock.clone());
    let bulkhead = Bulkhead::new(1)
        .unwrap()
        .with_queue(9, 60 * SECOND)
        .unwrap();
    let policy = BreakerConfig::default().build().unwrap();
    let breakers = Arc::new(BreakerRegistry::new(policy, clock.clone()));
    let classify = palisade_tower::Upstream::new(clock.clone());
    let guards = around_breaker(
        AdmitLayer::new(Places::new(bulkhead.clone(), time.clone()), time.clone()),
        BreakerLayer::new(Arc::clone(&breakers), classify),
        AdmitLayer::<ClientThrottle<ManualClock>>::off(time),
    );
    let upstream = Upstream::new([Reply::json("{}").then(Piece::Hang)]);
    let service = guards.layer(upstream.clone());
    let under_way = now(call(&service, Request::new(()))).unwrap();
    let mut waiting: Vec<_> = (0..9)
        .map(|_| Box::pin(call(&service, Request::new(()))))
        .collect();
    let mut cx = Context::from_waker(Waker::noop());
    for asked in &mut waiting {
        assert!(asked.as_mut().poll(&mut cx).is_pending());
    }
    let breaker = breakers.breaker(&Key::global()).allowed().unwrap();
    breaker.force_open();
    drop(under_way);
    for asked in &mut waiting {
        let Poll::Ready(Err(error)) = asked.as_mut().poll(&mut cx) else {
            panic!("it should be refused by now")
        };
        let failure = find::<Failure>(&*error).unwrap();
        assert_eq!(failure.kind(), ErrorKind::CircuitOpen);
    }
    assert_eq!((upstream.calls(), bulkhead.busy()), (1, 0));
}

#[test]
fn what_a_throttle_of_ours_refuses_teaches_the_guards_around_it_nothing() {
    let clock = common::clock();
    let time = Time::new(clock.clone(), clock.clone());
    let range = AdaptiveConfig::new(Adaptation::Aimd).with_range(1, 50, 100);
    let limit = AdaptiveLimit::new(range.build().unwrap(), clock.clone());
    let gate = PushbackGate::new(clock.clone());
    let throttle = ClientThrottle::new(ThrottleConfig::default(), clock.clone()).unwrap();
    let policy = BreakerConfig::default().with_minimum_calls(1).build();
    let breakers = Arc::new(BreakerRegistry::new(policy.unwrap(), clock.clone()));
    for _ in 0..1_000 {
        if let Some(asked) = throttle.ask().allowed() {
            asked.outcome(Some(&Failure::new(ErrorKind::Overloaded)));
        }
    }
    let waits = (
        Gate::new(gate.clone(), Duration::ZERO, time.clone()),
        LearnedPlaces::new(limit.clone(), 0, SECOND, time.clone()),
    );
    let classify = palisade_tower::Upstream::new(clock.clone());
    let guards = around_breaker(
        AdmitLayer::new(waits, time.clone()),
        BreakerLayer::new(Arc::clone(&breakers), classify),
        AdmitLayer::new(throttle, time),
    );
    let upstream = Upstream::new([Reply::json("{}")]);
    let service = guards.layer(upstream.clone());
    let refused = (0..200).filter(|_| now(call(&service, Request::new(()))).is_err());
    assert!(refused.count() > 150);
    let status = breakers.breaker(&Key::global()).allowed().unwrap().status();
    assert_eq!((status.phase, status.counts.failed), (Phase::Closed, 0));
    assert_eq!((limit.limit(), gate.shut().len()), (50, 0));
}

#[test]
fn a_layer_that_guards_nothing_hands_through_what_comes() {
    let clock = common::clock();
    let time = Time::new(clock.clone(), clock);
    let layer = AdmitLayer::<Places>::off(time);
    let upstream = Upstream::new([Reply::json("{}"), Reply::status(503)]);
    let service = layer.layer(upstream.clone());
    let answer = now(call(&service, Request::new(()))).unwrap();
    assert_eq!(now(common::read(answer.into_body())).0, b"{}");
    assert_eq!(now(call(&service, Request::new(()))).unwrap().status(), 503);
    // Dropped before its end, it leaves nothing behind.
    let mut dropped = pin!(call(&service, Request::new(())));
    let _ = dropped
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
}
