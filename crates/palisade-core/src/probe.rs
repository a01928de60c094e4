use std::borrow::Cow;

/// Something whose health can be asked for.
///
/// Sync, because it reports what is already known (a breaker's state, the age of the last answer): a health page that
/// itself waits on a sick store is sick too.
pub trait Probe: Send + Sync {
    /// The state of the component now.
    fn health(&self) -> Health;
}

/// The state of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Health {
    /// The component's name.
    pub component: Cow<'static, str>,
    /// How it is.
    pub status: Status,
    /// One sentence for a person; holds no secret.
    pub detail: Cow<'static, str>,
}

impl Health {
    /// The state of `component`.
    #[must_use]
    pub fn new(
        component: impl Into<Cow<'static, str>>,
        status: Status,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            component: component.into(),
            status,
            detail: detail.into(),
        }
    }
}

/// How a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Status {
    /// It works.
    Up,
    /// It works in part, or by a fallback.
    Degraded,
    /// It does not work.
    Down,
}
