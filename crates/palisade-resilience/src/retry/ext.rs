use std::future::Future;

use palisade_core::{Clock, Timer};

use super::{Attempt, Call, Retry, retry};
use crate::{AsFailure, Classify, RetryPolicy};

/// Retries as a method of the operation itself: any closure that makes a future of an [`Attempt`].
///
/// ```
/// use palisade_core::{Clock, Timer};
/// use palisade_resilience::{
///     Attempt, Call, Failure, GaveUp, Idempotency, RetryExt, RetryPolicy,
/// };
///
/// async fn ask(
///     policy: &RetryPolicy,
///     timer: &impl Timer,
///     clock: &impl Clock,
/// ) -> Result<&'static str, GaveUp<&'static str, Failure>> {
///     let ask_once = |_: Attempt| async { Ok("hello") };
///     ask_once
///         .retry(policy)
///         .call(Call::new(Idempotency::Declared))
///         .run(timer, clock)
///         .await
/// }
/// ```
pub trait RetryExt<Fut>: FnMut(Attempt) -> Fut + Sized {
    /// Retries it by `policy`. By default its errors are, or know, a [`Failure`](crate::Failure), and nobody has declared
    /// that repeating it does no harm.
    fn retry(self, policy: &RetryPolicy) -> Retrying<'_, Self>;
}

impl<F, Fut> RetryExt<Fut> for F
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future,
{
    fn retry(self, policy: &RetryPolicy) -> Retrying<'_, Self> {
        Retrying {
            op: self,
            policy,
            call: Call::default(),
            classify: &AsFailure,
        }
    }
}

/// An operation on its way to be retried: see [`RetryExt`].
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing until it is run"]
pub struct Retrying<'a, F, C: ?Sized = AsFailure> {
    op: F,
    policy: &'a RetryPolicy,
    call: Call<'a>,
    classify: &'a C,
}

impl<'a, F, C: ?Sized> Retrying<'a, F, C> {
    /// What is known of the call: idempotency, deadline, budget and so on.
    pub fn call(mut self, call: Call<'a>) -> Self {
        self.call = call;
        self
    }

    /// Reads outcomes by another classifier.
    pub fn classify<D: ?Sized>(self, classify: &'a D) -> Retrying<'a, F, D> {
        Retrying {
            op: self.op,
            policy: self.policy,
            call: self.call,
            classify,
        }
    }

    /// The future: see [`retry`].
    pub fn run<R, K, Fut, T, E>(self, timer: &'a R, clock: &'a K) -> Retry<'a, C, R, K, F, Fut>
    where
        C: Classify<Result<T, E>>,
        R: Timer + ?Sized,
        K: Clock + ?Sized,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        retry(self.policy, self.call, self.classify, timer, clock, self.op)
    }
}
