use serde::Deserialize;

/// A bad day of the providers, to try out what is set against it. There is none, unless it is set.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Chaos {
    pub(crate) fail_percent: u32,
    pub(crate) delay_percent: u32,
    pub(crate) delay_max_ms: u64,
    pub(crate) seed: u64,
}

/// How the service finds out how it is.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Health {
    pub(crate) fresh_ms: u64,
    pub(crate) timeout_ms: u64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            fresh_ms: 250,
            timeout_ms: 1_000,
        }
    }
}
