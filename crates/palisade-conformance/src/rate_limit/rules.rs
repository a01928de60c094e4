//! The rules, one function each, named after the promise.

#![expect(
    clippy::missing_errors_doc,
    reason = "a rule's one error is that the promise it is named after is broken"
)]

use std::time::Duration;

use palisade_core::{Decision, Dimension, Key, RetryAfter};
use palisade_rate_limit::{Charge, CheckRequest};

use super::{
    Make,
    bench::{TICK, bench, chat, limit, user, wait},
};
use crate::{Broken, Verdict, join_all, verdict::ensure};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// A key that nobody has charged has its whole burst, and the unit after that is refused.
pub async fn the_burst_passes_and_one_more_does_not<M: Make>(make: &M) -> Verdict {
    let (bench, chat, alice) = (bench(make).await, chat()?, user("alice")?);
    for left in (0..10).rev() {
        let status = bench.passes(&chat, &alice, 1).await?;
        ensure!(
            status.remaining == left,
            "expected {left} to remain, found {status:?}"
        );
    }
    bench.fails(&chat, &alice, 1).await?;
    // All at once is the same.
    let bob = user("bob")?;
    let status = bench.passes(&chat, &bob, 10).await?;
    ensure!(
        status.remaining == 0 && status.reset == 10 * SECOND,
        "expected an empty bucket, found {status:?}"
    );
    bench.fails(&chat, &bob, 1).await?;
    Ok(())
}

/// However often somebody is refused, the wait stays what it was, and what remained is still there.
pub async fn a_refusal_charges_nothing<M: Make>(make: &M) -> Verdict {
    let (bench, chat, alice) = (bench(make).await, chat()?, user("alice")?);
    bench.passes(&chat, &alice, 10).await?;
    bench.clock.advance(3 * SECOND);
    for _ in 0..30 {
        let denied = bench.fails(&chat, &alice, 4).await?;
        wait(&denied, SECOND)?;
        let left = denied.binding().remaining;
        ensure!(left == 3, "expected 3 to remain, found {left}");
    }
    bench.passes(&chat, &alice, 3).await?;
    Ok(())
}

/// A refused request passes after exactly the wait it was told, and a tick earlier it does not, whatever it costs.
pub async fn a_refusal_ends_at_exactly_the_announced_instant<M: Make>(make: &M) -> Verdict {
    let chat = chat()?;
    for cost in 1..=10 {
        let (bench, alice) = (bench(make).await, user("alice")?);
        bench.passes(&chat, &alice, 10).await?;
        bench.clock.advance(Duration::from_millis(300));
        let exact = Duration::from_millis(1_000 * cost - 300);
        let told = wait(&bench.fails(&chat, &alice, cost).await?, exact)?;
        bench.clock.advance(told - TICK);
        bench.fails(&chat, &alice, cost).await?;
        bench.clock.advance(TICK);
        bench.passes(&chat, &alice, cost).await?;
    }
    Ok(())
}

/// Seven a minute is seven a minute for ever: each unit takes 8,571,428,571 and 3/7 nanoseconds, and none of them is lost.
pub async fn a_rate_of_no_whole_nanosecond_does_not_drift<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let (seven, alice) = (limit("seven", 7, 60 * SECOND, 7)?, user("alice")?);
    bench.passes(&seven, &alice, 7).await?;
    // Told the exact wait seven times over, or a little more, it is a minute or hardly more.
    let mut slept = Duration::ZERO;
    for round in 1..=70_u32 {
        let exact = Duration::from_secs(60) * round / 7;
        let missing = exact.saturating_sub(slept);
        let denied = bench.fails(&seven, &alice, 1).await?;
        let RetryAfter::After(told) = denied.retry_after() else {
            return Err(Broken::new(format!("expected a wait, found {denied:?}")));
        };
        ensure!(
            told + Duration::from_nanos(1) >= missing && told < missing + 2 * TICK,
            "unit {round}: expected a wait of about {missing:?}, found {told:?}"
        );
        bench.clock.advance(told);
        slept += told;
        bench.passes(&seven, &alice, 1).await?;
    }
    Ok(())
}

/// Who asks at the rate of the limit is never refused, and who asks a little faster is.
pub async fn the_amount_comes_back_evenly<M: Make>(make: &M) -> Verdict {
    let (bench, chat, alice) = (bench(make).await, chat()?, user("alice")?);
    bench.passes(&chat, &alice, 10).await?;
    for _ in 0..100 {
        bench.clock.advance(SECOND);
        bench.passes(&chat, &alice, 1).await?;
    }
    bench.clock.advance(SECOND - TICK);
    bench.fails(&chat, &alice, 1).await?;
    Ok(())
}

