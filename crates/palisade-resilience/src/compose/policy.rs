use std::{fmt, future::Future, sync::Arc, time::Duration};

use palisade_core::{Clock, Decision, Key, SystemClock, Timer};

use super::config::{PolicyConfig, UnsoundPolicy};
use crate::{
    AdaptiveLimit, AsFailure, Attempt, Breaker, Bulkhead, Call, Classify, ClientThrottle, Deadline,
    ErrorKind, Failure, GaveUp, Hedger, PushbackGate, RetryBudget, RetryPolicy, Slot,
    format_duration, hedge, retry, timeout,
};

/// All guards of one upstream, in the one order in which they work.
///
/// From the outside in, with the reason why each stands where it does:
///
/// 1. *deadline*: it is of the whole, pauses included.
/// 2. *retry*, paid by the budget: every attempt goes through all that follows.
/// 3. *hedge*: of one attempt, on the same budget.
/// 4. *gate*: who was told to come back later, or would be, takes nobody's place.
/// 5. *concurrency*: a call that pauses holds no place, and one that finds none is nothing the breaker should hear of.
/// 6. *adaptive*: the same, with the limit that the upstream turns out to bear; what is fixed bounds it.
/// 7. *breaker*: every attempt asks anew, and hears of a time-out as of a failure.
/// 8. *throttle*: it weighs calls that would be made against those the upstream accepts, so what the breaker refuses is none of
///    its business; and for what it refuses itself, the breaker has its permit back.
/// 9. *timeout*: of one attempt, never longer than what is left of the whole.
/// 10. the call.
///
/// It is built once and checked as a whole; [`steps`](Policy::steps) and its `Display` tell the order, so that a test can
/// assert it. It is changed at run time through a [`PolicyCell`](crate::PolicyCell).
pub struct Policy<K: Clock = SystemClock> {
    config: PolicyConfig,
    retry: RetryPolicy,
    budget: Option<Arc<RetryBudget>>,
    hedger: Option<Arc<Hedger>>,
    gate: Option<PushbackGate<K>>,
    bulkhead: Option<Bulkhead>,
    adaptive: Option<AdaptiveLimit<K>>,
    breaker: Option<Breaker<K>>,
    throttle: Option<ClientThrottle<K>>,
    key: Key,
    clock: K,
}

/// Keys that a policy's gate may be shut for: its own, and what the host shuts itself.
const GATES: usize = 1_024;

/// One guard of a [`Policy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// A limit on the whole.
    Deadline,
    /// Repeats failed attempts.
    Retry,
    /// Sends a second request for a late answer.
    Hedge,
    /// Makes all calls obey what one of them was told.
    Gate,
    /// Limits the calls under way.
    Concurrency,
    /// Finds out how many calls the upstream carries.
    Adaptive,
    /// Leaves a failing upstream alone.
    Breaker,
    /// Refuses the share of the calls that the upstream would refuse.
    Throttle,
    /// A limit on one attempt.
    Timeout,
}

/// How an attempt under a [`Policy`] failed: what is known of it, and its outcome if there was one.
#[non_exhaustive]
pub struct Failed<T, E> {
    /// What is known of it.
    pub failure: Failure,
    /// What the operation ended with, unless a guard ended it or refused to begin it.
    pub outcome: Option<Result<T, E>>,
}

impl<K: Clock + Clone> Policy<K> {
    /// Builds the guards of `config`. The key names the breaker, and whom the gate is shut for.
    ///
    /// # Errors
    ///
    /// [`UnsoundPolicy`], with every field that is wrong.
    pub fn new(config: PolicyConfig, key: Key, clock: K) -> Result<Self, UnsoundPolicy> {
        Self::build(config, None, key, clock)
    }

    /// Builds the guards of `config`, taking over from `old` what has not been configured otherwise.
    pub(super) fn succeed(old: &Self, config: PolicyConfig) -> Result<Self, UnsoundPolicy> {
        Self::build(config, Some(old), old.key.clone(), old.clock.clone())
    }

