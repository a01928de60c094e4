//! The rules are tested too: an honest limiter passes all of them, and every lie is caught.

mod common;

use std::{
    collections::HashMap,
    future::{Ready, ready},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use palisade_conformance::{
    Verdict, block_on,
    rate_limit::{self, Setup},
};
use palisade_core::{
    Clock, Decision, Instant, Key, ManualClock, RetryAfter, StoreError, StoreErrorKind,
};
use palisade_rate_limit::{
    Algorithm, Allowed, Charge, Denied, HoldId, InMemory, Limit, MemoryConfig, Outcome, Over,
    RateLimiter, ReserveRequest, SettleRequest, Settled, Status, Use,
    model::{Counter, Record, bucket, reserve, settle},
};

use common::{
    Suspect, each_breaks_the_rule_made_for_it, keeps_every_rule, random_play_finds, tells_its_seed,
    yield_once,
};

/// The ways in which a limiter has been seen to be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    /// Lets pass, and keeps nothing.
    Forgets,
    /// Forgets a key once the key has rested for half its wait.
    ForgetsEarly,
    /// Sells each unit of a request of more than one twice.
    SpendsTwice,
    /// Its clock stands still.
    ClockStandsStill,
    /// Its clock starts over with every call.
    ClockStartsOver,
    /// Its clock knows whole seconds.
    ClockOfSeconds,
    /// Reads, waits, and writes back what it read: another's charge in between is lost.
    ChecksThenActs,
    /// Charges what it refuses.
    ChargesRefusals,
    /// Charges the limits that would have let a refused request pass.
    ChargesSome,
    /// Charges only the first limit of a request.
    ChargesFirst,
    /// Fixed windows: everything is back when the window ends.
    Windows,
    /// An idle key gathers a second burst.
    GathersTwice,
    /// The last unit is never given.
    OffByOne,
    /// Tells a request that can never pass to come back.
    NeverSaysNever,
    /// The wait is that of one unit, whatever the request costs.
    WaitsForOne,
    /// The wait is rounded down to whole seconds.
    RoundsDown,
    /// The shortest wait of several.
    ShortestWait,
    /// Units of whole microseconds.
    Drifts,
    /// Refuses a charge of nothing when there is nothing.
    RefusesNothing,
    /// Upper and lower case are one.
    FoldsCase,
    /// All limits of a key are one.
    IgnoresNames,
    /// A changed limit starts afresh.
    ResetsOnChange,
    /// Counts in 32 bits.
    Wraps,
    /// Answers in the order of its own.
    Sorts,
    /// A repeated reservation is charged again.
    ReservesAgain,
    /// A repeated settlement gives back again.
    SettlesAgain,
    /// What was used beyond the reservation is written off.
    ForgivesDebts,
    /// What was not used stays taken.
    KeepsTheRest,
    /// What is given back goes wherever there is room, not only where it came from.
    RefundsAnywhere,
    /// A hold that nobody settles never ends.
    NeverExpires,
    /// A hold goes on as long as anybody uses its keys.
    ActivityRenews,
    /// A refused top-up ends the hold.
    ToppedOut,
    /// A question without a charge is charged.
    PeeksAreChecks,
    /// What is to be owed is refused.
    NeverLends,
    /// A reset forgets nothing.
    NeverResets,
}

struct Liar {
    lie: Lie,
    clock: ManualClock,
    started: Instant,
    states: Mutex<Known>,
}

#[derive(Clone, Default)]
struct Known {
    counters: HashMap<String, Counter>,
    holds: HashMap<HoldId, Record<String>>,
}

impl Liar {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Instant {
        let now = self.clock.instant();
        match self.lie {
            Lie::ClockStandsStill => self.started,
            Lie::ClockStartsOver => Instant::from_nanos(1),
            Lie::ClockOfSeconds => {
                Instant::from_nanos(now.as_nanos() / 1_000_000_000 * 1_000_000_000)
            }
            Lie::Windows => Instant::from_nanos(now.as_nanos() / 60_000_000_000 * 60_000_000_000),
            _ => now,
        }
    }

