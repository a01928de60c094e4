use std::{error::Error, fmt, future::Future, time::Duration};

use palisade_core::{Clock, Instant, Timer};

use crate::{
    Certainty, Classify, Deadline, Elapsed, ErrorKind, Failure, Random, RetryBudget, RetryPolicy,
    Timeout, Wait, timeout,
};

/// Calls `op` until it succeeds or trying again would be useless, unsafe, too late or too much.
///
/// In this order: is the failure worth repeating; is it a breaker's refusal that the policy does not wait for; are attempts left; is repeating safe
/// ([`Idempotency`]); is the server's wish for patience within the policy; does the pause fit before the deadline; does the
/// [`RetryBudget`] pay for it. The first *no* ends it, and [`GaveUp`] says which it was.
///
/// Without a time-out, a deadline or a budget the clock is not read on the way to a first success.
///
/// ```
/// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// use palisade_core::ManualClock;
/// use palisade_resilience::{
///     AsFailure, Call, ErrorKind, Failure, Idempotency, RetryPolicy, retry,
/// };
///
/// # let clock = ManualClock::default();
/// # let timer = clock.clone();
/// # let work = async {
/// let policy = RetryPolicy::new(3)?;
/// let call = Call::new(Idempotency::Declared);
/// let answer = retry(&policy, call, &AsFailure, &timer, &clock, |attempt| async move {
///     match attempt.number {
///         1 => Err(Failure::new(ErrorKind::Overloaded)),
///         _ => Ok("hello"),
///     }
/// })
/// .await;
/// assert_eq!(answer.ok(), Some("hello"));
/// # Ok::<(), palisade_resilience::ConfigError>(())
/// # };
/// # let mut work = pin!(work);
/// # loop {
/// #     match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
/// #         Poll::Ready(result) => { result.unwrap(); break; }
/// #         Poll::Pending => clock.advance(std::time::Duration::from_secs(1)),
/// #     }
/// # }
/// ```
///
/// # Errors
///
/// [`GaveUp`], with the last failure and the last outcome.
///
/// # Cancel safety
///
/// Dropping the future drops the attempt under way, or the pause, and nothing goes on behind its back. What was withdrawn
/// from the budget for an attempt that had begun stays spent.
pub async fn retry<T, E, F, Fut>(
    policy: &RetryPolicy,
    call: Call<'_>,
    classify: &impl Classify<Result<T, E>>,
    timer: &impl Timer,
    clock: &impl Clock,
    mut op: F,
) -> Result<T, GaveUp<T, E>>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let deadline = call.deadline_under(policy, clock);
    if let Some(budget) = call.budget {
        budget.deposit(call.weight);
    }
    let mut earlier: Option<Failure> = None;
    let mut number = 1;
    loop {
        let limit = AttemptLimit::new(policy, deadline, clock);
        let attempt = Attempt {
            number,
            last: number >= policy.attempts(),
            deadline: limit.deadline(),
        };
        let work = match limit {
            AttemptLimit::None => Timeout::forever(op(attempt)),
            AttemptLimit::Some { length, .. } => timeout(timer, length, op(attempt)),
            // Nothing is left of the whole, because there was nothing at first or a pause took longer than asked.
            AttemptLimit::Nothing => {
                return Err(GaveUp {
                    failure: earlier.unwrap_or_else(|| Elapsed::immediately().into()),
                    last: None,
                    why: Stop::Deadline,
                    attempts: number - 1,
                });
            }
        };
        // One place to wait for both: each would hold its own room for the operation's future.
        let ended = work.await;
        let (failure, outcome) = match ended {
            Err(elapsed) => (Failure::from(elapsed), None),
            Ok(outcome) => match classify.classify(&outcome) {
                Some(failure) => (failure, Some(outcome)),
                None => match outcome {
                    Ok(value) => return Ok(value),
                    // An error that the classifier does not know. Nothing is known of it, so nothing is repeated.
                    Err(error) => (Failure::new(ErrorKind::Internal), Some(Err(error))),
                },
            },
        };
        // A refused connection proves nothing about the attempt before it, which may have been carried out and paid for.
        let failure = match &earlier {
            Some(earlier) => failure.joined(earlier),
            None => failure,
        };
        let next = call.next(policy, deadline, number, &failure, clock);
        if let Some(observer) = call.observer {
            observer.attempt_failed(&AttemptFailed {
                number,
                failure: &failure,
                next,
            });
        }
        match next {
            Next::GiveUp(why) => {
                return Err(GaveUp {
                    failure,
                    last: outcome,
                    why,
                    attempts: number,
                });
            }
            Next::RetryAfter(pause) => {
                // A failed response must not hold its connection while we wait.
                drop(outcome);
                if !pause.is_zero() {
                    timer.sleep(pause).await;
                }
                earlier = Some(failure);
                number += 1;
            }
        }
    }
}

