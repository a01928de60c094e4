//! Each port keeps every rule of the kit, in a file and in memory.

#[cfg(feature = "auth")]
#[path = "conformance/auth.rs"]
mod auth;
#[cfg(feature = "cost")]
#[path = "conformance/cost.rs"]
mod cost;
#[cfg(feature = "quota")]
#[path = "conformance/quota.rs"]
mod quota;
#[cfg(feature = "rate-limit")]
#[path = "conformance/rate_limit.rs"]
mod rate_limit;
#[cfg(feature = "trace")]
#[path = "conformance/trace.rs"]
mod trace;