    fn name(&self, limit: &Limit, key: &Key) -> String {
        let (name, kind, key) = (limit.name(), limit.algorithm(), key.as_str());
        match self.lie {
            Lie::FoldsCase => format!("{name} {kind:?} {}", key.to_lowercase()),
            Lie::IgnoresNames => format!("{kind:?} {key}"),
            Lie::ResetsOnChange => format!("{name} {kind:?} {} {key}", limit.burst()),
            _ => format!("{name} {kind:?} {key}"),
        }
    }

    /// What the lie makes of a limit.
    fn limit(&self, limit: &Limit) -> Limit {
        if limit.algorithm() != Algorithm::TokenBucket {
            return *limit;
        }
        let bent = match self.lie {
            Lie::GathersTwice => limit.with_burst(limit.burst() * 2),
            Lie::OffByOne if limit.burst() > 1 => limit.with_burst(limit.burst() - 1),
            Lie::Drifts => {
                let unit = limit.period() / u32::try_from(limit.amount()).unwrap_or(1);
                let micros = u64::try_from(unit.as_micros()).unwrap_or(1).max(1);
                Limit::new(limit.name(), 1, Duration::from_micros(micros))
                    .and_then(|slow| slow.with_burst(limit.burst()))
            }
            _ => Ok(*limit),
        };
        bent.unwrap_or(*limit)
    }

    fn cost(&self, cost: u64) -> u64 {
        match self.lie {
            Lie::SpendsTwice => cost.div_ceil(2),
            Lie::Wraps => u64::from(cost as u32),
            _ => cost,
        }
    }

    fn wait(&self, wait: RetryAfter, limit: &Limit) -> RetryAfter {
        match (self.lie, wait) {
            (Lie::NeverSaysNever, RetryAfter::Never) => RetryAfter::After(limit.fill_time()),
            (Lie::WaitsForOne, RetryAfter::After(_)) => {
                RetryAfter::After(limit.period() / u32::try_from(limit.amount()).unwrap_or(1))
            }
            (Lie::RoundsDown, RetryAfter::After(wait)) => {
                RetryAfter::After(Duration::from_secs(wait.as_secs()))
            }
            _ => wait,
        }
    }

