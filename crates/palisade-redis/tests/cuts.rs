//! A connection that is cut between any two bytes.
#![cfg(feature = "rate-limit")]

mod servers;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use palisade_core::{Decision, Dimension, Key};
use palisade_rate_limit::{
    Charge, CheckRequest, Hold, HoldId, Limit, RateLimiter as _, RateLimiterExt as _,
    ReserveRequest,
};
use palisade_redis::{Redis, RedisConfig};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp},
};

use self::servers::{block_on, fresh_prefix, given};

/// Bytes that may still pass; without end while it is negative.
type Budget = Arc<AtomicI64>;

#[test]
fn a_reservation_whose_connection_is_cut_anywhere_counts_once() {
    block_on(async {
        let budget: Budget = Arc::new(AtomicI64::new(-1));
        let config = RedisConfig::node(proxy(Arc::clone(&budget)).await)
            .and_then(|config| config.with_deadline(Duration::from_millis(250)))
            .and_then(|config| config.with_prefix(fresh_prefix()))
            .expect("a configuration");
        let redis = Redis::connect(config).await.expect("it answers");
        // So slow that nothing comes back during the test.
        let limit = Limit::new("slow", 10_000, Duration::from_secs(300 * 86_400)).expect("a limit");
        let key = Key::new(Dimension::User, "alice").expect("a short name");
        let charges = [Charge::new(&limit, &key, 10)];
        let check = CheckRequest::new(&charges).expect("a request");
        let (mut reserved, mut cut) = (0, 0);
        // A question has some 350 bytes and its answer some 40.
        for bytes in (0..420).step_by(11) {
            let request = ReserveRequest::hold(check, Hold::new(HoldId::unique()));
            budget.store(bytes, Ordering::SeqCst);
            let answer = match redis.reserve(request).await {
                Ok(answer) => answer,
                Err(_) => {
                    cut += 1;
                    budget.store(-1, Ordering::SeqCst);
                    loop {
                        if let Ok(answer) = redis.reserve(request).await {
                            break answer;
                        }
                    }
                }
            };
            budget.store(-1, Ordering::SeqCst);
            assert!(answer.is_allow());
            reserved += 10;
            let nothing = [Charge::new(&limit, &key, 0)];
            let nothing = CheckRequest::new(&nothing).expect("a request");
            let remaining = loop {
                match redis.peek(nothing).await {
                    Ok(Decision::Allow(allowed)) => break allowed.binding().remaining,
                    Ok(Decision::Deny(denied)) => panic!("nothing may be taken: {denied:?}"),
                    Err(_) => {}
                }
            };
            assert_eq!(remaining, 10_000 - reserved, "cut after {bytes} bytes");
        }
        assert!(cut > 10, "only {cut} were cut");
    });
}

/// Stands before the server, and cuts every connection when the budget is used up.
async fn proxy(budget: Budget) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(given("PALISADE_REDIS")).await else {
                continue;
            };
            let (client_in, client_out) = client.into_split();
            let (server_in, server_out) = server.into_split();
            let (there, back) = (Arc::clone(&budget), Arc::clone(&budget));
            tokio::spawn(async move {
                // Whoever ends first ends both.
                tokio::select! {
                    () = pass(client_in, server_out, there) => {}
                    () = pass(server_in, client_out, back) => {}
                }
            });
        }
    });
    address
}

async fn pass(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, budget: Budget) {
    let mut bytes = [0; 4_096];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let left = budget.load(Ordering::SeqCst);
        let passes = usize::try_from(left).map_or(read, |left| read.min(left));
        if left >= 0 {
            budget.fetch_sub(passes as i64, Ordering::SeqCst);
        }
        if to.write_all(&bytes[..passes]).await.is_err() || passes < read {
            return;
        }
    }
}
