//! What the statistics promise over whatever durations they are given.

use std::time::Duration;

use palisade_core::Instant;
use palisade_trace::{Histogram, RollingStats};
use proptest::{collection::vec, prelude::*};

fn histogram(nanos: &[u64]) -> Histogram {
    let mut histogram = Histogram::new();
    for nanos in nanos {
        histogram.record(Duration::from_nanos(*nanos));
    }
    histogram
}

fn durations() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, 0..10_000_000_000_u64, any::<u64>()]
}

proptest! {
    #[test]
    fn a_quantile_is_never_below_the_exact_one_and_at_most_a_sixteenth_above(
        mut nanos in vec(durations(), 1..300),
        per_mille in 0..=1_000_u16,
    ) {
        let histogram = histogram(&nanos);
        nanos.sort_unstable();
        let rank = (nanos.len() * usize::from(per_mille)).div_ceil(1_000).max(1);
        let exact = nanos[rank - 1];
        let named = u64::try_from(histogram.quantile(per_mille).unwrap().as_nanos()).unwrap();
        prop_assert!(named >= exact, "{named} is below {exact}");
        prop_assert!(named - exact <= exact / 16, "{named} is far above {exact}");
        prop_assert_eq!(histogram.max(), Some(Duration::from_nanos(*nanos.last().unwrap())));
        prop_assert_eq!(histogram.quantile(1_000), histogram.max());
    }

    #[test]
    fn histograms_merge_to_the_one_that_saw_everything(
        left in vec(durations(), 0..100),
        right in vec(durations(), 0..100),
    ) {
        let mut merged = histogram(&left);
        merged.merge(&histogram(&right));
        prop_assert_eq!(merged, histogram(&[left, right].concat()));
    }

    #[test]
    fn the_window_holds_the_recent_and_forgets_the_old(
        arrivals in vec(0..3_000_u64, 0..200),
        then in 0..4_000_u64,
    ) {
        let stats = RollingStats::new(Duration::from_millis(1_200));
        let at = |millis: u64| Instant::ORIGIN.saturating_add(Duration::from_millis(millis));
        let mut arrivals = arrivals;
        arrivals.sort_unstable();
        arrivals.retain(|millis| *millis <= then);
        for millis in &arrivals {
            stats.record(Duration::from_millis(*millis), millis % 2 == 0, at(*millis));
        }
        let snapshot = stats.snapshot(at(then));
        let within = |window: u64| arrivals.iter().filter(|millis| **millis + window > then).count() as u64;
        prop_assert!(snapshot.count >= within(1_100), "the recent ones count");
        prop_assert!(snapshot.count <= within(1_200), "the old ones do not");
        prop_assert!(snapshot.failures <= snapshot.count);
    }
}

#[test]
fn nothing_recorded_is_no_quantile_at_all() {
    assert_eq!(Histogram::new().quantile(500), None);
    assert_eq!(Histogram::new().max(), None);
    let snapshot = RollingStats::new(Duration::ZERO).snapshot(Instant::ORIGIN);
    assert_eq!((snapshot.count, snapshot.p99), (0, None));
}

#[test]
fn a_slow_thread_does_not_bring_an_old_slot_back() {
    let stats = RollingStats::new(Duration::from_secs(12));
    let at = |secs| Instant::ORIGIN.saturating_add(Duration::from_secs(secs));
    stats.record(Duration::from_secs(1), true, at(100));
    stats.record(Duration::from_secs(1), true, at(88));
    assert_eq!(stats.snapshot(at(100)).count, 2);
    assert_eq!(stats.snapshot(at(112)).count, 0);
}
