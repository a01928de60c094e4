//! Servers that forget, hang, die and change places.
#![cfg(feature = "rate-limit")]

mod servers;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use palisade_core::{Decision, Dimension, Key, StoreErrorKind, SystemClock};
use palisade_rate_limit::{
    Charge, CheckRequest, Fallback, FallbackConfig, Hold, HoldId, Limit, Outcome, RateLimiter,
    RateLimiterExt as _, ReserveRequest, SettleRequest, Source, Use, WithFallback,
};
use palisade_redis::{Redis, RedisConfig};

use self::servers::{block_on, own::Own};

async fn connect(own: &Own, deadline: Duration) -> Redis {
    let config = RedisConfig::node(own.address()).expect("an address");
    let config = config.with_deadline(deadline).expect("a deadline");
    Redis::connect(config).await.expect("it answers")
}

fn alice() -> Key {
    Key::new(Dimension::User, "alice").expect("a short name")
}

/// So slow that nothing comes back during a test.
fn daily(amount: u64) -> Limit {
    Limit::per_day("daily", amount).expect("a limit")
}

/// How much remains.
async fn remaining(redis: &impl RateLimiter, limit: &Limit) -> u64 {
    let key = alice();
    let charge = Charge::new(limit, &key, 0);
    match redis.peek(CheckRequest::one(&charge)).await {
        Ok(Decision::Allow(allowed)) => allowed.binding().remaining,
        other => panic!("nothing may always be taken: {other:?}"),
    }
}

#[test]
fn a_server_that_forgets_its_scripts_is_told_again_and_nobody_notices() {
    block_on(async {
        let own = Own::start(&[]);
        let redis = connect(&own, Duration::from_secs(30)).await;
        let limit = daily(10_000);
        let over = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let (redis, over) = (redis.clone(), Arc::clone(&over));
                tokio::spawn(async move {
                    let (limit, key) = (daily(10_000), alice());
                    let mut admitted = 0_u64;
                    while !over.load(Ordering::Relaxed) && admitted < 100 {
                        let charge = Charge::new(&limit, &key, 1);
                        let answer = redis.check(CheckRequest::one(&charge)).await;
                        admitted += u64::from(answer.expect("an answer").is_allow());
                    }
                    admitted
                })
            })
            .collect();
        for _ in 0..20 {
            own.cli(&["SCRIPT", "FLUSH"]);
        }
        over.store(true, Ordering::Relaxed);
        let mut admitted = 0;
        for task in tasks {
            admitted += task.await.expect("it ends");
        }
        assert_eq!(remaining(&redis, &limit).await, 10_000 - admitted);
        assert!(redis.counts().loaded > 0);
        assert_eq!(redis.counts().failed, 0);
    });
}

#[test]
fn a_server_that_hangs_is_given_up_and_what_it_does_later_counts_once() {
    block_on(async {
        let own = Own::start(&[]);
        let redis = connect(&own, Duration::from_millis(100)).await;
        let (limit, key) = (daily(100), alice());
        let charges = [Charge::new(&limit, &key, 10)];
        let request = CheckRequest::new(&charges).expect("a request");
        let request = ReserveRequest::hold(request, Hold::new(HoldId::unique()));
        // Known to the server before it hangs.
        assert_eq!(remaining(&redis, &limit).await, 100);

        own.hang();
        let error = redis.reserve(request).await.expect_err("it hangs");
        assert_eq!(error.kind(), StoreErrorKind::Timeout);
        own.go_on();

        let answer = loop {
            if let Ok(answer) = redis.reserve(request).await {
                break answer;
            }
        };
        assert!(answer.is_allow());
        assert_eq!(remaining(&redis, &limit).await, 90);
        let id = request.hold.expect("a hold").id();
        let uses = [Use::new(&limit, &key, 10, 4)];
        let settle = SettleRequest::new(id, &uses).expect("a request");
        let settled = redis.settle(settle).await.expect("an answer");
        assert_eq!(settled.outcome(), Outcome::Settled);
        assert_eq!(settled.statuses()[0].remaining, 96);
    });
}

#[test]
fn a_server_that_hangs_costs_a_few_callers_a_deadline_and_the_others_nothing() {
    block_on(async {
        let own = Own::start(&[]);
        let redis = connect(&own, Duration::from_millis(100)).await;
        let config = FallbackConfig::new(Fallback::Share)
            .with_share(2, 100)
            .expect("shares")
            .with_waits(Duration::from_secs(600), Duration::from_secs(600));
        let limiter = WithFallback::new(redis.clone(), config, SystemClock).expect("room");
        let (limit, key) = (daily(100), alice());
        let charge = Charge::new(&limit, &key, 1);
        let ask = || limiter.check(CheckRequest::one(&charge));
        assert!(ask().await.expect("an answer").is_allow());
        let asked = redis.counts().asked;

        own.hang();
        for _ in 0..1_000 {
            let answer = ask().await.expect("a share answers");
            let source = match &answer {
                Decision::Allow(allowed) => allowed.source(),
                Decision::Deny(denied) => denied.source(),
            };
            assert_eq!(source, Source::Local);
        }
        // Three found out; nobody else waited.
        assert_eq!(redis.counts().asked - asked, 3);
        assert_eq!(limiter.counts().lost, 1);
        own.go_on();
    });
}

