//! Trying again where it helps, and leaving an upstream alone that is down.
//!
//! `cargo run -p palisade-examples --example retry_breaker`

use std::{convert::Infallible, error::Error, time::Duration};

use palisade::{
    core::{Clock as _, Decision, Dimension, Instant, Key, ManualClock},
    resilience::{
        AsFailure, AttemptFailed, Backoff, Breaker, BreakerConfig, Call, Classify as _, ErrorKind,
        Failure, Idempotency, Phase, RetryBudget, RetryBudgetConfig, RetryPolicy, retry,
    },
};

/// A model that answers from some point in time on.
struct Model {
    clock: ManualClock,
    up_at: Instant,
}

impl Model {
    fn ask(&self) -> Result<&'static str, Failure> {
        if self.clock.instant() < self.up_at {
            return Err(Failure::new(ErrorKind::Overloaded).not_processed());
        }
        Ok("hello")
    }
}

/// What all calls share.
struct Guards {
    policy: RetryPolicy,
    budget: RetryBudget,
    breaker: Breaker<ManualClock>,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    // A service gives `SystemClock` and `TokioTimer`; here time passes when somebody waits for it.
    let clock = ManualClock::default();
    let backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5))?;
    let rest = Duration::from_secs(10);
    let breaker = BreakerConfig::default()
        .with_consecutive_failures(5)
        .with_open_for(rest, rest)
        .with_probes(1, Duration::from_secs(60))
        .build()?;
    let guards = Guards {
        policy: RetryPolicy::new(4)?
            .with_backoff(backoff)
            .with_total(Duration::from_secs(30))?,
        budget: RetryBudget::new(RetryBudgetConfig::default().with_floor(10))?,
        breaker: Breaker::new(
            Key::new(Dimension::Provider, "openai")?,
            breaker,
            clock.clone(),
        ),
    };
    let mut model = Model {
        clock: clock.clone(),
        up_at: clock.instant().saturating_add(Duration::from_millis(100)),
    };

    println!("a hiccup:");
    assert_eq!(call(&guards, &model).await.ok(), Some("hello"));

    println!("an outage of a minute:");
    model.up_at = clock.instant().saturating_add(Duration::from_secs(60));
    assert!(call(&guards, &model).await.is_err());
    assert!(call(&guards, &model).await.is_err());
    assert_eq!(guards.breaker.status().phase, Phase::Open);
    // Nobody calls now, and nobody waits: the refusal says when to come back.
    let refused = call(&guards, &model)
        .await
        .err()
        .ok_or("the breaker is open")?;
    assert_eq!(refused.kind(), ErrorKind::CircuitOpen);

    println!("a minute later, a trial call closes the breaker:");
    clock.advance(Duration::from_secs(60));
    assert_eq!(call(&guards, &model).await.ok(), Some("hello"));
    assert_eq!(guards.breaker.status().phase, Phase::Closed);
    Ok(())
}

/// One call through all guards.
async fn call(guards: &Guards, model: &Model) -> Result<&'static str, Failure> {
    let observer = |failed: &AttemptFailed<'_>| {
        println!(
            "  attempt {}: {}; then {:?}",
            failed.number, failed.failure, failed.next
        );
    };
    // A model call changes nothing in the world, so it may be repeated even if it was perhaps carried out.
    let call = Call::new(Idempotency::Declared)
        .with_budget(&guards.budget)
        .with_observer(&observer);
    let clock = &model.clock;
    let answer = retry(
        &guards.policy,
        call,
        &AsFailure,
        clock,
        clock,
        |_attempt| async {
            // Inside the retry, so that every attempt asks anew.
            let permit = match guards.breaker.admit() {
                Decision::Allow(permit) => permit,
                Decision::Deny(denied) => return Err(Failure::from(denied)),
            };
            let outcome = model.ask();
            permit.outcome(AsFailure.classify(&outcome).as_ref());
            outcome
        },
    );
    let answer = tokio::select! {
        answer = answer => answer.map_err(Failure::from),
        never = pass_time(clock) => match never {},
    };
    match &answer {
        Ok(text) => println!("  answer: {text}"),
        Err(failure) => println!("  gave up: {failure}"),
    }
    answer
}

/// Lets a tenth of a second pass whenever somebody sleeps.
async fn pass_time(clock: &ManualClock) -> Infallible {
    loop {
        if clock.sleepers() > 0 {
            clock.advance(Duration::from_millis(100));
        }
        tokio::task::yield_now().await;
    }
}