/// What is to be known about one call beyond the policy: may it be repeated, until when, on whose account.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    idempotency: Idempotency,
    deadline: Option<Deadline>,
    weight: u32,
    budget: Option<&'a RetryBudget>,
    random: Option<&'a Random>,
    observer: Option<&'a dyn RetryObserver>,
}

/// Whether carrying a request out twice does no harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Idempotency {
    /// Nobody said so. It is repeated only after a failure that proves it was not carried out. The default.
    #[default]
    Undeclared,
    /// It does no harm: it only reads, it carries an idempotency key, or the host accepts to pay twice.
    Declared,
    /// It must not be repeated whatever happens: its body cannot be sent again, or somebody else does the retrying.
    Never,
}

impl<'a> Call<'a> {
    /// A call of weight 1 without deadline, budget or observer.
    #[must_use]
    pub const fn new(idempotency: Idempotency) -> Self {
        Self {
            idempotency,
            deadline: None,
            weight: 1,
            budget: None,
            random: None,
            observer: None,
        }
    }

    /// The same, to be answered by `deadline`. The earlier of this and the policy's total counts.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Deadline) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same, with retries paid from `budget`.
    #[must_use]
    pub const fn with_budget(mut self, budget: &'a RetryBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The same, of another weight in the budget: a retry of 100,000 tokens is not one of 100.
    #[must_use]
    pub const fn with_weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// The same, with jitter from this source instead of the process's own.
    #[must_use]
    pub const fn with_random(mut self, random: &'a Random) -> Self {
        self.random = Some(random);
        self
    }

    /// The same, telling `observer` of every failed attempt.
    #[must_use]
    pub const fn with_observer(mut self, observer: &'a dyn RetryObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    fn deadline_under(&self, policy: &RetryPolicy, clock: &impl Clock) -> Option<Deadline> {
        let total = policy.total().map(|total| Deadline::after(clock, total));
        match (self.deadline, total) {
            (Some(given), Some(total)) => Some(given.min(total)),
            (given, total) => given.or(total),
        }
    }

    fn next(
        &self,
        policy: &RetryPolicy,
        deadline: Option<Deadline>,
        number: u32,
        failure: &Failure,
        clock: &impl Clock,
    ) -> Next {
        if !failure.is_retryable() {
            return Next::GiveUp(Stop::NotRetryable);
        }
        if failure.kind() == ErrorKind::CircuitOpen && !policy.waits_for_circuit() {
            return Next::GiveUp(Stop::CircuitOpen);
        }
        if number >= policy.attempts() {
            return Next::GiveUp(Stop::Attempts);
        }
        let safe = match self.idempotency {
            Idempotency::Declared => true,
            Idempotency::Undeclared => failure.processed() == Certainty::No,
            Idempotency::Never => false,
        };
        if !safe {
            return Next::GiveUp(Stop::NotIdempotent);
        }
        let random = self.random.unwrap_or_else(|| Random::process()).next();
        let pause = match policy.backoff().wait(number, failure.advice(), random) {
            Wait::For(pause) => pause,
            Wait::TooLong(_) => return Next::GiveUp(Stop::Advice),
            Wait::Never => return Next::GiveUp(Stop::NotRetryable),
        };
        if deadline.is_none() && self.budget.is_none() {
            return Next::RetryAfter(pause);
        }
        let now = clock.instant();
        // An attempt that would begin at the deadline is too late: nothing is left for it.
        if deadline.is_some_and(|deadline| pause >= deadline.remaining(now)) {
            return Next::GiveUp(Stop::Deadline);
        }
        // Last, so that nothing is spent on a retry that another rule forbids.
        if let Some(budget) = self.budget
            && !budget.withdraw(self.weight, now)
        {
            return Next::GiveUp(Stop::Budget);
        }
        Next::RetryAfter(pause)
    }
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self::new(Idempotency::default())
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("idempotency", &self.idempotency)
            .field("deadline", &self.deadline)
            .field("weight", &self.weight)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// One attempt, as the operation sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Which one it is; the first is 1.
    pub number: u32,
    /// Whether no other will follow by count.
    pub last: bool,
    /// When it will be given up: what the operation may pass on.
    pub deadline: Option<Deadline>,
}

enum AttemptLimit {
    None,
    Nothing,
    Some { length: Duration, until: Instant },
}

impl AttemptLimit {
    fn new(policy: &RetryPolicy, deadline: Option<Deadline>, clock: &impl Clock) -> Self {
        if deadline.is_none() && policy.attempt_timeout().is_none() {
            return Self::None;
        }
        let now = clock.instant();
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.remaining(now));
        let length = policy.attempt_timeout().map_or(left, |own| own.min(left));
        if length.is_zero() {
            Self::Nothing
        } else {
            Self::Some {
                length,
                until: now.saturating_add(length),
            }
        }
    }