/// However long a key rests, and however full it was when it began to, it has its burst afterwards and no more.
pub async fn an_idle_key_gathers_no_more_than_its_burst<M: Make>(make: &M) -> Verdict {
    let chat = chat()?;
    for (used, rest) in [
        (1, SECOND - TICK),
        (1, SECOND),
        (10, 10 * SECOND - TICK),
        (10, 10 * SECOND),
        (5, 3_600 * SECOND),
        (10, 30 * DAY),
    ] {
        let (bench, alice) = (bench(make).await, user("alice")?);
        bench.passes(&chat, &alice, used).await?;
        bench.clock.advance(rest);
        let mut passed = 0;
        while passed < 40 && bench.one(&chat, &alice, 1).await?.is_allow() {
            passed += 1;
        }
        // Ten, or nine with a little of the tenth missing.
        let expected = if rest.subsec_millis() == 0 { 10 } else { 9 };
        ensure!(
            passed == expected,
            "after {used} used and {rest:?} of rest expected {expected} to pass, found {passed}"
        );
    }
    Ok(())
}

/// In any interval, wherever it begins, at most the burst and what the rate gives meanwhile passes.
pub async fn no_window_has_an_edge_to_slip_through<M: Make>(make: &M) -> Verdict {
    let ten = limit("ten", 10, 60 * SECOND, 10)?;
    let bench = bench(make).await;
    // Windows may begin with the first request or on the full minute of some clock. A round takes 61.5 seconds, so forty of
    // them meet such a minute in every phase.
    for round in 0..40 {
        let alice = user(round.to_string())?;
        bench.passes(&ten, &alice, 1).await?;
        bench.clock.advance(59 * SECOND);
        let mut passed = 0;
        for _ in 0..5 {
            while passed <= 10 && bench.one(&ten, &alice, 1).await?.is_allow() {
                passed += 1;
            }
            bench.clock.advance(SECOND / 2);
        }
        ensure!(
            passed <= 10,
            "within two seconds more than 10 of 10 a minute passed"
        );
    }
    Ok(())
}

/// A request that costs more than the burst is told so, and charged nothing: no wait would help it.
pub async fn a_cost_above_the_burst_is_never_and_charges_nothing<M: Make>(make: &M) -> Verdict {
    let (bench, chat, alice) = (bench(make).await, chat()?, user("alice")?);
    for cost in [11, 1_000_000, u64::MAX] {
        let denied = bench.fails(&chat, &alice, cost).await?;
        ensure!(
            denied.retry_after() == RetryAfter::Never,
            "a cost of {cost} with a burst of 10 got {denied:?}"
        );
    }
    bench.passes(&chat, &alice, 10).await?;
    // Also beside a limit that only wants patience.
    let wide = limit("wide", 100, SECOND, 100)?;
    let both = [
        Charge::new(&chat, &alice, 1),
        Charge::new(&wide, &alice, 101),
    ];
    let Decision::Deny(denied) = bench.ask(&both).await? else {
        return Err(Broken::new("a cost above the burst passed"));
    };
    ensure!(
        denied.retry_after() == RetryAfter::Never && denied.binding().limit.name() == "wide",
        "expected never, because of the wide limit, found {denied:?}"
    );
    Ok(())
}

/// Nothing may always be taken, even from an empty bucket, and takes nothing.
pub async fn a_charge_of_nothing_passes_and_tells_what_remains<M: Make>(make: &M) -> Verdict {
    let (bench, chat, alice) = (bench(make).await, chat()?, user("alice")?);
    for left in [10, 7, 0] {
        for _ in 0..3 {
            let found = bench.remaining(&chat, &alice).await?;
            ensure!(found == left, "expected {left} to remain, found {found}");
        }
        bench
            .passes(&chat, &alice, if left == 10 { 3 } else { left })
            .await?;
    }
    Ok(())
}

/// A request takes from all its limits or from none.
pub async fn several_limits_are_charged_together_or_not_at_all<M: Make>(make: &M) -> Verdict {
    let (bench, chat, alice) = (bench(make).await, chat()?, user("alice")?);
    let tokens = limit("tokens", 1_000, SECOND, 1_000)?;
    let everyone = Key::global();
    let charges = |cost| {
        [
            Charge::new(&tokens, &alice, cost),
            Charge::new(&chat, &alice, 4),
            Charge::new(&tokens, &everyone, cost),
        ]
    };
    for _ in 0..2 {
        let answer = bench.ask(&charges(100)).await?;
        ensure!(answer.is_allow(), "expected both to pass, found {answer:?}");
    }
    for _ in 0..5 {
        let Decision::Deny(denied) = bench.ask(&charges(100)).await? else {
            return Err(Broken::new("12 of 10 passed beside another limit"));
        };
        wait(&denied, 2 * SECOND)?;
        let statuses: Vec<_> = denied.statuses().collect();
        ensure!(
            statuses[0].remaining == 800
                && statuses[0].retry_after.is_none()
                && statuses[1].remaining == 2
                && statuses[1].retry_after.is_some()
                && statuses[2].remaining == 800,
            "expected 800, 2 and 800 to remain, uncharged, found {denied:?}"
        );
    }
    for (key, left) in [(&alice, 800), (&everyone, 800)] {
        let found = bench.remaining(&tokens, key).await?;
        ensure!(
            found == left,
            "a refused request left {found} of {left} to {key}"
        );
    }
    bench.clock.advance(2 * SECOND);
    ensure!(
        bench.ask(&charges(1_000)).await?.is_allow(),
        "after the wait it should pass"
    );
    Ok(())
}