    /// Turns an answer about bent charges into one about the real ones, with the waits the lie would tell.
    fn tell(
        &self,
        charges: &[Charge<'_>],
        answer: Decision<Allowed, Denied>,
    ) -> Decision<Allowed, Denied> {
        let statuses: Vec<Status> = match &answer {
            Decision::Allow(allowed) => allowed.statuses().copied().collect(),
            Decision::Deny(denied) => denied.statuses().copied().collect(),
        };
        let shortest = statuses
            .iter()
            .filter_map(|status| status.retry_after?.duration())
            .min();
        let mut told: Vec<Status> = statuses
            .into_iter()
            .zip(charges)
            .map(|(mut status, charge)| {
                status.limit = *charge.limit;
                status.retry_after = status.retry_after.map(|wait| self.wait(wait, charge.limit));
                if let (Lie::ShortestWait, Some(RetryAfter::After(_)), Some(shortest)) =
                    (self.lie, status.retry_after, shortest)
                {
                    status.retry_after = Some(RetryAfter::After(shortest));
                }
                status
            })
            .collect();
        if self.lie == Lie::Sorts {
            told.sort_by(|left, right| left.limit.name().cmp(right.limit.name()));
        }
        match answer {
            Decision::Allow(_) => Decision::Allow(Allowed::from_statuses(told).expect("all pass")),
            Decision::Deny(_) => Decision::Deny(Denied::from_statuses(told).expect("one refuses")),
        }
    }

    fn decide(
        &self,
        asked: ReserveRequest<'_>,
        known: &mut Known,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let now = self.now();
        let real = asked.charges;
        let limits: Vec<Limit> = real.iter().map(|charge| self.limit(charge.limit)).collect();
        let bent: Vec<Charge<'_>> = real
            .iter()
            .zip(&limits)
            .map(|(charge, limit)| Charge::new(limit, charge.key, self.cost(charge.cost)))
            .collect();
        let mut request = asked;
        request.charges = &bent;
        match self.lie {
            Lie::PeeksAreChecks => request.dry_run = false,
            Lie::NeverLends => request.over = Over::Refuse,
            _ => {}
        }
        let names: Vec<String> = real.iter().map(|c| self.name(c.limit, c.key)).collect();
        let mut counters: Vec<Counter> = names
            .iter()
            .zip(&bent)
            .map(|(name, charge)| {
                let counter = known.counters.get(name).cloned();
                counter.unwrap_or_else(|| Counter::new(charge.limit))
            })
            .collect();
        match self.lie {
            Lie::ForgetsEarly => {
                for (counter, charge) in counters.iter_mut().zip(&bent) {
                    let owed = counter.fresh_at(charge.limit).saturating_since(now);
                    if owed < charge.limit.fill_time() / 2 {
                        *counter = Counter::new(charge.limit);
                    }
                }
            }
            Lie::RefusesNothing => {
                for (charge, counter) in bent.iter().zip(&mut counters) {
                    counter.prune(charge.limit, now);
                    let mut status = counter.status(charge.limit, now, None);
                    if charge.cost == 0 && status.remaining == 0 {
                        status.retry_after = Some(RetryAfter::After(status.reset));
                        let denied = Denied::from_statuses([status]).expect("one refuses");
                        return Ok(Decision::Deny(denied));
                    }
                }
            }
            Lie::NeverExpires | Lie::ActivityRenews => {
                let renewed = match self.lie {
                    Lie::NeverExpires => Instant::from_nanos(u64::MAX),
                    _ => now.saturating_add(Duration::from_secs(600)),
                };
                for counter in &mut counters {
                    if let Counter::Concurrency(leases) = counter {
                        for lease in &mut leases.leases {
                            lease.until = lease.until.max(renewed);
                        }
                    }
                }
            }
            _ => {}
        }
        let before = counters.clone();
        let mut record = request
            .hold
            .and_then(|hold| known.holds.get(&hold.id()).cloned());
        if let (Lie::ReservesAgain, Some(record)) = (self.lie, &mut record) {
            for taken in &mut record.taken {
                taken.reserved = 0;
            }
        }
        let (answer, kept) =
            reserve(request, &names, &mut counters, record, now).map_err(|error| {
                StoreError::new(StoreErrorKind::Invalid, "reserving").with_source(error)
            })?;
        let refused = answer.is_deny();
        match self.lie {
            Lie::Forgets => counters = before,
            Lie::ChargesFirst => counters[1..].clone_from_slice(&before[1..]),
            Lie::ToppedOut if refused => {
                request.hold.map(|hold| known.holds.remove(&hold.id()));
            }
            Lie::ChargesRefusals | Lie::ChargesSome if refused => {
                for (counter, charge) in counters.iter_mut().zip(&bent) {
                    let passes = counter.ask(charge.limit, charge.cost, now).is_none();
                    if passes && self.lie == Lie::ChargesSome {
                        counter.take(charge.limit, charge.cost, now, None);
                    } else if self.lie == Lie::ChargesRefusals
                        && let Counter::Bucket(state, _) = counter
                    {
                        let full = now.saturating_add(charge.limit.fill_time()).as_nanos();
                        *state = bucket::State::from_parts(full, 0, false);
                    }
                }
            }
            _ => {}
        }
        if !request.dry_run {
            known.counters.extend(names.into_iter().zip(counters));
        }
        if let (Some(hold), Some(kept)) = (request.hold, kept) {
            known.holds.insert(hold.id(), kept);
        }
        Ok(self.tell(real, answer))
    }

    fn end(&self, request: SettleRequest<'_>, known: &mut Known) -> Settled {
        let now = self.now();
        let names: Vec<String> = request
            .uses()
            .iter()
            .map(|used| self.name(used.limit, used.key))
            .collect();
        let mut counters: Vec<Counter> = names
            .iter()
            .zip(request.uses())
            .map(|(name, used)| {
                let counter = known.counters.get(name).cloned();
                counter.unwrap_or_else(|| Counter::new(used.limit))
            })
            .collect();
        let mut record = known.holds.get(&request.id).cloned();
        let uses: Vec<Use<'_>> = request
            .uses()
            .iter()
            .map(|used| {
                let mut used = *used;
                match self.lie {
                    Lie::ForgivesDebts => used.used = used.used.min(used.reserved),
                    Lie::KeepsTheRest => used.used = used.used.max(used.reserved),
                    _ => {}
                }
                used
            })
            .collect();
        if let Some(record) = &mut record {
            match self.lie {
                Lie::NeverExpires => record.until = Instant::from_nanos(u64::MAX),
                Lie::RefundsAnywhere => {
                    for (taken, counter) in record.taken.iter_mut().zip(&counters) {
                        taken.mark.nanos = match counter {
                            Counter::FixedWindow(windows) | Counter::SlidingWindow(windows) => {
                                windows.index
                            }
                            _ => u64::MAX >> 2,
                        };
                    }
                }
                _ => {}
            }
        }
        let taken = record.as_ref().map(|record| record.taken.clone());
        let bent = SettleRequest::new(request.id, &uses).expect("a request that was one before");
        let (settled, mut record) = settle(bent, &names, &mut counters, record, now);
        if let (Lie::SettlesAgain, Outcome::Settled, Some(taken)) =
            (self.lie, settled.outcome(), taken)
        {
            record.settled = false;
            record.taken = taken;
        }
        if self.lie != Lie::Forgets {
            known.counters.extend(names.into_iter().zip(counters));
        }
        known.holds.insert(request.id, record);
        settled
    }
}

impl RateLimiter for Liar {
    async fn reserve(
        &self,
        request: ReserveRequest<'_>,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        if self.lie == Lie::ChecksThenActs {
            let mut read = self.lock().clone();
            let answer = self.decide(request, &mut read);
            yield_once().await;
            *self.lock() = read;
            return answer;
        }
        self.decide(request, &mut self.lock())
    }

