//! What a limit that learns promises, against an upstream that is a queue with so many servers.

use std::time::Duration;

use palisade_core::{Decision, Instant, ManualClock, Probe, Status};
use palisade_resilience::{
    Adaptation, AdaptiveConfig, AdaptiveLimit, AdaptiveModel, Busy, ErrorKind, Failure, Sample,
    Verdict,
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
const ALL: [Adaptation; 3] = [Adaptation::Aimd, Adaptation::Gradient, Adaptation::Vegas];

/// An upstream that works on `servers` calls at a time, each for `work`. Calls beyond that wait, and those that would wait for
/// longer than `gives_up` are refused.
struct Upstream {
    servers: usize,
    work: Duration,
    gives_up: Duration,
}

/// Keeps as many calls under way as the limit allows, for so long, and returns the mean limit of the last quarter.
fn saturate(
    model: &mut AdaptiveModel,
    now: &mut Instant,
    upstream: &Upstream,
    time: Duration,
) -> u32 {
    // When each server is free, and the calls under way by their ends.
    let mut servers = vec![*now; upstream.servers];
    let mut under_way: Vec<(Instant, Instant, Verdict)> = Vec::new();
    let until = now.saturating_add(time);
    let (mut sum, mut count) = (0u64, 0u64);
    while *now < until {
        while under_way.len() < model.limit() as usize {
            let server = servers.iter_mut().min().unwrap();
            let start = (*server).max(*now);
            let (ends, verdict) = if start.saturating_since(*now) > upstream.gives_up {
                (now.saturating_add(10 * MS), Verdict::Dropped)
            } else {
                *server = start.saturating_add(upstream.work);
                (*server, Verdict::Done)
            };
            under_way.push((ends, *now, verdict));
        }
        let next = under_way.iter().enumerate().min_by_key(|(_, call)| call.0);
        let (index, (ends, began, verdict)) = next.map(|(index, call)| (index, *call)).unwrap();
        let in_flight = under_way.len() as u32;
        under_way.swap_remove(index);
        *now = ends;
        model.sample(Sample::new(began, in_flight, verdict), *now);
        if until.saturating_since(*now) < time / 4 {
            sum += u64::from(model.limit());
            count += 1;
        }
    }
    (sum / count.max(1)) as u32
}

fn model(adaptation: Adaptation) -> AdaptiveModel {
    let config = AdaptiveConfig::new(adaptation).with_range(2, 10, 500);
    AdaptiveModel::new(config.build().unwrap()).with_seed(1)
}

#[test]
fn every_rule_finds_the_capacity_from_below_and_from_above() {
    for adaptation in ALL {
        let (mut model, mut now) = (model(adaptation), Instant::ORIGIN);
        for servers in [50, 10, 50] {
            let upstream = Upstream {
                servers,
                work: 100 * MS,
                gives_up: 300 * MS,
            };
            let limit = saturate(&mut model, &mut now, &upstream, 180 * SECOND) as usize;
            assert!(
                (servers * 8 / 10..=servers * 5).contains(&limit),
                "{adaptation:?}: {limit} for {servers} servers"
            );
        }
    }
}

#[test]
fn rules_that_look_at_time_keep_the_queue_short_where_nobody_says_no() {
    for adaptation in [Adaptation::Gradient, Adaptation::Vegas] {
        let (mut model, mut now) = (model(adaptation), Instant::ORIGIN);
        let upstream = Upstream {
            servers: 20,
            work: 100 * MS,
            gives_up: 3_600 * SECOND,
        };
        let limit = saturate(&mut model, &mut now, &upstream, 300 * SECOND);
        assert!((18..=60).contains(&limit), "{adaptation:?}: {limit}");
    }
}

#[test]
fn time_outs_in_lock_step_are_drops() {
    for adaptation in ALL {
        let config = AdaptiveConfig::new(adaptation)
            .with_range(2, 100, 500)
            .with_drop_after(5 * SECOND);
        let mut model = AdaptiveModel::new(config.build().unwrap());
        let mut now = Instant::ORIGIN;
        // Every call takes exactly five seconds and is reported as if it were well.
        for _ in 0..100 {
            let began = now;
            now = now.saturating_add(5 * SECOND);
            for left in (1..=model.limit()).rev() {
                model.sample(Sample::new(began, left, Verdict::Done), now);
            }
        }
        assert_eq!(model.limit(), 2, "{adaptation:?}");
    }
}

#[test]
fn one_burst_of_drops_lowers_the_limit_once() {
    let config = AdaptiveConfig::new(Adaptation::Aimd).with_range(1, 100, 500);
    let mut model = AdaptiveModel::new(config.build().unwrap());
    let began = Instant::ORIGIN;
    let now = began.saturating_add(SECOND);
    for left in (1..=100).rev() {
        model.sample(Sample::new(began, left, Verdict::Dropped), now);
    }
    assert_eq!(model.limit(), 90);
    model.sample(
        Sample::new(now, 1, Verdict::Dropped),
        now.saturating_add(SECOND),
    );
    assert_eq!(model.limit(), 81);
}

#[test]
fn an_unused_limit_does_not_grow() {
    for adaptation in ALL {
        let (mut model, mut now) = (model(adaptation), Instant::ORIGIN);
        for _ in 0..10_000 {
            let began = now;
            now = now.saturating_add(100 * MS);
            model.sample(Sample::new(began, 1, Verdict::Done), now);
        }
        assert!(model.limit() <= 10, "{adaptation:?}: {}", model.limit());
    }
}

#[test]
fn when_the_work_itself_takes_twice_as_long_the_limit_comes_back_within_two_probes() {
    for adaptation in [Adaptation::Gradient, Adaptation::Vegas] {
        let (mut model, mut now) = (model(adaptation), Instant::ORIGIN);
        let quick = Upstream {
            servers: 50,
            work: 100 * MS,
            gives_up: 3_600 * SECOND,
        };
        let before = saturate(&mut model, &mut now, &quick, 300 * SECOND);
        let longer = Upstream {
            work: 200 * MS,
            ..quick
        };
        // A minute between probes, a tenth either way.
        saturate(&mut model, &mut now, &longer, 132 * SECOND);
        let after = saturate(&mut model, &mut now, &longer, 120 * SECOND);
        assert!(
            after * 10 >= before * 7,
            "{adaptation:?}: {after} after {before}"
        );
        let unloaded = model.unloaded().unwrap();
        assert!(
            (190 * MS..=300 * MS).contains(&unloaded),
            "{adaptation:?}: {unloaded:?}"
        );
    }
}

#[test]
fn the_limit_keeps_its_floor_and_its_ceiling() {
    for adaptation in ALL {
        let config = AdaptiveConfig::new(adaptation).with_range(3, 5, 8);
        let mut model = AdaptiveModel::new(config.build().unwrap());
        let mut now = Instant::ORIGIN;
        for round in 0..2_000u32 {
            let began = now;
            now = now.saturating_add(10 * MS);
            let verdict = if round % 200 < 100 {
                Verdict::Done
            } else {
                Verdict::Dropped
            };
            model.sample(Sample::new(began, 8, verdict), now);
            assert!((3..=8).contains(&model.limit()));
        }
    }
}

#[test]
fn a_dropped_slot_gives_its_place_back_and_teaches_nothing_unless_it_was_long() {
    let clock = ManualClock::default();
    let config = AdaptiveConfig::new(Adaptation::Aimd).with_range(1, 10, 100);
    let limit = AdaptiveLimit::new(config.build().unwrap(), clock.clone());
    for _ in 0..100 {
        drop(limit.enter().allowed().unwrap());
        let malformed = Failure::new(ErrorKind::Validation);
        limit.enter().allowed().unwrap().outcome(Some(&malformed));
    }
    assert_eq!((limit.busy(), limit.limit()), (0, 10));
    let slots: Vec<_> = (0..10).map(|_| limit.enter().allowed().unwrap()).collect();
    assert_eq!(limit.enter().denied(), Some(Busy::NoPlace));
    clock.advance(60 * SECOND);
    drop(slots);
    assert_eq!((limit.busy(), limit.limit()), (0, 9));
}

#[test]
fn a_stream_teaches_when_it_begins_and_holds_its_place_until_it_ends() {
    let clock = ManualClock::default();
    let config = AdaptiveConfig::new(Adaptation::Aimd).with_range(1, 10, 100);
    let limit = AdaptiveLimit::new(config.build().unwrap(), clock.clone());
    let mut stream = limit.enter().allowed().unwrap();
    clock.advance(SECOND);
    stream.answered(None);
    // An hour of tokens is no drop.
    clock.advance(3_600 * SECOND);
    assert_eq!(limit.busy(), 1);
    stream.success();
    assert_eq!((limit.busy(), limit.limit()), (0, 10));
}

#[test]
fn at_its_floor_it_is_degraded() {
    let clock = ManualClock::default();
    let config = AdaptiveConfig::new(Adaptation::Aimd)
        .with_range(2, 4, 100)
        .with_keep(50);
    let limit = AdaptiveLimit::new(config.build().unwrap(), clock.clone());
    assert_eq!(limit.health().status, Status::Up);
    if let Decision::Allow(slot) = limit.enter() {
        slot.outcome(Some(&Failure::new(ErrorKind::Overloaded)));
    }
    assert_eq!(limit.health().status, Status::Degraded);
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    let ok = AdaptiveConfig::default();
    for (bad, name) in [
        (ok.with_range(0, 1, 2), "floor"),
        (ok.with_range(5, 5, 4), "ceiling"),
        (ok.with_range(5, 4, 8), "initial"),
        (ok.with_drop_after(Duration::ZERO), "drop_after"),
        (ok.with_keep(100), "keep"),
        (ok.with_keep(0), "keep"),
        (ok.with_probe(Duration::ZERO, 1), "probe_every"),
        (ok.with_probe(SECOND, 0), "probe_calls"),
        (ok.with_tolerance(u32::MAX), "tolerance"),
    ] {
        let error = bad.build().unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}