/// With several limits in the way, the wait is the longest of theirs: after it the request passes all of them.
pub async fn the_longest_wait_binds<M: Make>(make: &M) -> Verdict {
    let (bench, chat, alice) = (bench(make).await, chat()?, user("alice")?);
    let slow = limit("slow", 1, 60 * SECOND, 1)?;
    bench.passes(&chat, &alice, 10).await?;
    bench.passes(&slow, &alice, 1).await?;
    for turned in [false, true] {
        let mut charges = [Charge::new(&chat, &alice, 5), Charge::new(&slow, &alice, 1)];
        if turned {
            charges.reverse();
        }
        let Decision::Deny(denied) = bench.ask(&charges).await? else {
            return Err(Broken::new("two empty buckets let a request pass"));
        };
        wait(&denied, 60 * SECOND)?;
        ensure!(
            denied.binding().limit.name() == "slow",
            "expected the slow limit to bind, found {denied:?}"
        );
        ensure!(
            denied.statuses().all(|status| status.retry_after.is_some()),
            "both refuse, found {denied:?}"
        );
    }
    bench.clock.advance(60 * SECOND);
    let charges = [Charge::new(&chat, &alice, 5), Charge::new(&slow, &alice, 1)];
    ensure!(
        bench.ask(&charges).await?.is_allow(),
        "after the longest wait it should pass"
    );
    Ok(())
}

/// The first status is that of the first charge, and so on.
pub async fn answers_come_in_the_order_of_the_charges<M: Make>(make: &M) -> Verdict {
    let (bench, alice, bob) = (bench(make).await, user("alice")?, user("bob")?);
    let limits = [
        limit("zebra", 10, DAY, 10)?,
        limit("ant", 20, DAY, 20)?,
        limit("mole", 30, DAY, 30)?,
    ];
    let charges = [
        Charge::new(&limits[0], &bob, 1),
        Charge::new(&limits[1], &alice, 2),
        Charge::new(&limits[2], &bob, 3),
        Charge::new(&limits[0], &alice, 4),
    ];
    let Decision::Allow(allowed) = bench.ask(&charges).await? else {
        return Err(Broken::new("full buckets refused a request"));
    };
    for (charge, status) in charges.iter().zip(allowed.statuses()) {
        ensure!(
            status.limit == *charge.limit && status.remaining == charge.limit.burst() - charge.cost,
            "the status of {charge:?} is {status:?}"
        );
    }
    Ok(())
}

/// Two keys are one only if all their bytes are the same.
pub async fn keys_that_look_alike_stay_apart<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let one = limit("one", 1, DAY, 1)?;
    let long = vec![b'x'; Key::VALUE_BYTES_MAX];
    let mut longer = long.clone();
    longer[Key::VALUE_BYTES_MAX - 1] = b'y';
    let nested = user("a")?
        .with(Dimension::Org, "b")
        .map_err(|error| Broken::new(error.to_string()))?;
    let org = Key::new(Dimension::Org, "a").map_err(|error| Broken::new(error.to_string()))?;
    let mut keys = vec![Key::global(), nested, org];
    let values: [&[u8]; 12] = [
        b"", b"a", b"A", b" a", b"a ", b"a\0", b"a%", b"a_", b"a/org=b", b"\xff", &long, &longer,
    ];
    for value in values {
        keys.push(user(value)?);
    }
    // `é` as one character and as two: no store may take them for one.
    keys.push(user("\u{e9}")?);
    keys.push(user("e\u{301}")?);
    for key in &keys {
        bench.passes(&one, key, 1).await?;
    }
    for key in &keys {
        bench.fails(&one, key, 1).await?;
    }
    Ok(())
}

