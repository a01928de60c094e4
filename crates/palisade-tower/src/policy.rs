/// What a layer does when the store it must ask gives no answer.
///
/// There is no default that is right for everybody: a rate limiter in front of a cheap endpoint may fail open, a ledger
/// of money may not. So it is named, and each time it is used the trace says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnStoreFailure {
    /// Let the request pass unguarded.
    Open,
    /// Refuse the request with [`Reason::GuardUnavailable`](crate::Reason::GuardUnavailable). The default.
    #[default]
    Closed,
}
