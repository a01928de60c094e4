//! What a health monitor promises.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_core::{Health, Key, ManualClock, Probe, Status};
use palisade_resilience::{Breaker, BreakerPolicy, HealthCheck, HealthMonitor, HealthReport, Need};

const SECOND: Duration = Duration::from_secs(1);

/// Answers with its state, counts how often it was asked, and hangs if it has none.
#[derive(Clone)]
struct Component(Option<Status>, Arc<AtomicU32>);

#[async_trait::async_trait]
impl HealthCheck for Component {
    async fn check(&self) -> Health {
        self.1.fetch_add(1, Ordering::Relaxed);
        match self.0 {
            Some(status) => Health::new("itself", status, "as it is"),
            None => std::future::pending().await,
        }
    }
}

struct Panics;

#[async_trait::async_trait]
impl HealthCheck for Panics {
    async fn check(&self) -> Health {
        std::panic::resume_unwind(Box::new("a defect"))
    }
}

fn component(status: Option<Status>) -> Component {
    Component(status, Arc::default())
}

fn monitor() -> (HealthMonitor<ManualClock>, ManualClock) {
    let clock = ManualClock::default();
    (
        HealthMonitor::new(clock.clone(), 10 * SECOND).unwrap(),
        clock,
    )
}

fn refresh(monitor: &HealthMonitor<ManualClock>, clock: &ManualClock) -> HealthReport {
    let mut asking = pin!(monitor.refresh(clock));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..100 {
        match asking.as_mut().poll(&mut cx) {
            Poll::Ready(report) => return report,
            Poll::Pending => clock.advance(SECOND),
        }
    }
    panic!("it never ends")
}

#[test]
fn what_is_vital_takes_the_service_down_and_what_is_helpful_degrades_it() {
    use Need::{Helpful, Vital};
    use Status::{Degraded, Down, Up};
    for (need, status, whole) in [
        (Vital, Up, Up),
        (Vital, Degraded, Degraded),
        (Vital, Down, Down),
        (Helpful, Up, Up),
        (Helpful, Degraded, Degraded),
        (Helpful, Down, Degraded),
    ] {
        let (monitor, clock) = monitor();
        let monitor = monitor
            .with_check("good", Vital, component(Some(Up)), SECOND)
            .unwrap()
            .with_check("other", need, component(Some(status)), SECOND)
            .unwrap();
        assert_eq!(
            refresh(&monitor, &clock).status,
            whole,
            "{need:?} {status:?}"
        );
        assert_eq!(monitor.health().status, whole);
    }
}

#[test]
fn a_check_that_hangs_or_panics_is_down_and_holds_up_no_other() {
    let (monitor, clock) = monitor();
    let monitor = monitor
        .with_check("hangs", Need::Vital, component(None), 3 * SECOND)
        .unwrap()
        .with_check("panics", Need::Vital, Panics, SECOND)
        .unwrap()
        .with_check("well", Need::Vital, component(Some(Status::Up)), SECOND)
        .unwrap();
    let report = refresh(&monitor, &clock);
    let status = |name: &str| {
        let part = report
            .parts
            .iter()
            .find(|part| part.health.component == name);
        let part = part.unwrap();
        (part.health.status, part.age.unwrap())
    };
    assert_eq!(status("hangs"), (Status::Down, Duration::ZERO));
    assert_eq!(status("panics"), (Status::Down, 3 * SECOND));
    assert_eq!(status("well"), (Status::Up, 3 * SECOND));
    assert_eq!(monitor.health().detail, "not well: hangs, panics");
}

#[test]
fn an_answer_is_kept_and_one_asks_for_all() {
    let (monitor, clock) = monitor();
    let asked = component(Some(Status::Up));
    let hanging = component(None);
    let monitor = monitor
        .with_check("asked", Need::Vital, asked.clone(), SECOND)
        .unwrap()
        .with_check("hangs", Need::Helpful, hanging.clone(), 30 * SECOND)
        .unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut first = pin!(monitor.refresh(&clock));
    assert!(first.as_mut().poll(&mut cx).is_pending());
    // Others that come meanwhile get what there is.
    for _ in 0..100 {
        let Poll::Ready(report) = pin!(monitor.refresh(&clock)).poll(&mut cx) else {
            panic!("it waits for another one's question")
        };
        assert_eq!(
            report.status,
            Status::Degraded,
            "never answered is not well"
        );
    }
    let times = |component: &Component| component.1.load(Ordering::Relaxed);
    assert_eq!((times(&asked), times(&hanging)), (1, 1));
    clock.advance(10 * SECOND);
    assert!(pin!(monitor.refresh(&clock)).poll(&mut cx).is_ready());
    assert_eq!((times(&asked), times(&hanging)), (2, 1));
}

#[test]
fn a_dropped_question_can_be_asked_again() {
    let (monitor, clock) = monitor();
    let hanging = component(None);
    let monitor = monitor
        .with_check("hangs", Need::Vital, hanging.clone(), SECOND)
        .unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        assert!(pin!(monitor.refresh(&clock)).poll(&mut cx).is_pending());
    }
    assert_eq!(hanging.1.load(Ordering::Relaxed), 3);
    assert_eq!(monitor.report().parts[0].age, None);
}

#[test]
fn what_is_known_already_is_looked_at_each_time() {
    let (monitor, clock) = monitor();
    let breaker = Breaker::new(Key::global(), BreakerPolicy::default(), clock.clone());
    let monitor = monitor
        .with_probe("upstream", Need::Helpful, breaker.clone())
        .unwrap();
    assert_eq!(monitor.report().status, Status::Up);
    breaker.force_open();
    assert_eq!(monitor.report().status, Status::Degraded);
    assert_eq!(monitor.report().parts[0].health.component, "upstream");
}

#[test]
fn the_number_of_components_and_all_times_have_limits() {
    assert!(HealthMonitor::new(ManualClock::default(), Duration::MAX).is_err());
    let (mut monitor, _clock) = monitor();
    for _ in 0..HealthMonitor::<ManualClock>::PARTS_MAX {
        monitor = monitor
            .with_check("one", Need::Vital, component(None), SECOND)
            .unwrap();
    }
    assert!(
        monitor
            .with_check("one more", Need::Vital, Panics, SECOND)
            .is_err()
    );
    let (other, _clock) = self::monitor();
    assert!(
        other
            .with_check("x", Need::Vital, Panics, Duration::ZERO)
            .is_err()
    );
}