    async fn settle(&self, request: SettleRequest<'_>) -> Result<Settled, StoreError> {
        Ok(self.end(request, &mut self.lock()))
    }

    async fn reset(&self, limit: &Limit, key: &Key) -> Result<(), StoreError> {
        if self.lie != Lie::NeverResets {
            self.lock().counters.remove(&self.name(limit, key));
        }
        Ok(())
    }
}

fn make(lie: Lie, setup: Setup) -> Ready<Liar> {
    ready(Liar {
        lie,
        started: setup.clock.instant(),
        clock: setup.clock,
        states: Mutex::default(),
    })
}

impl Suspect for Lie {
    fn ask(self) -> Vec<(&'static str, Verdict)> {
        block_on(rate_limit::all(&move |setup| make(self, setup)))
    }

    fn play(self, seed: u64) -> Verdict {
        let make = move |setup| make(self, setup);
        block_on(rate_limit::agrees_with_the_model(&make, seed))
    }
}

mod honest {
    use super::{Liar, Lie, Ready, Setup};

    fn make(setup: Setup) -> Ready<Liar> {
        super::make(Lie::None, setup)
    }

    palisade_conformance::rate_limiter_suite!(make);
}

#[test]
fn the_limiter_in_memory_keeps_every_rule() {
    let make = |setup: Setup| {
        ready(InMemory::new(MemoryConfig::default(), setup.clock).expect("a capacity in range"))
    };
    keeps_every_rule(block_on(rate_limit::all(&make)));
    for seed in 0..100 {
        palisade_conformance::suite::hold(block_on(rate_limit::agrees_with_the_model(&make, seed)));
    }
}

