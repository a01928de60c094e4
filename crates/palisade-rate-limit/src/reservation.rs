use std::fmt;

use palisade_core::{Decision, Key, StoreError};

use crate::{
    Allowed, Charge, CheckRequest, Denied, Hold, HoldId, Limit, Over, RateLimiter, RequestError,
    ReserveRequest, Settled, Settler,
    settler::{Job, OwnedUse},
};

/// What one request takes of one limit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Take {
    /// The limit.
    pub limit: Limit,
    /// Whose limit it is.
    pub key: Key,
    /// How much of it.
    pub cost: u64,
}

impl Take {
    /// One request's worth of `limit`, for `key`.
    #[must_use]
    pub const fn one(limit: Limit, key: Key) -> Self {
        Self {
            limit,
            key,
            cost: 1,
        }
    }

    /// The same at another cost.
    #[must_use]
    pub const fn with_cost(mut self, cost: u64) -> Self {
        self.cost = cost;
        self
    }
}

/// A reservation that cannot be forgotten: whatever happens to it, it is settled.
///
/// | what happens | what the store is told |
/// |---|---|
/// | [`settle`](Reservation::settle) | that much was used |
/// | dropped: the client left, the stream broke, the call failed | what was [seen](Reservation::observe), by the [`Settler`] |
/// | a method's future is dropped, or the store gives no answer | the same |
/// | the process dies | nothing: the hold expires |
///
/// ```
/// # use std::sync::Arc;
/// # use palisade_core::{Decision, Dimension, Key, ManualClock};
/// # use palisade_rate_limit::{Hold, HoldId, InMemory, Limit, Reservation, Settler, Take};
/// # async fn call() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter = Arc::new(InMemory::default());
/// let (settler, task) = Settler::new(Arc::clone(&limiter), 1_024);
/// # let _ = task;
/// let alice = Key::new(Dimension::User, "alice")?;
/// let takes = vec![
///     Take::one(Limit::per_minute("requests", 60)?, alice.clone()),
///     Take::one(Limit::per_minute("tokens", 90_000)?, alice.clone()).with_cost(4_000),
///     Take::one(Limit::concurrency("open", 4)?, alice),
/// ];
/// match Reservation::take(limiter, &settler, takes, Hold::new(HoldId::unique())).await? {
///     Decision::Allow(mut reservation) => {
///         reservation.observe(0, 1); // the request itself
///         reservation.observe(1, 1_200); // tokens, as the stream brings them
///         reservation.settle().await?;
///     }
///     Decision::Deny(denied) => println!("come back: {:?}", denied.retry_after()),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a reservation that is dropped at once is settled as unused"]
pub struct Reservation<L: RateLimiter> {
    lease: Lease<L>,
    allowed: Allowed,
}

/// The part that falls: it exists from before the store is asked until it is known that nothing is held.
struct Lease<L> {
    limiter: L,
    settler: Settler,
    hold: Hold,
    takes: Vec<Take>,
    used: Vec<u64>,
    done: bool,
}

impl<L: RateLimiter> Reservation<L> {
    /// Reserves, and guards what was taken.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store gave no answer, or if the takes are no request (kind
    /// [`Invalid`](palisade_core::StoreErrorKind::Invalid), with a [`RequestError`] as its source). Should the store have
    /// taken something all the same, it is settled as unused.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, it queues that settlement for whatever may have been taken.
    pub async fn take(
        limiter: L,
        settler: &Settler,
        takes: Vec<Take>,
        hold: Hold,
    ) -> Result<Decision<Self, Denied>, StoreError> {
        let mut lease = Lease {
            limiter,
            settler: settler.clone(),
            hold,
            used: vec![0; takes.len()],
            takes,
            // Nothing to settle until it is a request.
            done: true,
        };
        let costs: Vec<u64> = lease.takes.iter().map(|take| take.cost).collect();
        match lease.ask(&costs, Over::Refuse).await? {
            Decision::Allow(allowed) => Ok(Decision::Allow(Self { lease, allowed })),
            Decision::Deny(denied) => {
                lease.done = true;
                Ok(Decision::Deny(denied))
            }
        }
    }

    /// The id of the hold.
    pub const fn id(&self) -> HoldId {
        self.lease.hold.id()
    }

    /// How the limits stood after the last charge.
    pub const fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// So much of the take number `index` is known to have been used. What is known only ever grows.
    pub fn observe(&mut self, index: usize, used: u64) {
        if let Some(known) = self.lease.used.get_mut(index) {
            *known = (*known).max(used);
        }
    }

    /// Whether more was seen of a take than is reserved: the time to [top up](Reservation::top_up), or to cut.
    pub fn is_overrun(&self) -> bool {
        let mut pairs = self.lease.takes.iter().zip(&self.lease.used);
        pairs.any(|(take, used)| *used > take.cost)
    }

    /// Reserves more: `costs` are those of the whole request, one for each take, and begin the hold's time anew. All of it is
    /// taken, or nothing; what was reserved before stays. What a refusal means is for the caller to say: cut the stream, or
    /// let it run and [owe](Over::Owe).
    ///
    /// # Errors
    ///
    /// As [`take`](Reservation::take). Ask again with the same costs: nothing is taken twice.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, the store may have taken more or not. The settlement puts it right.
    pub async fn top_up(
        &mut self,
        costs: &[u64],
        over: Over,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let decision = self.lease.ask(costs, over).await?;
        if let Decision::Allow(allowed) = &decision {
            self.allowed = allowed.clone();
            for (take, cost) in self.lease.takes.iter_mut().zip(costs) {
                take.cost = take.cost.max(*cost);
            }
        }
        Ok(decision)
    }

    /// Tells the store what was seen, and frees the rest.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store gave no answer. The same settlement is then queued, so the caller has no more to do.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, it queues the same settlement. The store counts it once.
    pub async fn settle(self) -> Result<Settled, StoreError> {
        let mut lease = self.lease;
        let settled = lease.job().settle(&lease.limiter).await?;
        lease.done = true;
        Ok(settled)
    }
}

impl<L: RateLimiter> Lease<L> {
    async fn ask(
        &mut self,
        costs: &[u64],
        over: Over,
    ) -> Result<Decision<Allowed, Denied>, StoreError> {
        let wrong = |error: RequestError| {
            StoreError::new(
                palisade_core::StoreErrorKind::Invalid,
                "reserving of a limit",
            )
            .with_source(error)
        };
        let charges: Vec<Charge<'_>> = self
            .takes
            .iter()
            .zip(costs)
            .map(|(take, cost)| Charge::new(&take.limit, &take.key, *cost))
            .collect();
        let request = CheckRequest::new(&charges).map_err(wrong)?;
        // From here on something may be held, whatever the answer and whether or not it comes.
        self.done = false;
        let request = ReserveRequest::hold(request, self.hold).with_over(over);
        self.limiter.reserve(request).await
    }
}

impl<L> Lease<L> {
    fn job(&self) -> Job {
        let uses = self
            .takes
            .iter()
            .zip(&self.used)
            .map(|(take, used)| OwnedUse {
                limit: take.limit,
                key: take.key.clone(),
                reserved: take.cost,
                used: *used,
            });
        Job {
            id: self.hold.id(),
            uses: uses.collect(),
        }
    }
}

impl<L> Drop for Lease<L> {
    fn drop(&mut self) {
        if !self.done {
            self.settler.push(self.job());
        }
    }
}

impl<L: RateLimiter> fmt::Debug for Reservation<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("id", &self.id())
            .field("used", &self.lease.used)
            .finish_non_exhaustive()
    }
}
