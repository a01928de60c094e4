//! Each port keeps every rule of the kit, on a real server.

#[cfg(feature = "auth")]
#[path = "conformance/auth.rs"]
mod auth;
#[cfg(feature = "cost")]
#[path = "conformance/cost.rs"]
mod cost;
#[cfg(feature = "quota")]
#[path = "conformance/quota.rs"]
mod quota;
mod support;
#[cfg(feature = "trace")]
#[path = "conformance/trace.rs"]
mod trace;
