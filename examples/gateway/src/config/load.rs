use palisade::resilience::Adaptation;
use serde::Deserialize;

/// What is too much for a provider, and how that is noticed. Nothing is, unless it is set.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Load {
    pub(crate) calls_max: usize,
    pub(crate) calls_waiting_max: usize,
    pub(crate) wait_ms: u64,
    pub(crate) adaptive: Adaptive,
    pub(crate) adaptive_min: u32,
    pub(crate) adaptive_from: u32,
    pub(crate) adaptive_max: u32,
    pub(crate) throttle: bool,
    pub(crate) throttle_ratio_percent: u32,
    pub(crate) throttle_window_ms: u64,
    pub(crate) throttle_refuse_max_percent: u32,
    pub(crate) pushback: bool,
    pub(crate) pushback_wait_ms: u64,
    pub(crate) pushback_max_ms: u64,
    pub(crate) breaker_window_ms: u64,
    pub(crate) breaker_slow_ms: u64,
    pub(crate) breaker_first_token_ms: u64,
    pub(crate) breaker_slow_percent: u32,
    pub(crate) breaker_abandoned_ms: u64,
    pub(crate) breaker_ramp_ms: u64,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            calls_max: 0,
            calls_waiting_max: 0,
            wait_ms: 1_000,
            adaptive: Adaptive::Off,
            adaptive_min: 1,
            adaptive_from: 20,
            adaptive_max: 1_000,
            throttle: false,
            throttle_ratio_percent: 200,
            throttle_window_ms: 30_000,
            throttle_refuse_max_percent: 95,
            pushback: false,
            pushback_wait_ms: 0,
            pushback_max_ms: 300_000,
            breaker_window_ms: 30_000,
            breaker_slow_ms: 0,
            breaker_first_token_ms: 0,
            breaker_slow_percent: 50,
            breaker_abandoned_ms: 0,
            breaker_ramp_ms: 0,
        }
    }
}

/// By which rule a limit on calls under way is learnt.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Adaptive {
    Off,
    Aimd,
    Gradient,
    Vegas,
}

impl Adaptive {
    pub(crate) const fn rule(self) -> Option<Adaptation> {
        match self {
            Self::Off => None,
            Self::Aimd => Some(Adaptation::Aimd),
            Self::Gradient => Some(Adaptation::Gradient),
            Self::Vegas => Some(Adaptation::Vegas),
        }
    }
}