#[test]
fn every_liar_breaks_the_rule_made_for_it() {
    each_breaks_the_rule_made_for_it(&[
        (Lie::Forgets, "the_burst_passes_and_one_more_does_not"),
        (
            Lie::ForgetsEarly,
            "a_refusal_ends_at_exactly_the_announced_instant",
        ),
        (
            Lie::SpendsTwice,
            "several_limits_are_charged_together_or_not_at_all",
        ),
        (Lie::ClockStandsStill, "the_amount_comes_back_evenly"),
        (
            Lie::ClockStartsOver,
            "an_idle_key_gathers_no_more_than_its_burst",
        ),
        (
            Lie::ClockOfSeconds,
            "a_refusal_ends_at_exactly_the_announced_instant",
        ),
        (Lie::ChecksThenActs, "racers_never_share_the_last_unit"),
        (Lie::ChargesRefusals, "a_refusal_charges_nothing"),
        (
            Lie::ChargesSome,
            "several_limits_are_charged_together_or_not_at_all",
        ),
        (
            Lie::ChargesFirst,
            "the_most_charges_a_request_may_have_are_served",
        ),
        (Lie::Windows, "no_window_has_an_edge_to_slip_through"),
        (
            Lie::GathersTwice,
            "an_idle_key_gathers_no_more_than_its_burst",
        ),
        (Lie::OffByOne, "the_burst_passes_and_one_more_does_not"),
        (
            Lie::NeverSaysNever,
            "a_cost_above_the_burst_is_never_and_charges_nothing",
        ),
        (
            Lie::WaitsForOne,
            "a_refusal_ends_at_exactly_the_announced_instant",
        ),
        (
            Lie::RoundsDown,
            "a_refusal_ends_at_exactly_the_announced_instant",
        ),
        (Lie::ShortestWait, "the_longest_wait_binds"),
        (Lie::Drifts, "a_rate_of_no_whole_nanosecond_does_not_drift"),
        (
            Lie::RefusesNothing,
            "a_charge_of_nothing_passes_and_tells_what_remains",
        ),
        (Lie::FoldsCase, "keys_that_look_alike_stay_apart"),
        (Lie::IgnoresNames, "limits_of_one_key_stay_apart"),
        (Lie::ResetsOnChange, "a_changed_limit_keeps_what_was_used"),
        (Lie::Wraps, "the_largest_amounts_never_wrap"),
        (Lie::Sorts, "answers_come_in_the_order_of_the_charges"),
        (Lie::KeepsTheRest, "what_was_not_used_comes_back"),
        (Lie::ForgivesDebts, "what_was_used_beyond_is_owed"),
        (Lie::ReservesAgain, "a_repeated_reservation_counts_once"),
        (Lie::SettlesAgain, "a_settlement_counts_once"),
        (
            Lie::RefundsAnywhere,
            "nothing_comes_back_into_another_window",
        ),
        (
            Lie::RefundsAnywhere,
            "nothing_comes_back_that_time_has_brought_back",
        ),
        (
            Lie::NeverExpires,
            "a_permit_comes_back_however_busy_its_key_is",
        ),
        (
            Lie::ActivityRenews,
            "a_permit_comes_back_however_busy_its_key_is",
        ),
        (Lie::ToppedOut, "a_top_up_takes_the_difference_or_nothing"),
        (Lie::NeverLends, "who_may_owe_passes_and_owes"),
        (Lie::PeeksAreChecks, "a_dry_run_changes_nothing"),
        (Lie::NeverResets, "a_reset_forgets_what_was_used"),
        (
            Lie::Forgets,
            "no_interval_of_a_log_holds_more_than_its_amount",
        ),
    ]);
}

#[test]
fn random_play_finds_the_liars_that_need_no_race_and_no_special_key() {
    random_play_finds(&[
        Lie::Forgets,
        Lie::ForgetsEarly,
        Lie::SpendsTwice,
        Lie::ClockStandsStill,
        Lie::ClockStartsOver,
        Lie::ClockOfSeconds,
        Lie::ChargesRefusals,
        Lie::ChargesSome,
        Lie::ChargesFirst,
        Lie::Windows,
        Lie::GathersTwice,
        Lie::OffByOne,
        Lie::NeverSaysNever,
        Lie::WaitsForOne,
        Lie::RoundsDown,
        Lie::ShortestWait,
        Lie::RefusesNothing,
        Lie::IgnoresNames,
        Lie::Sorts,
        Lie::ReservesAgain,
        Lie::SettlesAgain,
        Lie::ForgivesDebts,
        Lie::KeepsTheRest,
        Lie::RefundsAnywhere,
        Lie::NeverExpires,
        Lie::ActivityRenews,
        Lie::ToppedOut,
        Lie::PeeksAreChecks,
        Lie::NeverLends,
        Lie::NeverResets,
    ]);
}

#[test]
fn a_broken_promise_says_how_to_play_it_again() {
    tells_its_seed(Lie::Forgets);
}
