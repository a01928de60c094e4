//! A bad day of the providers, as the configuration asks for it.

use std::time::Duration;

use http::Response;
use hyper::body::Incoming;
use palisade::{
    resilience::{Chaos, ErrorKind, Failure},
    tower::{BoxError, ChaosLayer, Time},
};

use crate::{
    config::{Config, ConfigError},
    service::refused,
};

/// What chance makes of an attempt; `None` if nothing.
///
/// # Errors
///
/// [`ConfigError`] for a value that the room refuses.
pub(crate) fn layer(
    config: &Config,
    time: Time,
) -> Result<Option<ChaosLayer<Response<Incoming>>>, ConfigError> {
    let wanted = &config.chaos;
    if wanted.fail_percent == 0 && wanted.delay_percent == 0 {
        return Ok(None);
    }
    let millionths = |percent: u32| percent.saturating_mul(Chaos::<()>::ALWAYS / 100);
    let longest = Duration::from_millis(wanted.delay_max_ms);
    let failed = || -> Result<Response<Incoming>, BoxError> {
        Err(Failure::new(ErrorKind::Unavailable).not_processed().into())
    };
    let chaos = Chaos::seeded(wanted.seed)
        .with_latency(millionths(wanted.delay_percent), Duration::ZERO, longest)
        .map_err(|error| refused("chaos.delay_max_ms", &error))?
        .with_result(millionths(wanted.fail_percent), failed)
        .map_err(|error| refused("chaos.fail_percent", &error))?;
    Ok(Some(ChaosLayer::new(chaos, time)))
}
