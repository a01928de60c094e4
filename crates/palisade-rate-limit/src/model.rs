//! The decision itself: state, cost and time in, answer out. Read this first.
//!
//! One module for each algorithm, with its bound; [`Counter`] is what is remembered about one key of one limit, whichever
//! algorithm it has; [`Book`] is the whole port as a pure data structure. Every backend answers as the book does, and the
//! conformance kit plays the same questions to both.

pub mod adaptive;
mod book;
pub mod bucket;
pub mod concurrency;
mod counter;
pub mod fixed_window;
mod reserve;
pub mod sliding_log;
pub mod sliding_window;
pub mod top;
mod window;

pub use book::Book;
pub use counter::Counter;
pub use reserve::{Answer, Record, Taken, reserve, settle};
pub use window::Windows;

/// What a hold remembers of a charge, so that what is given back goes where it came from. Two numbers, for any store.
///
/// | algorithm | `nanos` | `fraction` |
/// |---|---|---|
/// | token bucket | when the charge comes back by itself, [see](bucket::mark) | the rest of it, in ticks |
/// | windows | the index of the window | – |
/// | log | the time of the charge | – |
/// | concurrency | – | – |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The whole number.
    pub nanos: u64,
    /// The rest.
    pub fraction: u32,
}
