//! One layer a stage. Each file is one question; the order in which they stand is in `stack.rs`.

#[cfg(feature = "resilience")]
pub(crate) mod admit;
#[cfg(feature = "auth")]
pub(crate) mod auth;
#[cfg(feature = "resilience")]
pub(crate) mod breaker;
#[cfg(feature = "resilience")]
pub(crate) mod chaos;
#[cfg(feature = "resilience")]
pub(crate) mod circuit;
#[cfg(feature = "resilience")]
pub(crate) mod deadline;
#[cfg(feature = "resilience")]
pub(crate) mod diagnose;
#[cfg(feature = "resilience")]
pub(crate) mod fallback;
#[cfg(feature = "resilience")]
pub(crate) mod hedge;
#[cfg(feature = "cost")]
pub(crate) mod meter;
#[cfg(feature = "resilience")]
pub(crate) mod per_route;
#[cfg(feature = "quota")]
pub(crate) mod quota;
#[cfg(feature = "rate-limit")]
pub(crate) mod rate_limit;
#[cfg(feature = "redaction")]
pub(crate) mod redact;
#[cfg(feature = "resilience")]
pub(crate) mod replay;
#[cfg(feature = "resilience")]
pub(crate) mod retry;
pub(crate) mod route;
#[cfg(any(feature = "injection", feature = "redaction"))]
pub(crate) mod scan;
#[cfg(feature = "resilience")]
pub(crate) mod time;
#[cfg(feature = "resilience")]
pub(crate) mod timeout;
#[cfg(feature = "trace")]
pub(crate) mod trace;

#[cfg(feature = "resilience")]
pub use time::Time;
