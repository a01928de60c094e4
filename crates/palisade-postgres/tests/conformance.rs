//! Each port keeps every rule of the kit, on a real server.

#[cfg(feature = "quota")]
#[path = "conformance/quota.rs"]
mod quota;
mod support;
