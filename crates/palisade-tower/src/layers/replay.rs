use std::{fmt, sync::Arc};

use http::{Extensions, HeaderMap, Method, Request, request::Parts};
use palisade_core::{Instant, Key};
use palisade_resilience::{Idempotency, RetryBudget, RetryBudgets, RetryOwner};

/// Makes another body of one that is about to be sent, so that it can be sent again. Implemented by closures.
pub trait Replay<T>: Send + Sync + 'static {
    /// The same body once more; `None` if it can be sent only once.
    fn replay(&self, body: &T) -> Option<T>;
}

impl<T, F> Replay<T> for F
where
    F: Fn(&T) -> Option<T> + Send + Sync + 'static,
{
    fn replay(&self, body: &T) -> Option<T> {
        self(body)
    }
}

/// Bodies are cloned. They should be cheap to: bytes that are counted, not copied.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloneBody;

impl<T: Clone> Replay<T> for CloneBody {
    fn replay(&self, body: &T) -> Option<T> {
        Some(body.clone())
    }
}

/// Bodies are sent once, such as streams. A request is then tried once, and the lost retry is counted as
/// [`Stop::NotReplayable`](palisade_resilience::Stop::NotReplayable).
#[derive(Clone, Copy, Debug, Default)]
pub struct SendOnce;

impl<T> Replay<T> for SendOnce {
    fn replay(&self, _: &T) -> Option<T> {
        None
    }
}

/// What a request weighs in a budget, found in its extensions: its estimated tokens, say. A request without one weighs 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryWeight(pub u32);

type KeyOf = Arc<dyn Fn(&Extensions) -> Key + Send + Sync>;

/// Whose account retries and hedges are on.
#[derive(Clone, Default)]
pub(crate) enum Account {
    #[default]
    None,
    One(Arc<RetryBudget>),
    Keyed(Arc<RetryBudgets>, KeyOf),
}

impl Account {
    pub(crate) fn of(&self, extensions: &Extensions, now: Instant) -> Option<Arc<RetryBudget>> {
        match self {
            Self::None => None,
            Self::One(budget) => Some(Arc::clone(budget)),
            Self::Keyed(budgets, key) => Some(budgets.of(&key(extensions), now)),
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::One(budget) => budget.fmt(f),
            Self::Keyed(budgets, _) => budgets.fmt(f),
        }
    }
}

/// One request as often as its body allows.
pub(crate) struct Repeatable<T> {
    parts: Parts,
    body: Option<T>,
    spare: Option<T>,
}

impl<T> Repeatable<T> {
    /// Takes a request that is sent up to `most` times.
    pub(crate) fn new(request: Request<T>, most: u32, replay: &impl Replay<T>) -> Self {
        let (parts, body) = request.into_parts();
        let spare = (most > 1).then(|| replay.replay(&body)).flatten();
        Self {
            parts,
            body: Some(body),
            spare,
        }
    }

    pub(crate) fn can_repeat(&self) -> bool {
        self.spare.is_some()
    }

    /// The request once more; `None` if its body is gone.
    pub(crate) fn next(&mut self, last: bool, replay: &impl Replay<T>) -> Option<Request<T>> {
        let body = self.body.take().or_else(|| {
            let body = self.spare.take()?;
            if !last {
                self.spare = replay.replay(&body);
            }
            Some(body)
        })?;
        Some(Request::from_parts(self.parts.clone(), body))
    }
}

/// Whether sending a request twice does no harm, as far as it says so itself: its method is idempotent (RFC 9110 §9.2.2), or
/// it carries an `Idempotency-Key`.
pub(crate) fn idempotency(set: Idempotency, method: &Method, headers: &HeaderMap) -> Idempotency {
    if set != Idempotency::Undeclared {
        return set;
    }
    let keyed = headers
        .get("idempotency-key")
        .is_some_and(|key| !key.is_empty());
    if keyed {
        Idempotency::Keyed
    } else if method.is_idempotent() {
        Idempotency::Declared
    } else {
        Idempotency::Undeclared
    }
}

/// Who owns the retries of a request already: somebody further out in this process, or the one who sent it.
pub(crate) fn owner(
    extensions: &Extensions,
    headers: &HeaderMap,
    believes_header: bool,
    now: Instant,
) -> Option<RetryOwner> {
    if let Some(owner) = extensions.get::<RetryOwner>() {
        return Some(owner.clone());
    }
    let value = believes_header.then(|| headers.get(RetryOwner::HEADER))??;
    RetryOwner::parse(value.as_bytes(), now)
}