    fn build(
        config: PolicyConfig,
        old: Option<&Self>,
        key: Key,
        clock: K,
    ) -> Result<Self, UnsoundPolicy> {
        config.check()?;
        // What has been checked builds; and if the check had forgotten something, this says so.
        let refused = |field| {
            let name = config.name.clone();
            move |why| UnsoundPolicy::of(&name, field, why)
        };
        let retry = match &config.retry {
            Some(retry) => retry.build().map_err(refused("retry"))?,
            None => RetryPolicy::once(),
        };
        let budget = match (&config.budget, old) {
            (None, _) => None,
            (Some(budget), Some(old)) if old.config.budget.as_ref() == Some(budget) => {
                old.budget.clone()
            }
            (Some(budget), old) => {
                let new = RetryBudget::new(*budget).map_err(refused("budget"))?;
                if let Some(old) = old.and_then(|old| old.budget.as_ref()) {
                    new.take_over(old, clock.instant());
                }
                Some(Arc::new(new))
            }
        };
        let hedger = match (&config.hedge, old) {
            (None, _) => None,
            (Some(hedge), Some(old)) if old.config.hedge.as_ref() == Some(hedge) => {
                old.hedger.clone()
            }
            (Some(hedge), _) => {
                let hedge = hedge.build().map_err(refused("hedge"))?;
                Some(Arc::new(Hedger::new(hedge)))
            }
        };
        let bulkhead = match &config.concurrency {
            None => None,
            Some(new) => {
                let checked = new.build().map_err(refused("concurrency"))?;
                Some(match old.and_then(|old| old.bulkhead.clone()) {
                    None => checked,
                    // The calls under way keep their places, and count against the new limit.
                    Some(places) => places
                        .with_queue(new.queue, new.patience)
                        .and_then(|places| places.set_limit(new.limit).map(|()| places))
                        .map_err(refused("concurrency"))?,
                })
            }
        };
        let breaker = match (config.breaker, old) {
            (None, _) => None,
            (Some(breaker), Some(old)) if old.config.breaker == Some(breaker) => {
                old.breaker.clone()
            }
            (Some(breaker), _) => {
                let breaker = breaker.build().map_err(refused("breaker"))?;
                Some(Breaker::new(key.clone(), breaker, clock.clone()))
            }
        };
        let gate = match (&config.gate, old) {
            (None, _) => None,
            (Some(gate), old) => {
                let new = PushbackGate::new(clock.clone())
                    .with_limit(GATES, gate.longest)
                    .map_err(refused("gate"))?;
                // What was told before the change still holds, for as long as the new one believes.
                let before = old.and_then(|old| Some((old.config.gate?, old.gate.as_ref()?)));
                Some(match before {
                    Some((config, old)) if config.longest == gate.longest => old.clone(),
                    Some((_, old)) => {
                        for (key, left) in old.shut() {
                            new.push(&key, left);
                        }
                        new
                    }
                    None => new,
                })
            }
        };
        let adaptive = match (config.adaptive, old) {
            (None, _) => None,
            (Some(adaptive), Some(old)) if old.config.adaptive == Some(adaptive) => {
                old.adaptive.clone()
            }
            (Some(adaptive), _) => {
                let adaptive = adaptive.build().map_err(refused("adaptive"))?;
                Some(AdaptiveLimit::new(adaptive, clock.clone()))
            }
        };
        let throttle = match (config.throttle, old) {
            (None, _) => None,
            (Some(throttle), Some(old)) if old.config.throttle == Some(throttle) => {
                old.throttle.clone()
            }
            (Some(throttle), _) => {
                let throttle = ClientThrottle::new(throttle, clock.clone());
                Some(throttle.map_err(refused("throttle"))?)
            }
        };
        Ok(Self {
            config,
            retry,
            budget,
            hedger,
            gate,
            bulkhead,
            adaptive,
            breaker,
            throttle,
            key,
            clock,
        })
    }

    /// Makes a call under all guards.
    ///
    /// `op` is asked for a future for each attempt; it is not told of attempts that a guard refuses. `call` says what is
    /// known of the request; its deadline is cut to that of the policy, and its budget is the policy's own unless it has
    /// one, such as its tenant's share.
    ///
    /// # Errors
    ///
    /// [`GaveUp`], with the last failure and the last outcome.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops whatever is under way, and gives back every place and permit.
    pub async fn run<T, E, Fut>(
        &self,
        call: Call<'_>,
        classify: &impl Classify<Result<T, E>>,
        timer: &impl Timer,
        op: impl Fn(Attempt) -> Fut,
    ) -> Result<T, GaveUp<T, E>>
    where
        Fut: Future<Output = Result<T, E>>,
    {
        let mut call = call;
        if let Some(whole) = self.config.deadline {
            let deadline = Deadline::after(&self.clock, whole);
            call.deadline = Some(call.deadline.map_or(deadline, |own| own.min(deadline)));
        }
        if call.budget.is_none() {
            call.budget = self.budget.as_deref();
        }
        let op = &op;
        let once = |attempt: Attempt| self.once(attempt, classify, timer, op);
        let each = |attempt: Attempt| async move {
            let Some(hedger) = &self.hedger else {
                return once(attempt).await;
            };
            let mut within = call.without_deposit();
            within.deadline = attempt.deadline;
            // The failures are told once, by the retry.
            within.observer = None;
            hedge(hedger, within, &AsFailure, timer, &self.clock, once)
                .await
                .map_err(|gave_up| {
                    let parts = gave_up.into_parts();
                    Failed {
                        failure: parts.failure,
                        outcome: parts.last.and_then(|last| last.err()?.outcome),
                    }
                })
        };
        retry(&self.retry, call, &AsFailure, timer, &self.clock, each)
            .await
            .map_err(|gave_up| {
                let parts = gave_up.into_parts();
                let last = parts.last.and_then(|last| last.err()?.outcome);
                GaveUp::new(parts.failure, last, parts.why, parts.attempts)
            })
    }

