//! What holds for every sequence of calls, every time and every zone.

use std::time::Duration;

use palisade_conformance::block_on;
use palisade_core::{Clock, Decision, Dimension, Key, ManualClock, RetryAfter, Timestamp};
use palisade_quota::{
    Amount, Defaults, Hold, InMemory, Outcome, Period, Phase, Place, Quota, QuotaLedger, Refusal,
    ReservationId, ReserveRequest, Resolve, ScopeState, SettleRequest, Window, Zone, balance,
    decide, expire, resolve,
};
use proptest::{collection::vec, prelude::*, sample::select};

const NOON: Timestamp = Timestamp::from_secs(1_795_176_000);

fn user(n: usize) -> Key {
    Key::new(Dimension::User, n.to_string()).expect("short")
}

fn amount(tokens: i64, nano_usd: i64) -> Amount {
    Amount::from_columns(tokens, nano_usd).expect("not negative")
}

fn quota(limit: Amount) -> Quota {
    Quota::default()
        .with_tokens(Some(limit.tokens()))
        .and_then(|quota| quota.with_money(Some(limit.money())))
        .expect("a limit in range")
}

fn amounts(most: i64) -> impl Strategy<Value = Amount> {
    (0..=most, 0..=most).prop_map(|(tokens, nano)| amount(tokens, nano))
}

/// Any amount, and often one at the edge of what can be counted.
fn edges() -> impl Strategy<Value = Amount> {
    let edge = || {
        prop_oneof![
            Just(0),
            Just(1),
            Just(i64::MAX - 1),
            Just(i64::MAX),
            0..=i64::MAX
        ]
    };
    (edge(), edge()).prop_map(|(tokens, nano)| amount(tokens, nano))
}

#[derive(Clone, Debug)]
enum Call {
    Reserve(u128, Vec<usize>, Amount, u64),
    Settle(u128, Amount),
    Release(u128),
    Advance(u64),
    Limit(usize, Amount),
    Expire(usize),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        6 => (0..40_u128, vec(0..3_usize, 1..4), amounts(40), 1..5_000_u64)
            .prop_map(|(id, scopes, ask, wait)| Call::Reserve(id, scopes, ask, wait)),
        4 => (0..40_u128, amounts(60)).prop_map(|(id, actual)| Call::Settle(id, actual)),
        2 => (0..40_u128).prop_map(Call::Release),
        3 => (0..30_000_u64).prop_map(Call::Advance),
        1 => (0..3_usize, amounts(150)).prop_map(|(scope, limit)| Call::Limit(scope, limit)),
        1 => (0..9_usize).prop_map(Call::Expire),
    ];
    vec(call, 1..120)
}

