//! The guards against load, for each provider's model, as the configuration switches them on.

use std::{sync::Arc, time::Duration};

use palisade::{
    core::SystemClock,
    resilience::{
        AdaptiveConfig, AdaptiveLimit, BreakerConfig, BreakerRegistry, Bulkhead, ClientThrottle,
        PushbackGate, ThrottleConfig, Window,
    },
    tower::{
        AdmitLayer, AroundBreaker, BreakerLayer, Gate, LearnedPlaces, PerRoute, Places, Time,
        Upstream, around_breaker,
    },
};

use crate::{
    config::{Config, ConfigError},
    service::refused,
};

/// Providers' models that were told to wait, at most.
const GATES_MAX: usize = 1_024;

/// Where an attempt may wait, in this order.
type Waits = (
    Option<Gate<SystemClock>>,
    (
        Option<PerRoute<Places>>,
        Option<PerRoute<LearnedPlaces<SystemClock>>>,
    ),
);

/// The breakers, with the guards around them.
pub(crate) type Guards = AroundBreaker<Waits, SystemClock, PerRoute<ClientThrottle>>;

/// The layer of all of them.
///
/// # Errors
///
/// [`ConfigError`] for a value that the room refuses.
pub(crate) fn layer(
    config: &Config,
    breakers: Arc<BreakerRegistry>,
    time: Time,
) -> Result<Guards, ConfigError> {
    let (gate, places, learned) = (
        gate(config, &time)?,
        places(config, &time)?,
        learned(config, &time)?,
    );
    let waits = if gate.is_some() || places.is_some() || learned.is_some() {
        AdmitLayer::new((gate, (places, learned)), time.clone())
    } else {
        AdmitLayer::off(time.clone())
    };
    let throttle = match throttle(config)? {
        Some(throttle) => AdmitLayer::new(throttle, time),
        None => AdmitLayer::off(time),
    };
    let breaker = BreakerLayer::new(breakers, Upstream::new(SystemClock));
    Ok(around_breaker(waits, breaker, throttle))
}

/// A breaker that also sees what is slow, and lets the calls come back by and by.
pub(crate) fn watching(config: &Config, breaker: BreakerConfig) -> BreakerConfig {
    let load = &config.load;
    let ms = |ms: u64| Duration::from_millis(ms);
    let mut breaker = breaker
        .with_window(Window::Time(ms(load.breaker_window_ms)))
        .with_ramp(breaker.ramp_from, ms(load.breaker_ramp_ms));
    if load.breaker_slow_ms > 0 {
        breaker = breaker.with_slow_calls(ms(load.breaker_slow_ms), load.breaker_slow_percent);
    }
    if load.breaker_first_token_ms > 0 {
        let first = ms(load.breaker_first_token_ms);
        breaker = breaker.with_slow_first_token(first, load.breaker_slow_percent);
    }
    if load.breaker_abandoned_ms > 0 {
        breaker = breaker.with_abandoned_after(ms(load.breaker_abandoned_ms));
    }
    breaker
}

/// What one request was told, all obey.
fn gate(config: &Config, time: &Time) -> Result<Option<Gate<SystemClock>>, ConfigError> {
    let patience = Duration::from_millis(config.load.pushback_wait_ms);
    let longest = Duration::from_millis(config.load.pushback_max_ms);
    let gate = PushbackGate::new(SystemClock)
        .with_limit(GATES_MAX, longest)
        .map_err(|error| refused("load.pushback_max_ms", &error))?;
    let gate = || Gate::new(gate, patience, time.clone());
    Ok(config.load.pushback.then(gate))
}

fn throttle(config: &Config) -> Result<Option<PerRoute<ClientThrottle>>, ConfigError> {
    if !config.load.throttle {
        return Ok(None);
    }
    let load = &config.load;
    let throttle = ThrottleConfig::default()
        .with_ratio(load.throttle_ratio_percent)
        .with_window(Duration::from_millis(load.throttle_window_ms))
        .with_refuse_max(load.throttle_refuse_max_percent);
    let first = ClientThrottle::new(throttle, SystemClock)
        .map_err(|error| refused("load.throttle", &error))?;
    Ok(Some(PerRoute::new(move || first.another())))
}

fn places(config: &Config, time: &Time) -> Result<Option<PerRoute<Places>>, ConfigError> {
    let load = &config.load;
    if load.calls_max == 0 {
        return Ok(None);
    }
    let mut first =
        Bulkhead::new(load.calls_max).map_err(|error| refused("load.calls_max", &error))?;
    if load.calls_waiting_max > 0 {
        first = first
            .with_queue(load.calls_waiting_max, Duration::from_millis(load.wait_ms))
            .map_err(|error| refused("load.calls_waiting_max", &error))?;
    }
    let time = time.clone();
    Ok(Some(PerRoute::new(move || {
        Places::new(first.another(), time.clone())
    })))
}

fn learned(
    config: &Config,
    time: &Time,
) -> Result<Option<PerRoute<LearnedPlaces<SystemClock>>>, ConfigError> {
    let load = &config.load;
    let Some(rule) = load.adaptive.rule() else {
        return Ok(None);
    };
    let policy = AdaptiveConfig::new(rule)
        .with_range(load.adaptive_min, load.adaptive_from, load.adaptive_max)
        .with_drop_after(config.resilience.attempt_timeout())
        .build()
        .map_err(|error| refused("load.adaptive", &error))?;
    let (queue, patience) = (load.calls_waiting_max, Duration::from_millis(load.wait_ms));
    let time = time.clone();
    Ok(Some(PerRoute::new(move || {
        let limit = AdaptiveLimit::new(policy, SystemClock);
        LearnedPlaces::new(limit, queue, patience, time.clone())
    })))
}

#[cfg(test)]
mod tests {
    use palisade::resilience::TokioTimer;

    use super::*;

    fn guards(toml: &str) -> Result<String, ConfigError> {
        let config = Config::parse(toml)?;
        let breakers = Arc::new(crate::service::breakers(&config)?);
        let time = Time::new(SystemClock, TokioTimer);
        layer(&config, breakers, time).map(|layer| format!("{layer:?}"))
    }

    #[test]
    fn every_guard_can_be_switched_on() {
        for rule in ["aimd", "gradient", "vegas"] {
            let toml = format!(
                "[load]\ncalls_max = 10\ncalls_waiting_max = 5\nadaptive = \"{rule}\"\nthrottle = true\npushback = true"
            );
            assert!(guards(&toml).is_ok());
        }
    }

    #[test]
    fn what_a_room_refuses_is_refused_under_its_key() {
        let error = guards("[load]\ncalls_max = 100000000").unwrap_err();
        assert!(error.to_string().contains("load.calls_max"), "{error}");
    }

    #[test]
    fn a_breaker_watches_what_it_is_told_to() {
        let toml = "[load]\nbreaker_slow_ms = 20000\nbreaker_first_token_ms = 5000\nbreaker_ramp_ms = 9000\n\
                    breaker_abandoned_ms = 4000";
        let config = Config::parse(toml).unwrap();
        let breaker = watching(&config, BreakerConfig::default());
        assert_eq!(breaker.slow_after, Some(Duration::from_secs(20)));
        assert_eq!(breaker.slow_first_token, Some(Duration::from_secs(5)));
        assert_eq!(breaker.abandoned_after, Some(Duration::from_secs(4)));
        assert_eq!(
            (breaker.slow_rate, breaker.ramp_for),
            (50, Duration::from_secs(9))
        );
        let plain = watching(&Config::parse("").unwrap(), BreakerConfig::default());
        assert_eq!(plain, BreakerConfig::default());
    }
}
