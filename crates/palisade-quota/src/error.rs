use crate::{Amount, ReserveRequest};

/// Why an amount cannot be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// Money below zero. A correction is not a negative cost.
    #[error("an amount of money to book is zero or more; found less than zero")]
    Negative,
    /// More than a ledger can count.
    #[error(
        "a ledger counts up to {tokens} tokens and {tokens} nano-dollars; found more",
        tokens = Amount::MAX.tokens()
    )]
    TooMuch,
}

/// Why a quota cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// A limit of money below zero.
    #[error("a limit of money is zero or more; found less than zero")]
    Negative,
    /// A limit a ledger cannot count up to.
    #[error(
        "a limit is at most {tokens} tokens or nano-dollars; for no limit, leave the measure unlimited",
        tokens = Amount::MAX.tokens()
    )]
    TooMuch,
    /// A limit of money that is not whole nano-dollars.
    #[error("a limit of money has at most nine digits after the point")]
    TooPrecise,
}

/// Why a time zone cannot be used. It does not repeat the name: the name may come from a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZoneError {
    /// The name is not in the zone database.
    #[error(
        "not the name of a time zone; expected one from the IANA database such as Europe/Berlin"
    )]
    Unknown,
}

/// Why a period cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// The length of a rolling period.
    #[error("a rolling period is whole minutes, one at least and 366 days at most")]
    Rolling,
}

/// Why a text is not the id of a reservation, or why none could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is not a UUID.
    #[error("not the id of a reservation; expected 32 hexadecimal digits in groups of 8-4-4-4-12")]
    Malformed,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes for an id")]
    NoRandomness,
}

/// Why a change does not say who makes it and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// Who.
    #[error(
        "a change says who makes it, in 1 to {} bytes on one line",
        crate::AdminChange::WHO_BYTES_MAX
    )]
    Who,
    /// Why.
    #[error(
        "a change says why it is made, in 1 to {} bytes on one line",
        crate::AdminChange::WHY_BYTES_MAX
    )]
    Why,
}

/// Why a ledger cannot be asked this. It is the source of a
/// [`StoreError`](palisade_core::StoreError) of kind [`Invalid`](palisade_core::StoreErrorKind::Invalid) where a
/// backend finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No scope to charge.
    #[error("a reservation charges at least one scope")]
    NoScope,
    /// More scopes than one decision may lock.
    #[error(
        "a reservation charges at most {} different scopes; found {found}",
        ReserveRequest::SCOPES_MAX
    )]
    TooManyScopes {
        /// How many different scopes there were.
        found: usize,
    },
    /// A time-out of nothing, or one longer than a leaked hold may block others.
    #[error(
        "a reservation's time-out is more than zero and at most {} seconds",
        ReserveRequest::TIMEOUT_MAX.as_secs()
    )]
    Timeout,
    /// The id belongs to another reservation: other scopes or another amount.
    #[error(
        "this id belongs to a reservation of other scopes or another amount; every reservation needs its own"
    )]
    IdInUse,
    /// A refund of more than was spent in the running window.
    #[error("no more can be taken back than was spent in the running window")]
    Refund,
    /// A measure, or a period, that this store cannot keep. It refuses rather than lose it.
    #[error("this store cannot keep such a measure or period")]
    NotKept,
    /// A sum that leaves the range of a ledger. Nothing was changed.
    #[error("the sum leaves the range of a ledger")]
    Overflow,
}