    /// One attempt: gate, concurrency, adaptive limit, breaker, throttle, time-out, call.
    async fn once<T, E, Fut>(
        &self,
        attempt: Attempt,
        classify: &impl Classify<Result<T, E>>,
        timer: &impl Timer,
        op: &impl Fn(Attempt) -> Fut,
    ) -> Result<T, Failed<T, E>>
    where
        Fut: Future<Output = Result<T, E>>,
    {
        let left = |attempt: &Attempt| {
            let now = self.clock.instant();
            attempt.remaining(now).unwrap_or(Duration::MAX)
        };
        if let (Some(gate), Some(config)) = (&self.gate, &self.config.gate) {
            let patience = config.patience.min(left(&attempt));
            if let Decision::Deny(advice) = gate.wait(&self.key, patience, timer).await {
                let failure = Failure::new(ErrorKind::RateLimited).not_processed();
                return Err(Failed::refused(failure.with_advice(advice)));
            }
        }
        let _place: Option<Slot> = match &self.bulkhead {
            None => None,
            Some(bulkhead) => match bulkhead.wait_for(1, left(&attempt), timer).await {
                Decision::Allow(place) => Some(place),
                Decision::Deny(busy) => return Err(Failed::refused(busy.into())),
            },
        };
        let slot = match &self.adaptive {
            None => None,
            Some(adaptive) => {
                let line = self.config.concurrency;
                let (queue, patience) = line.map_or((0, Duration::ZERO), |concurrency| {
                    (concurrency.queue, concurrency.patience)
                });
                let patience = patience.min(left(&attempt));
                match adaptive.wait(queue, patience, timer).await {
                    Decision::Allow(slot) => Some(slot),
                    Decision::Deny(busy) => return Err(Failed::refused(busy.into())),
                }
            }
        };
        let permit = match self.breaker.as_ref().map(Breaker::admit) {
            None => None,
            Some(Decision::Allow(permit)) => Some(permit),
            Some(Decision::Deny(denied)) => return Err(Failed::refused(denied.into())),
        };
        let asked = match self.throttle.as_ref().map(ClientThrottle::ask) {
            None => None,
            Some(Decision::Allow(asked)) => Some(asked),
            Some(Decision::Deny(_)) => {
                return Err(Failed::refused(ClientThrottle::<K>::refused()));
            }
        };
        let limited = self.config.attempt_timeout.is_some() || attempt.deadline.is_some();
        let ended = if limited {
            let own = self.config.attempt_timeout.unwrap_or(Duration::MAX);
            let length = own.min(left(&attempt));
            let mut attempt = attempt;
            attempt.deadline = Some(Deadline::after(&self.clock, length));
            timeout(timer, length, op(attempt)).await
        } else {
            Ok(op(attempt).await)
        };
        let ended = match ended {
            Err(elapsed) => Err(Failed::refused(elapsed.into())),
            Ok(outcome) => match (classify.classify(&outcome), outcome) {
                (None, Ok(value)) => Ok(value),
                (None, error) => Err(Failed {
                    failure: Failure::new(ErrorKind::Internal),
                    outcome: Some(error),
                }),
                (Some(failure), outcome) => Err(Failed {
                    failure,
                    outcome: Some(outcome),
                }),
            },
        };
        // All who let it through hear how it went, from the inside out.
        let failure = ended.as_ref().err().map(|failed| &failed.failure);
        if let Some(asked) = asked {
            asked.outcome(failure);
        }
        if let Some(permit) = permit {
            permit.outcome(failure);
        }
        if let Some(slot) = slot {
            slot.outcome(failure);
        }
        if let (Some(gate), Some(failure)) = (&self.gate, failure) {
            gate.heard(&self.key, failure);
        }
        ended
    }
}