    fn deadline(&self) -> Option<Deadline> {
        match self {
            Self::Some { until, .. } => Some(Deadline::at(*until)),
            Self::None | Self::Nothing => None,
        }
    }
}

/// Hears of every failed attempt. Sync and quick: it runs between attempts.
///
/// Closures over [`&AttemptFailed`](AttemptFailed) are observers.
pub trait RetryObserver: Send + Sync {
    /// An attempt has failed.
    fn attempt_failed(&self, event: &AttemptFailed<'_>);
}

impl<F> RetryObserver for F
where
    F: Fn(&AttemptFailed<'_>) + Send + Sync,
{
    fn attempt_failed(&self, event: &AttemptFailed<'_>) {
        self(event);
    }
}

/// One failed attempt, and what follows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptFailed<'a> {
    /// Which attempt it was; the first is 1.
    pub number: u32,
    /// What went wrong.
    pub failure: &'a Failure,
    /// What follows.
    pub next: Next,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Next {
    /// Another attempt after this pause.
    RetryAfter(Duration),
    /// Nothing more.
    GiveUp(Stop),
}

/// Why there was no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The failure would repeat itself.
    NotRetryable,
    /// A circuit breaker refuses calls, and the policy does not wait for it.
    CircuitOpen,
    /// All attempts are used.
    Attempts,
    /// It may have been carried out, and nobody declared that twice does no harm.
    NotIdempotent,
    /// The server asked for more patience than the policy has. The failure carries its advice.
    Advice,
    /// The pause would outlast the deadline.
    Deadline,
    /// The retry budget is empty.
    Budget,
}

/// The end of a call that did not succeed.
#[non_exhaustive]
pub struct GaveUp<T, E> {
    /// The last failure. What it says about being carried out and charged for holds for all attempts together.
    pub failure: Failure,
    /// The last outcome, such as a 503 response to pass on. `None` if the attempt was cut off by its time-out.
    pub last: Option<Result<T, E>>,
    /// Why there was no further attempt.
    pub why: Stop,
    /// How many attempts were made.
    pub attempts: u32,
}

impl<T, E> GaveUp<T, E> {
    /// The last outcome, or an error made from the failure if there was none.
    ///
    /// # Errors
    ///
    /// The last error, or the made one.
    pub fn into_result(self) -> Result<T, E>
    where
        E: From<Failure>,
    {
        self.last.unwrap_or_else(|| Err(E::from(self.failure)))
    }
}

impl<T, E> AsRef<Failure> for GaveUp<T, E> {
    fn as_ref(&self) -> &Failure {
        &self.failure
    }
}

impl<T, E> From<GaveUp<T, E>> for Failure {
    fn from(gave_up: GaveUp<T, E>) -> Self {
        gave_up.failure
    }
}

/// The outcome is left out: it may hold what a log must not.
impl<T, E> fmt::Debug for GaveUp<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GaveUp")
            .field("failure", &self.failure)
            .field("why", &self.why)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl<T, E> fmt::Display for GaveUp<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Stop::NotRetryable => "trying again would not help",
            Stop::CircuitOpen => "the upstream is being given a rest",
            Stop::Attempts => "no attempt is left",
            Stop::NotIdempotent => "it may have been carried out already",
            Stop::Advice => "the server asks for more patience than allowed",
            Stop::Deadline => "the deadline is too near",
            Stop::Budget => "the retry budget is empty",
        };
        write!(f, "gave up after {} attempts: {why}", self.attempts)
    }
}

impl<T, E> Error for GaveUp<T, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.failure)
    }
}