#[test]
fn a_server_that_died_is_found_again_when_it_is_back() {
    block_on(async {
        let mut own = Own::start(&[]);
        let redis = connect(&own, Duration::from_millis(200)).await;
        let config = FallbackConfig::new(Fallback::Open)
            .with_waits(Duration::from_millis(1), Duration::from_millis(10));
        let limiter = WithFallback::new(redis, config, SystemClock).expect("room");
        let (limit, key) = (daily(1_000_000), alice());
        let charge = Charge::new(&limit, &key, 1);
        let source = async || match limiter.check(CheckRequest::one(&charge)).await {
            Ok(Decision::Allow(allowed)) => allowed.source(),
            other => panic!("everybody passes: {other:?}"),
        };
        assert_eq!(source().await, Source::Store);
        own.kill();
        while source().await != Source::Default {}
        own.start_again();
        // By itself, and with scripts that the new process has never seen.
        while source().await != Source::Store {}
    });
}

#[test]
fn a_service_starts_while_its_server_is_down() {
    block_on(async {
        let mut own = Own::start(&[]);
        own.kill();
        let config = RedisConfig::node(own.address()).expect("an address");
        let config = config
            .with_deadline(Duration::from_millis(100))
            .expect("a deadline");
        assert!(
            Redis::connect(
                config
                    .clone()
                    .with_connect_timeout(Duration::from_millis(300))
            )
            .await
            .is_err()
        );
        let redis = Redis::start(config).expect("a configuration");
        let (limit, key) = (daily(10), alice());
        let charge = Charge::new(&limit, &key, 1);
        assert!(redis.check(CheckRequest::one(&charge)).await.is_err());
        own.start_again();
        while redis.check(CheckRequest::one(&charge)).await.is_err() {}
    });
}

#[test]
fn every_key_has_an_end() {
    block_on(async {
        let own = Own::start(&[]);
        let redis = connect(&own, Duration::from_secs(30)).await;
        let minute = Duration::from_secs(60);
        let limits = [
            daily(100),
            Limit::per_minute("odd", 7).expect("a limit"),
            Limit::fixed_window("fixed", 10, minute).expect("a limit"),
            Limit::sliding_window("sliding", 10, minute).expect("a limit"),
            Limit::sliding_log("log", 10, minute).expect("a limit"),
            Limit::concurrency("open", 10).expect("a limit"),
        ];
        let key = alice();
        for (number, used) in [(1, 0), (2, 2), (3, 25)] {
            let charges: Vec<_> = limits
                .iter()
                .map(|limit| Charge::new(limit, &key, 2))
                .collect();
            let request = CheckRequest::new(&charges).expect("a request");
            let hold = Hold::new(HoldId::from_u128(number));
            let answer = redis.reserve(ReserveRequest::hold(request, hold)).await;
            assert!(answer.expect("an answer").is_allow());
            let uses: Vec<_> = limits
                .iter()
                .map(|limit| Use::new(limit, &key, 2, used))
                .collect();
            let settle = SettleRequest::new(hold.id(), &uses).expect("a request");
            redis.settle(settle).await.expect("an answer");
        }
        let mut seen = 0;
        for key in own.cli(&["KEYS", "*"]).lines() {
            let ttl: i64 = own.cli(&["PTTL", key]).trim().parse().expect("a number");
            assert!(ttl > 0, "{key} has no end: {ttl}");
            seen += 1;
        }
        assert!(seen >= 8, "{seen} keys");
    });
}

#[test]
fn a_limit_holds_when_the_master_dies_under_load() {
    block_on(async {
        let mut nodes = servers::own::cluster();
        let config = RedisConfig::cluster(nodes.iter().map(Own::address)).expect("addresses");
        let config = config
            .with_deadline(Duration::from_millis(500))
            .expect("a deadline");
        let redis = Redis::connect(config).await.expect("it answers");
        let (limit, key) = (daily(200_000), alice());
        let charge = Charge::new(&limit, &key, 1);
        assert!(
            redis
                .check(CheckRequest::one(&charge))
                .await
                .expect("an answer")
                .is_allow()
        );
        let master = nodes
            .iter()
            .position(|node| {
                let is_master = node.cli(&["INFO", "replication"]).contains("role:master");
                is_master && node.cli(&["DBSIZE"]).trim() == "1"
            })
            .expect("one has the key");

        let (admitted, over) = (
            Arc::new(AtomicU64::new(1)),
            Arc::new(AtomicBool::new(false)),
        );
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (redis, admitted, over) = (redis.clone(), admitted.clone(), over.clone());
                tokio::spawn(async move {
                    let (limit, key) = (daily(200_000), alice());
                    let charge = Charge::new(&limit, &key, 1);
                    while !over.load(Ordering::Relaxed) {
                        if let Ok(Decision::Allow(_)) =
                            redis.check(CheckRequest::one(&charge)).await
                        {
                            admitted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        while admitted.load(Ordering::Relaxed) < 1_000 {
            tokio::task::yield_now().await;
        }
        let before = admitted.load(Ordering::Relaxed);
        tokio::task::block_in_place(|| nodes[master].kill());
        // Its replica takes over, and answers.
        let lost_at = admitted.load(Ordering::Relaxed) + 64;
        while admitted.load(Ordering::Relaxed) < lost_at + 1_000 {
            tokio::task::yield_now().await;
        }
        over.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.expect("it ends");
        }
        let admitted = admitted.load(Ordering::Relaxed);
        let counted = 200_000 - remaining(&redis, &limit).await;
        assert!(before >= 1_000 && counted > 0);
        // What the master had admitted and not passed on is forgotten. What was charged and not answered is counted.
        assert!(
            counted + 1_000 >= admitted,
            "{admitted} were admitted and {counted} counted"
        );
        assert!(redis.counts().failed > 0, "somebody has noticed");
    });
}