impl<K: Clock> Policy<K> {
    /// The guards, from the outside in.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let config = &self.config;
        let steps = [
            (config.deadline.is_some(), Step::Deadline),
            (config.retry.is_some(), Step::Retry),
            (config.hedge.is_some(), Step::Hedge),
            (config.gate.is_some(), Step::Gate),
            (config.concurrency.is_some(), Step::Concurrency),
            (config.adaptive.is_some(), Step::Adaptive),
            (config.breaker.is_some(), Step::Breaker),
            (config.throttle.is_some(), Step::Throttle),
            (config.attempt_timeout.is_some(), Step::Timeout),
        ];
        let on = steps.into_iter().filter(|(on, _)| *on);
        on.map(|(_, step)| step).collect()
    }

    /// What it was built from.
    #[must_use]
    pub const fn config(&self) -> &PolicyConfig {
        &self.config
    }

    /// The breaker, such as for a page of health or a [`Target`](crate::Target).
    #[must_use]
    pub const fn breaker(&self) -> Option<&Breaker<K>> {
        self.breaker.as_ref()
    }

    /// The budget of all its calls.
    #[must_use]
    pub const fn budget(&self) -> Option<&Arc<RetryBudget>> {
        self.budget.as_ref()
    }

    /// The hedger, with its counts.
    #[must_use]
    pub fn hedger(&self) -> Option<&Hedger> {
        self.hedger.as_deref()
    }

    /// The gate, such as to shut it for what was told elsewhere.
    #[must_use]
    pub const fn gate(&self) -> Option<&PushbackGate<K>> {
        self.gate.as_ref()
    }

    /// The limit on calls under way.
    #[must_use]
    pub const fn bulkhead(&self) -> Option<&Bulkhead> {
        self.bulkhead.as_ref()
    }

    /// The limit on calls under way that finds itself.
    #[must_use]
    pub const fn adaptive(&self) -> Option<&AdaptiveLimit<K>> {
        self.adaptive.as_ref()
    }

    /// The throttle.
    #[must_use]
    pub const fn throttle(&self) -> Option<&ClientThrottle<K>> {
        self.throttle.as_ref()
    }
}

impl<T, E> Failed<T, E> {
    const fn refused(failure: Failure) -> Self {
        Self {
            failure,
            outcome: None,
        }
    }
}

impl<T, E> AsRef<Failure> for Failed<T, E> {
    fn as_ref(&self) -> &Failure {
        &self.failure
    }
}

/// The outcome is left out: it may hold what a log must not.
impl<T, E> fmt::Debug for Failed<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failed")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl<K: Clock> fmt::Debug for Policy<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// One line: the guards in their order, with their main numbers.
impl<K: Clock> fmt::Display for Policy<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        write!(f, "{}: ", config.name)?;
        for step in self.steps() {
            step.describe(config, f)?;
            f.write_str(" > ")?;
        }
        f.write_str("call")
    }
}

impl Step {
    fn describe(self, config: &PolicyConfig, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |length: Option<Duration>| length.map(format_duration).unwrap_or_default();
        match self {
            Self::Deadline => write!(f, "deadline {}", length(config.deadline)),
            Self::Timeout => write!(f, "timeout {}", length(config.attempt_timeout)),
            Self::Retry => {
                let attempts = config.retry.map_or(1, |retry| retry.attempts);
                write!(f, "retry {attempts}")?;
                match config.budget {
                    Some(budget) => {
                        write!(f, " (budget {} % + {}/s)", budget.percent, budget.floor)
                    }
                    None => Ok(()),
                }
            }
            Self::Hedge => match config.hedge {
                Some(hedge) => match (hedge.after, hedge.percentile) {
                    (Some(after), _) => write!(f, "hedge after {}", format_duration(after)),
                    (_, percent) => write!(f, "hedge at p{}", percent.unwrap_or_default()),
                },
                None => Ok(()),
            },
            Self::Concurrency => {
                let limit = config
                    .concurrency
                    .map_or(0, |concurrency| concurrency.limit);
                write!(f, "concurrency {limit}")
            }
            Self::Gate => {
                let longest = config.gate.map(|gate| gate.longest);
                write!(f, "gate up to {}", length(longest))
            }
            Self::Adaptive => {
                let (floor, ceiling) = config
                    .adaptive
                    .map_or((0, 0), |adaptive| (adaptive.floor, adaptive.ceiling));
                write!(f, "adaptive {floor} to {ceiling}")
            }
            Self::Throttle => {
                let most = config.throttle.map_or(0, |throttle| throttle.refuse_max);
                write!(f, "throttle up to {most} %")
            }
            Self::Breaker => {
                let rate = config.breaker.map_or(0, |breaker| breaker.failure_rate);
                write!(f, "breaker {rate} %")
            }
        }
    }
}