/// The same key under another limit is another counter.
pub async fn limits_of_one_key_stay_apart<M: Make>(make: &M) -> Verdict {
    let (bench, alice) = (bench(make).await, user("alice")?);
    let names = ["a", "A", "b", "a.b", "a-b", "a_b", "ab"];
    for name in names {
        bench.passes(&limit(name, 1, DAY, 1)?, &alice, 1).await?;
    }
    for name in names {
        bench.fails(&limit(name, 1, DAY, 1)?, &alice, 1).await?;
    }
    Ok(())
}

/// Where an operator changes a limit, its keys owe what they owed; nobody gets a full bucket as a present.
pub async fn a_changed_limit_keeps_what_was_used<M: Make>(make: &M) -> Verdict {
    let (bench, alice) = (bench(make).await, user("alice")?);
    let before = limit("chat", 60, 60 * SECOND, 10)?;
    let raised = limit("chat", 60, 60 * SECOND, 12)?;
    let lowered = limit("chat", 60, 60 * SECOND, 4)?;
    bench.passes(&before, &alice, 10).await?;
    let left = bench.remaining(&raised, &alice).await?;
    ensure!(
        left == 2,
        "a burst raised from 10 to 12 gives 2, not {left}"
    );
    // Ten seconds are owed, and the lowered limit holds four: it is empty, and not shut for longer than it takes to fill.
    let denied = bench.fails(&lowered, &alice, 1).await?;
    wait(&denied, SECOND)?;
    Ok(())
}

/// A burst of 2^53 and a rate of a thousand million a second are counted to the unit.
pub async fn the_largest_amounts_never_wrap<M: Make>(make: &M) -> Verdict {
    let (bench, alice) = (bench(make).await, user("alice")?);
    let burst = 1 << 53;
    let huge = limit("huge", 1_000_000_000, SECOND, burst)?;
    bench.passes(&huge, &alice, 1).await?;
    let left = bench.remaining(&huge, &alice).await?;
    ensure!(left == burst - 1, "expected 2^53 - 1, found {left}");
    bench.passes(&huge, &alice, burst - 1).await?;
    wait(&bench.fails(&huge, &alice, 5_000_000).await?, 5 * TICK)?;
    bench.clock.advance(5 * TICK);
    let status = bench.passes(&huge, &alice, 5_000_000).await?;
    ensure!(
        status.remaining == 0,
        "expected nothing to remain, found {status:?}"
    );
    Ok(())
}

/// A request of eight charges is served as one.
pub async fn the_most_charges_a_request_may_have_are_served<M: Make>(make: &M) -> Verdict {
    let (bench, two) = (bench(make).await, limit("two", 2, DAY, 2)?);
    let keys: Vec<Key> = (0..CheckRequest::CHARGES_MAX)
        .map(|number| user(number.to_string()))
        .collect::<Result<_, _>>()?;
    let charges: Vec<Charge<'_>> = keys.iter().map(|key| Charge::new(&two, key, 1)).collect();
    for expected in [true, true, false] {
        let answer = bench.ask(&charges).await?;
        ensure!(
            answer.is_allow() == expected,
            "expected {expected}, found {answer:?}"
        );
    }
    for key in &keys {
        let left = bench.remaining(&two, key).await?;
        ensure!(left == 0, "{key} was charged twice, and {left} remain of 2");
    }
    Ok(())
}

/// Requests in flight at the same time are decided one after the other.
pub async fn racers_never_share_the_last_unit<M: Make>(make: &M) -> Verdict {
    let (bench, chat, alice) = (bench(make).await, chat()?, user("alice")?);
    let racers = (0..40).map(|_| bench.one(&chat, &alice, 1));
    let mut passed = 0;
    for answer in join_all(racers).await {
        passed += u32::from(answer?.is_allow());
    }
    ensure!(passed == 10, "of ten units, {passed} racers got one");
    Ok(())
}

/// Requests that name the same keys in different orders do not wait for one another for ever.
pub async fn crossed_keys_never_lock_each_other_out<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let many = limit("many", 1_000, DAY, 1_000)?;
    let keys: Vec<Key> = (0..6)
        .map(|number| user(number.to_string()))
        .collect::<Result<_, _>>()?;
    let orders: Vec<Vec<Charge<'_>>> = (0..60)
        .map(|turn| {
            let mut charges: Vec<_> = keys.iter().map(|key| Charge::new(&many, key, 1)).collect();
            charges.rotate_left(turn % 6);
            if turn % 2 == 1 {
                charges.reverse();
            }
            charges
        })
        .collect();
    for answer in join_all(orders.iter().map(|charges| bench.ask(charges))).await {
        ensure!(answer?.is_allow(), "there was enough for all");
    }
    for key in &keys {
        let left = bench.remaining(&many, key).await?;
        ensure!(left == 940, "60 of 1,000 were taken, {left} remain");
    }
    Ok(())
}
