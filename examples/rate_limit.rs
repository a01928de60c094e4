//! Two limits on one client: how often, and how many tokens.
//!
//! `cargo run -p palisade-examples --example rate_limit`

use std::{error::Error, time::Duration};

use palisade::{
    core::{Decision, Dimension, Key, ManualClock, RetryAfter},
    rate_limit::{Charge, CheckRequest, InMemory, Limit, MemoryConfig, headers},
};

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    // A service gives a `SystemClock`. With this one the example does not have to wait.
    let clock = ManualClock::default();
    let limiter = InMemory::new(MemoryConfig::new().with_capacity(10_000), clock.clone())?;

    // 30 a minute, of which at most 3 at one instant; and 9,000 tokens a minute.
    let requests = Limit::per_minute("requests", 30)?.with_burst(3)?;
    let tokens = Limit::per_minute("tokens", 9_000)?;
    let alice = Key::new(Dimension::Org, "acme")?.with(Dimension::User, "alice")?;

    let ask = |estimated_tokens: u64| {
        // Both limits are charged, or neither: a refusal costs nothing.
        let charges = [
            Charge::new(&requests, &alice, 1),
            Charge::new(&tokens, &alice, estimated_tokens),
        ];
        let decision = limiter.decide(CheckRequest::new(&charges)?);
        match &decision {
            Decision::Allow(allowed) => {
                println!(
                    "{estimated_tokens:>6} tokens: go;   {}",
                    headers::allowed(allowed)
                );
            }
            Decision::Deny(denied) => {
                let limit = denied.binding().limit.name();
                println!(
                    "{estimated_tokens:>6} tokens: wait; {limit:?} says {:?}",
                    denied.retry_after()
                );
            }
        }
        Ok::<_, Box<dyn Error>>(decision)
    };

    let allowed = ask(1_200)?.allowed().ok_or("the first may go")?;
    println!(
        "               policy: {}",
        headers::policy(allowed.statuses())
    );
    assert!(ask(1_200)?.is_allow());
    assert!(ask(1_200)?.is_allow());

    // The burst is gone. Thirty a minute is one every two seconds, and that is what the answer says.
    let denied = ask(1_200)?
        .denied()
        .ok_or("the fourth at one instant is refused")?;
    assert_eq!(
        denied.retry_after(),
        RetryAfter::After(Duration::from_secs(2))
    );
    clock.advance(Duration::from_secs(2));
    assert!(ask(1_200)?.is_allow());

    // More than the limit holds when full: waiting would not help, and the answer says that too.
    clock.advance(Duration::from_secs(60));
    let denied = ask(20_000)?.denied().ok_or("20,000 never fit into 9,000")?;
    assert_eq!(denied.retry_after(), RetryAfter::Never);
    Ok(())
}
