//! Slices of limits, borrowed from a real server by several nodes.
#![cfg(feature = "rate-limit")]

mod servers;

use std::time::Duration;

use palisade_core::{Decision, Dimension, Key, SystemClock};
use palisade_rate_limit::{
    Charge, CheckRequest, LeaseConfig, Leased, Limit, RateLimiterExt as _, Source,
};

use self::servers::{block_on, fresh, node};

const SLICE: u64 = 32;
const NODES: usize = 3;

#[test]
fn nodes_with_slices_never_admit_more_than_there_is_and_ask_seldom() {
    block_on(async {
        let redis = fresh(node()).await;
        let config = LeaseConfig::default()
            .with_slice(SLICE)
            .with_time(Duration::from_secs(600));
        let nodes: Vec<_> = (0..NODES)
            .map(|_| Leased::new(redis.clone(), SystemClock, config))
            .collect();
        let tasks: Vec<_> = nodes
            .iter()
            .cycle()
            .take(16 * NODES)
            .cloned()
            .map(|limiter| {
                tokio::spawn(async move {
                    // So slow that nothing comes back during the test.
                    let limit = Limit::per_day("hot", 5_000).expect("a limit");
                    let key = Key::new(Dimension::Model, "m").expect("a short name");
                    let charge = Charge::new(&limit, &key, 1);
                    let (mut admitted, mut leased) = (0_u64, 0_u64);
                    for _ in 0..200 {
                        let answer = limiter.check(CheckRequest::one(&charge)).await;
                        if let Decision::Allow(allowed) = answer.expect("an answer") {
                            admitted += 1;
                            leased += u64::from(allowed.source() == Source::Lease);
                        }
                    }
                    (admitted, leased)
                })
            })
            .collect();
        let (mut admitted, mut leased) = (0, 0);
        for task in tasks {
            let (more, of_it) = task.await.expect("it ends");
            admitted += more;
            leased += of_it;
        }
        // 9,600 asked. What a node was lent and nobody asked it for is less than a slice each.
        assert!(admitted <= 5_000, "{admitted} of 5,000 were admitted");
        assert!(admitted + SLICE * NODES as u64 > 5_000, "only {admitted}");
        assert!(leased * 10 > admitted * 8, "{leased} of {admitted}");
        let asked = redis.counts().asked;
        assert!(asked * 5 < admitted, "{asked} questions for {admitted}");
        for node in &nodes {
            node.give_back().await.expect("an answer");
        }
        let limit = Limit::per_day("hot", 5_000).expect("a limit");
        let key = Key::new(Dimension::Model, "m").expect("a short name");
        let charge = Charge::new(&limit, &key, 0);
        match redis.peek(CheckRequest::one(&charge)).await {
            Ok(Decision::Allow(allowed)) => {
                assert_eq!(allowed.binding().remaining, 5_000 - admitted);
            }
            other => panic!("nothing may always be taken: {other:?}"),
        }
    });
}
