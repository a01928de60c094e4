use std::{borrow::Cow, fmt, sync::Arc};

use palisade_core::{Key, ModelId, Money, Timestamp, Usage};

use crate::CostStatus;

/// What one attempt at one model used and cost: a line of the usage log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct UsageRecord {
    /// The name under which it is recorded once, however often it is sent.
    pub id: RecordId,
    /// When the attempt ended.
    pub at: Timestamp,
    /// Who caused it: organisation, project, user, API key. Other dimensions are kept but not reported on.
    pub subject: Key,
    /// The model that ran, as the provider calls it.
    pub model: ModelId,
    /// The part of the service that asked.
    pub layer: Layer,
    /// What was used, as far as it is known.
    pub usage: Usage,
    /// What it cost, exactly; `None` where that is not known.
    pub cost: Option<Money>,
    /// How the cost came about.
    pub status: CostStatus,
}

impl UsageRecord {
    /// A record of `usage` that is yet to be priced: the cost is unknown and the status
    /// [`UsageMissing`](CostStatus::UsageMissing) until [`with_cost`](UsageRecord::with_cost) says more.
    #[must_use]
    pub fn new(id: RecordId, at: Timestamp, subject: Key, model: ModelId, usage: Usage) -> Self {
        Self {
            id,
            at,
            subject,
            model,
            layer: Layer::default(),
            usage,
            cost: None,
            status: CostStatus::UsageMissing,
        }
    }

    /// The same with what it cost and how that came about.
    #[must_use]
    pub fn with_cost(mut self, cost: Option<Money>, status: CostStatus) -> Self {
        self.cost = cost;
        self.status = status;
        self
    }

    /// A record that corrects another: it used nothing, and costs the `difference` between what is right and what was
    /// recorded, which may be negative. The log is only ever added to; sums over both are right. A report counts it among
    /// the calls.
    ///
    /// Derive its id from that of the other and the number of the correction.
    #[must_use]
    pub fn correction(of: &Self, id: RecordId, at: Timestamp, difference: Money) -> Self {
        Self {
            id,
            at,
            subject: of.subject.clone(),
            model: of.model.clone(),
            layer: of.layer.clone(),
            usage: Usage::default(),
            cost: Some(difference),
            status: CostStatus::Corrected,
        }
    }

    /// The same, caused by another part of the service.
    #[must_use]
    pub fn with_layer(mut self, layer: Layer) -> Self {
        self.layer = layer;
        self
    }
}

/// The name of a record: 1 to 128 printable ASCII characters without spaces.
///
/// Derive it from the attempt (a request's id and the number of the attempt), so that a record that is sent twice
/// counts once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct RecordId(Arc<str>);

impl RecordId {
    /// The most bytes a name may have.
    pub const BYTES_MAX: usize = 128;

    /// The name `id`.
    ///
    /// # Errors
    ///
    /// [`RecordNameError`] if it is empty, too long or holds anything but printable ASCII.
    pub fn new(id: &str) -> Result<Self, RecordNameError> {
        check("id of a record", id, Self::BYTES_MAX)?;
        Ok(Self(id.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({})", self.0)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for RecordId {
    type Error = RecordNameError;

    fn try_from(id: String) -> Result<Self, RecordNameError> {
        Self::new(&id)
    }
}

impl From<RecordId> for String {
    fn from(id: RecordId) -> Self {
        (*id.0).to_owned()
    }
}

/// The part of a service that asked a model: `answer`, `router`, `judge`, … One by default: `answer`.
///
/// 1 to 64 printable ASCII characters without spaces. A service has a handful of layers, written in its code; never
/// make one from what a client sends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct Layer(Cow<'static, str>);

impl Layer {
    /// The most bytes a name may have.
    pub const BYTES_MAX: usize = 64;

    /// The layer `name`.
    ///
    /// # Errors
    ///
    /// [`RecordNameError`] if the name is empty, too long or holds anything but printable ASCII.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, RecordNameError> {
        let name = name.into();
        check("name of a layer", &name, Self::BYTES_MAX)?;
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Layer {
    fn default() -> Self {
        Self(Cow::Borrowed("answer"))
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layer({})", self.0)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Layer {
    type Error = RecordNameError;

    fn try_from(name: String) -> Result<Self, RecordNameError> {
        Self::new(name)
    }
}

impl From<Layer> for String {
    fn from(layer: Layer) -> Self {
        layer.0.into_owned()
    }
}

/// Why a text cannot name a record or a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordNameError {
    /// It is empty or too long.
    #[error("the {what} has 1 to {max} bytes; found {length}")]
    Length {
        /// What the text was to name.
        what: &'static str,
        /// The most bytes allowed.
        max: usize,
        /// The bytes found.
        length: usize,
    },
    /// It holds something that is not printable ASCII.
    #[error("the {what} holds printable ASCII characters without spaces only")]
    Character {
        /// What the text was to name.
        what: &'static str,
    },
}

fn check(what: &'static str, text: &str, max: usize) -> Result<(), RecordNameError> {
    if !(1..=max).contains(&text.len()) {
        return Err(RecordNameError::Length {
            what,
            max,
            length: text.len(),
        });
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(RecordNameError::Character { what });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_limits() {
        assert!(RecordId::new(&"r".repeat(128)).is_ok());
        assert!(matches!(
            RecordId::new(&"r".repeat(129)),
            Err(RecordNameError::Length { length: 129, .. })
        ));
        assert!(matches!(
            RecordId::new(""),
            Err(RecordNameError::Length { length: 0, .. })
        ));
        assert!(matches!(
            Layer::new("a b"),
            Err(RecordNameError::Character { .. })
        ));
        assert!(Layer::new("l".repeat(65)).is_err());
    }
}
