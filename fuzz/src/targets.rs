//! What is fuzzed.

mod advice;
mod catalog;
mod detector;
mod forwarded;
mod key;
mod limits;
mod money;
mod normalizer;
mod redaction_chunks;
mod traceparent;
mod usage;

pub use advice::advice;
pub use catalog::catalog;
pub use detector::detector;
pub use forwarded::forwarded;
pub use key::key;
pub use limits::limits;
pub use money::money;
pub use normalizer::normalizer;
pub use redaction_chunks::redaction_chunks;
pub use traceparent::traceparent;
pub use usage::usage;

/// A target: what it is called, what is done with an input, and pieces of text that lead a blind generator further in
/// than random bytes would.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name, also of the file in `fuzz_targets`.
    pub name: &'static str,
    /// Panics if a promise is broken.
    pub run: fn(&[u8]),
    /// Pieces to build inputs from.
    pub pieces: &'static [&'static str],
}

/// Every target.
pub const ALL: &[Target] = &[
    Target {
        name: "advice",
        run: advice,
        pieces: advice::PIECES,
    },
    Target {
        name: "key",
        run: key,
        pieces: key::PIECES,
    },
    Target {
        name: "forwarded",
        run: forwarded,
        pieces: forwarded::PIECES,
    },
    Target {
        name: "limits",
        run: limits,
        pieces: limits::PIECES,
    },
    Target {
        name: "money",
        run: money,
        pieces: money::PIECES,
    },
    Target {
        name: "traceparent",
        run: traceparent,
        pieces: traceparent::PIECES,
    },
    Target {
        name: "redaction_chunks",
        run: redaction_chunks,
        pieces: redaction_chunks::PIECES,
    },
    Target {
        name: "normalizer",
        run: normalizer,
        pieces: normalizer::PIECES,
    },
    Target {
        name: "detector",
        run: detector,
        pieces: detector::PIECES,
    },
    Target {
        name: "usage",
        run: usage,
        pieces: usage::PIECES,
    },
    Target {
        name: "catalog",
        run: catalog,
        pieces: catalog::PIECES,
    },
];
