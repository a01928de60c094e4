use std::fmt;

use palisade_core::{Decision, StoreError};

use crate::{
    Amount, Granted, QuotaLedger, Refused, ReservationId, ReserveRequest, Resolution, Settler,
    settler::Job,
};

/// A reservation that cannot be forgotten: whatever happens to it, its hold is resolved.
///
/// | what happens | what the ledger is told |
/// |---|---|
/// | [`settle`](Reservation::settle) | that cost |
/// | [`release`](Reservation::release) | no cost |
/// | dropped before the call [began](Reservation::begin) | no cost |
/// | dropped after it began: the client left, the stream broke, no usage came | the larger of what is [known](Reservation::observe) and what is [expected](Reservation::expect), never less |
/// | a method's future is dropped, or the store gives no answer | the same, again, by the [`Settler`] |
/// | the process dies | nothing: the hold expires |
///
/// The third line does not refund a call that may have been billed: a provider charges for what it has begun, whether or
/// not anybody reads it.
#[must_use = "a reservation that is dropped at once releases what it has just reserved"]
pub struct Reservation<L: QuotaLedger> {
    lease: Lease<L>,
    granted: Granted,
}

/// The part that falls: it exists from before the ledger is asked until it is known that nothing is held.
struct Lease<L: QuotaLedger> {
    ledger: L,
    settler: Settler,
    id: ReservationId,
    known: Amount,
    expected: Amount,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Asked or granted, and no provider was called.
    Idle,
    /// A provider may charge.
    Begun,
    /// The ledger is being told this, or was told and did not answer.
    Ending(Job),
    /// The ledger knows, or has nothing to know.
    Done,
}

impl<L: QuotaLedger> Reservation<L> {
    /// Reserves, and guards what was granted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the ledger gave no answer. Should it have granted all the same, the hold is released.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, it queues a release for whatever may have been granted.
    pub async fn take(
        ledger: L,
        settler: &Settler,
        request: ReserveRequest,
    ) -> Result<Decision<Self, Refused>, StoreError> {
        // The lease stands before the question is asked: the answer may get lost, the hold must not.
        let mut lease = Lease {
            ledger,
            settler: settler.clone(),
            id: request.id(),
            known: Amount::ZERO,
            expected: request.ask(),
            stage: Stage::Idle,
        };
        // After an error its fall releases.
        match lease.ledger.reserve(request).await? {
            Decision::Allow(granted) => Ok(Decision::Allow(Self { lease, granted })),
            Decision::Deny(refused) => {
                lease.stage = Stage::Done;
                Ok(Decision::Deny(refused))
            }
        }
    }

    /// The name of the reservation.
    pub const fn id(&self) -> ReservationId {
        self.lease.id
    }

    /// What was granted.
    pub const fn granted(&self) -> &Granted {
        &self.granted
    }

    /// A provider is about to be called: from now on an end without word of the cost is charged, not refunded.
    pub fn begin(&mut self) {
        self.lease.stage = Stage::Begun;
    }

    /// So much is known to have been used, in all attempts together. What is known only ever grows.
    pub fn observe(&mut self, known: Amount) {
        self.begin();
        self.lease.known = self.lease.known.max(known);
    }

    /// Replaces what an end without word of the cost is charged with at least. Without this it is all that was
    /// reserved.
    pub fn expect(&mut self, expected: Amount) {
        self.lease.expected = expected;
    }

    /// What an end without word of the cost is charged with: the larger of what is known and what is expected.
    pub fn uncertain(&self) -> Amount {
        self.lease.uncertain()
    }

    /// Books what the call did cost.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the ledger gave no answer. The same settlement is then queued, so the caller has no more to do.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, it queues the same settlement. The ledger books it once.
    pub async fn settle(self, actual: Amount) -> Result<Resolution, StoreError> {
        let id = self.lease.id;
        self.lease.end(Job::Settle(id, actual)).await
    }

    /// Books the [uncertain](Reservation::uncertain) amount, for a call that ended without word of its cost.
    ///
    /// # Errors
    ///
    /// As [`settle`](Reservation::settle).
    ///
    /// # Cancel safety
    ///
    /// As [`settle`](Reservation::settle).
    pub async fn settle_uncertain(self) -> Result<Resolution, StoreError> {
        let actual = self.uncertain();
        self.settle(actual).await
    }

    /// Frees what was reserved. For calls that cost nothing: never made, or known not to be billed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the ledger gave no answer. The same release is then queued.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, it queues the same release.
    pub async fn release(self) -> Result<Resolution, StoreError> {
        let id = self.lease.id;
        self.lease.end(Job::Release(id)).await
    }
}

impl<L: QuotaLedger> Lease<L> {
    fn uncertain(&self) -> Amount {
        self.known.max(self.expected)
    }

    async fn end(mut self, job: Job) -> Result<Resolution, StoreError> {
        self.stage = Stage::Ending(job);
        let resolution = job.resolve(&self.ledger).await?;
        self.stage = Stage::Done;
        Ok(resolution)
    }
}

impl<L: QuotaLedger> Drop for Lease<L> {
    fn drop(&mut self) {
        match self.stage {
            Stage::Idle => self.settler.push(Job::Release(self.id)),
            Stage::Begun => self.settler.push(Job::Settle(self.id, self.uncertain())),
            Stage::Ending(job) => self.settler.push(job),
            Stage::Done => {}
        }
    }
}

impl<L: QuotaLedger> fmt::Debug for Reservation<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("id", &self.lease.id)
            .field("stage", &self.lease.stage)
            .field("uncertain", &self.uncertain())
            .finish_non_exhaustive()
    }
}