proptest! {
    /// After every grant, spent and held are within the limit; at all times the books balance; what is booked as spent is
    /// exactly the sum of what settlements were told they had booked.
    #[test]
    fn no_sequence_of_calls_overspends_or_loses_a_cost(calls in calls()) {
        let clock = ManualClock::at(NOON);
        // A lifetime, so that everything that was ever booked is in one window.
        let forever = |limit| quota(limit).with_period(Period::Lifetime);
        let ledger = InMemory::new(clock.clone(), Defaults::new(forever(amount(100, 100))));
        let mut booked = [Amount::ZERO; 3];
        let mut taken: std::collections::HashMap<u128, Vec<usize>> = Default::default();
        for call in calls {
            match call {
                Call::Reserve(bits, scopes, ask, wait) => {
                    let id = ReservationId::from_u128(bits);
                    let request = ReserveRequest::new(id, scopes.iter().copied().map(user), ask)
                        .and_then(|request| request.with_timeout(Duration::from_secs(wait)))
                        .expect("a valid request");
                    // Another reservation's id is an error, which changes nothing.
                    if let Ok(Decision::Allow(granted)) = block_on(ledger.reserve(request))
                        && !granted.repeated
                    {
                        for balance in &granted.balances {
                            let within = |asks: bool, debt: bool| !asks || !debt;
                            prop_assert!(within(!ask.tokens().is_zero(), !balance.debt.tokens().is_zero()), "{:?}", balance);
                            prop_assert!(within(!ask.money().is_zero(), !balance.debt.money().is_zero()), "{:?}", balance);
                        }
                        let mut scopes = scopes;
                        scopes.sort_unstable();
                        scopes.dedup();
                        taken.insert(bits, scopes);
                    }
                }
                Call::Settle(bits, actual) => {
                    let id = ReservationId::from_u128(bits);
                    let resolution = block_on(ledger.settle(SettleRequest::new(id, actual))).expect("in range");
                    if !resolution.earlier {
                        for scope in &taken[&bits] {
                            booked[*scope] = booked[*scope].checked_add(actual).expect("small");
                        }
                    }
                }
                Call::Release(bits) => {
                    block_on(ledger.release(ReservationId::from_u128(bits))).expect("an answer");
                }
                Call::Advance(secs) => clock.advance(Duration::from_secs(secs)),
                Call::Limit(scope, limit) => {
                    block_on(ledger.set_quota(&user(scope), Some(forever(limit)))).expect("room");
                }
                Call::Expire(limit) => {
                    prop_assert!(block_on(ledger.expire(limit)).expect("an answer") <= limit);
                }
            }
            for (scope, booked) in booked.iter().enumerate() {
                let balance = block_on(ledger.balance(&user(scope))).expect("in range");
                prop_assert_eq!(balance.spent, *booked);
            }
        }
        // When all is over, nothing is held, and nothing that was spent has gone.
        clock.advance(ReserveRequest::TIMEOUT_MAX);
        for (scope, booked) in booked.iter().enumerate() {
            let balance = block_on(ledger.balance(&user(scope))).expect("in range");
            prop_assert_eq!((balance.spent, balance.held), (*booked, Amount::ZERO));
        }
    }

    /// A hold ends once in every order of calls and times; the sums follow its phases, however often they come.
    #[test]
    fn a_hold_is_taken_out_of_the_books_once(
        ask in edges(),
        ends in vec((0..4_u8, edges(), 0..3_u64), 1..8),
    ) {
        let place = Place { scope: user(1), window: Window::FOREVER };
        let mut now = NOON;
        let deadline = NOON.saturating_add(Duration::from_secs(2));
        let id = ReservationId::from_u128(1);
        let mut hold = Hold::new(id, vec![place], ask, deadline, Phase::Held);
        let (mut unheld, mut spent) = (0_u32, Vec::new());
        let mut first: Option<Outcome> = None;
        for (how, actual, pause) in ends {
            now = now.saturating_add(Duration::from_secs(pause));
            let (change, resolution) = match how {
                0 => (expire(&hold, now), None),
                1 => {
                    let step = resolve(&hold, Resolve::Release, now);
                    (step.change, Some(step.resolution))
                }
                _ => {
                    let step = resolve(&hold, Resolve::Settle(actual), now);
                    (step.change, Some(step.resolution))
                }
            };
            if let Some(change) = change {
                unheld += u32::from(hold.phase == Phase::Held);
                prop_assert_eq!(change.unhold, if hold.phase == Phase::Held { ask } else { Amount::ZERO });
                if let Phase::Settled { actual, .. } = change.phase {
                    spent.push(actual);
                    prop_assert_eq!(change.spend, actual);
                } else {
                    prop_assert_eq!(change.spend, Amount::ZERO);
                }
                hold.phase = change.phase;
            }
            if let Some(resolution) = resolution {
                if let Some(first) = first
                    && first != Outcome::Expired
                {
                    prop_assert_eq!(resolution.outcome, first);
                    prop_assert!(resolution.earlier);
                }
                first = Some(resolution.outcome);
            }
        }
        prop_assert!(unheld <= 1 && spent.len() <= 1);
    }

    /// At the edges of 64 bits the decision neither panics nor wraps, and admits exactly what fits.
    #[test]
    fn a_decision_is_exact_at_the_edges_of_what_can_be_counted(
        limit in edges(), spent in edges(), held in edges(), ask in edges(),
    ) {
        let window = Window::new(NOON, NOON.saturating_add(Duration::from_secs(60))).expect("in order");
        let state = ScopeState::new(user(1), quota(limit), window, spent, held);
        let request = ReserveRequest::new(ReservationId::from_u128(1), [user(1)], ask).expect("one");
        let fits = |measure| {
            let wide = |amount: Amount| i128::from(amount.get(measure));
            let unasked = wide(ask) == 0 && !ask.is_zero();
            unasked || wide(spent) + wide(held) + wide(ask) <= wide(limit)
        };
        let all = fits(palisade_quota::Measure::Tokens) && fits(palisade_quota::Measure::Money);
        let decision = decide(&request, std::slice::from_ref(&state), NOON);
        prop_assert_eq!(decision.is_allow(), all);
        if let Decision::Deny(refused) = decision {
            let beyond = ask.tokens() > limit.tokens() || ask.money() > limit.money();
            let expected = if beyond { RetryAfter::Never } else { RetryAfter::After(Duration::from_secs(60)) };
            // Both measures may refuse; only one of them may be hopeless.
            prop_assert!(refused.retry_after == expected || beyond, "{:?}", refused);
            let exhausted = matches!(refused.why, Refusal::Exhausted { .. });
            prop_assert!(exhausted);
        }
        let found = balance(&state);
        let sum = |amount: Amount| i128::from(amount.get(palisade_quota::Measure::Tokens));
        let free = i128::from(found.free.tokens.expect("limited").get());
        // Debt saturates only where it exceeds what can be counted, which no ledger lets happen.
        if sum(spent) + sum(held) - sum(limit) <= i128::from(i64::MAX) {
            prop_assert_eq!(sum(limit) + sum(found.debt), sum(spent) + sum(held) + free);
        }
    }

    /// Windows partition time, in every zone and every period.
    #[test]
    fn every_instant_lies_in_exactly_one_window(
        now in any::<i64>().prop_map(Timestamp::from_nanos),
        zone in select(vec![
            "UTC", "Africa/Cairo", "America/Havana", "America/St_Johns", "America/Toronto", "Asia/Gaza",
            "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "Europe/Dublin", "Antarctica/Troll",
            "America/Santiago", "Asia/Manila", "Africa/Monrovia",
        ]),
        period in select(vec![Period::Day, Period::Month, Period::Lifetime]),
    ) {
        let zone = Zone::named(zone).expect("a zone of the database");
        let window = period.window(now, &zone);
        prop_assert!(window.contains(now), "{:?} does not contain {}", window, now);
        let tick = Duration::from_nanos(1);
        for inside in [window.start(), window.end().saturating_sub(tick).max(window.start())] {
            prop_assert_eq!(period.window(inside, &zone), window);
        }
        if window.end() < Timestamp::MAX {
            prop_assert_eq!(period.window(window.end(), &zone).start(), window.end());
        }
        if window.start() > Timestamp::MIN {
            prop_assert_eq!(period.window(window.start().saturating_sub(tick), &zone).end(), window.start());
        }
    }

    /// The retry advice is true: nothing else happening, the request passes then, and not a tick before.
    #[test]
    fn a_refusal_tells_the_truth_about_when(spent in 0..=120_i64, ask in 1..=120_i64, offset in 0..86_400_u64) {
        let clock = ManualClock::at(NOON.saturating_add(Duration::from_secs(offset)));
        let ledger = InMemory::new(clock.clone(), Defaults::new(quota(amount(100, 0))));
        let request = |bits, tokens| {
            ReserveRequest::new(ReservationId::from_u128(bits), [user(1)], amount(tokens, 0)).expect("one")
        };
        block_on(ledger.reserve(request(1, 1))).map(drop).expect("an answer");
        block_on(ledger.settle(SettleRequest::new(ReservationId::from_u128(1), amount(spent, 0)))).expect("in range");
        match block_on(ledger.reserve(request(2, ask))).expect("an answer") {
            Decision::Allow(_) => prop_assert!(spent + ask <= 100),
            Decision::Deny(refused) => match refused.retry_after {
                RetryAfter::After(wait) => {
                    prop_assert!(spent + ask > 100 && ask <= 100);
                    clock.advance(wait.saturating_sub(Duration::from_nanos(1)));
                    prop_assert!(block_on(ledger.reserve(request(2, ask))).expect("an answer").is_deny());
                    clock.advance(Duration::from_nanos(1));
                    prop_assert!(block_on(ledger.reserve(request(2, ask))).expect("an answer").is_allow(), "at {}", clock.now());
                }
                advice => prop_assert!(ask > 100 && advice == RetryAfter::Never),
            },
        }
    }
}
