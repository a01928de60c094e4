use crate::{Algorithm, CheckRequest, Hold, Limit, MemoryConfig, Tiers};

/// Why a limit cannot be built. It says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// The name would not fit into a header, a store's key and a metric's label as it is.
    #[error(
        "a limit's name is 1 to {max} characters of a-z, A-Z, 0-9, -, _ and . ; found {length} bytes",
        max = Limit::NAME_BYTES_MAX
    )]
    Name {
        /// The length found, in bytes.
        length: usize,
    },
    /// The amount is zero. A limit that lets nothing pass is a closed door: do not build one, refuse outright.
    #[error("the amount per period must be at least 1")]
    ZeroAmount,
    /// The period is zero or longer than [`Limit::PERIOD_MAX`].
    #[error(
        "the period must be at least 1 ns and at most {days} days",
        days = Limit::PERIOD_MAX.as_secs() / 86_400
    )]
    Period,
    /// The burst is zero: not even one unit could ever pass.
    #[error("the burst must be at least 1")]
    ZeroBurst,
    /// Filling the burst from empty would take longer than [`Limit::FILL_MAX`].
    #[error(
        "a burst of {burst} would take more than {years} years to fill at this rate; lower the burst or raise the rate",
        years = Limit::FILL_MAX.as_secs() / 31_557_600
    )]
    FillTooLong {
        /// The burst asked for.
        burst: u64,
    },
    /// The amount is larger than this algorithm keeps exactly.
    #[error("the amount of this kind of limit is at most {max}; found {amount}")]
    AmountTooLarge {
        /// The amount asked for.
        amount: u64,
        /// The largest that is kept.
        max: u64,
    },
    /// Only a token bucket has a burst of its own.
    #[error(
        "a burst belongs to a token bucket; this limit is a {algorithm:?}, whose burst is its amount"
    )]
    NoBurst {
        /// What the limit is.
        algorithm: Algorithm,
    },
    /// The part at which answers warn is no part.
    #[error("the soft limit is 1 to 100 percent; found {found}")]
    SoftPercent {
        /// The percentage asked for.
        found: u8,
    },
    /// A limit in force was to be replaced by one of another name, whose counters are others.
    #[error(
        "a limit in force is replaced by one of the same name; rules name the limits they are about"
    )]
    Renamed,
    /// The rate cannot be kept exactly: in lowest terms, more than [`u32::MAX`] units fall into a whole number of
    /// nanoseconds.
    #[error(
        "{amount} per {period_nanos} ns cannot be kept exactly; choose an amount with more factors in common with the period"
    )]
    Inexact {
        /// The amount asked for.
        amount: u64,
        /// The period asked for, in nanoseconds.
        period_nanos: u64,
    },
}

/// Why a rate cannot follow what it sees. It says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdaptiveError {
    /// Floor and ceiling are no range.
    #[error(
        "a rate adapts from 1 or more up to {max} at most; found {floor} to {ceiling}",
        max = crate::AdaptiveConfig::CEILING_MAX
    )]
    Range {
        /// The floor asked for.
        floor: u64,
        /// The ceiling asked for.
        ceiling: u64,
    },
    /// It would never rise or never fall.
    #[error("a good window adds 1 or more, and a bad one leaves 1 to 99 percent")]
    Steps,
    /// No window would ever say anything.
    #[error("a window has a length, 1 call or more, and is bad from 0 to 99 percent on")]
    Window,
    /// The limit cannot have an amount from the range.
    #[error("an amount of {amount}")]
    Limit {
        /// The amount.
        amount: u64,
        /// What is wrong with it.
        source: LimitError,
    },
}

/// Why a key cannot be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListsError {
    /// The key of everything would free or shut out everybody.
    #[error("the key of everything cannot be listed")]
    Everything,
    /// There are too many already.
    #[error("the lists have at most {max} keys", max = crate::Lists::KEYS_MAX)]
    Full,
}

/// Why controls cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlsError {
    /// More limits have rules of their own than there is room for.
    #[error("at most {max} limits can be controlled by name", max = crate::Controls::LIMITS_MAX)]
    Full,
}

/// Why a request cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There is nothing to decide.
    #[error("a request needs at least one charge")]
    Empty,
    /// More charges than one atomic step should hold.
    #[error("a request has at most {max} charges; found {found}", max = CheckRequest::CHARGES_MAX)]
    TooMany {
        /// How many there were.
        found: usize,
    },
    /// Two charges name the same limit for the same key. Add their costs up instead.
    #[error("charges {first} and {second} are for the same limit and key; add their costs up")]
    Repeated {
        /// The position of the first.
        first: usize,
        /// The position of the second.
        second: usize,
    },
}

/// Why a hold cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HoldError {
    /// The time after which it expires is zero or too long.
    #[error("a hold lasts 1 ms to {max} hours", max = Hold::TTL_MAX.as_secs() / 3_600)]
    Ttl,
    /// A text is not the id of a hold.
    #[error("the id of a hold is 32 hexadecimal digits")]
    Id,
    /// The hold has been settled: its id is used up. The source of a [`StoreError`](palisade_core::StoreError) whose kind is
    /// [`Invalid`](palisade_core::StoreErrorKind::Invalid).
    #[error("the hold has been settled; take a new id for a new reservation")]
    Settled,
}

/// Why a table of tiers cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TiersError {
    /// More entries than a table has.
    #[error("a table has at most {max} entries; found {found}", max = Tiers::ENTRIES_MAX)]
    Entries {
        /// How many there were.
        found: usize,
    },
    /// More limits than a request can be charged with.
    #[error("plan {plan:?}, endpoint {endpoint:?}: at most {max} limits", max = Tiers::LIMITS_MAX)]
    Limits {
        /// The plan, cut to 32 characters.
        plan: String,
        /// The endpoint, cut to 32 characters.
        endpoint: String,
    },
    /// Two limits of one name, which would be one counter.
    #[error("plan {plan:?}, endpoint {endpoint:?}: two limits are named {limit:?}")]
    Repeated {
        /// The plan, cut to 32 characters.
        plan: String,
        /// The endpoint, cut to 32 characters.
        endpoint: String,
        /// The name.
        limit: String,
    },
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The table would hold nothing, or more than is sensible in one process.
    #[error("the capacity must be 1 to {max} keys; found {found}", max = MemoryConfig::CAPACITY_MAX)]
    Capacity {
        /// The capacity asked for.
        found: usize,
    },
    /// A limiter that has buckets alone was given another limit.
    #[error("this limiter takes token buckets; found a {found:?}")]
    NotABucket {
        /// What the limit is.
        found: Algorithm,
    },
    /// A period could not be read.
    #[error(
        "a period is a whole number and one of ms, s, m, h, d, such as 30s or 1m; found {found:?}"
    )]
    Period {
        /// The text, cut to 32 characters.
        found: String,
    },
    /// A limit could not be built.
    #[error("limit {name:?}")]
    Limit {
        /// The name in the configuration, cut to 32 characters.
        name: String,
        /// What was wrong with it.
        source: LimitError,
    },
}
