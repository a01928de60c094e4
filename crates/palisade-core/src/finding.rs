use std::{borrow::Cow, fmt, ops::Range};

/// A half-open range of byte offsets into a UTF-8 text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ByteRange {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl ByteRange {
    /// A range from `start` up to, not including, `end`. A reversed pair is read as the empty range at `start`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end: if end < start { start } else { end },
        }
    }

    /// The number of bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the range holds no byte.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether the two ranges share a byte.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The range `by` bytes further on.
    #[must_use]
    pub const fn shifted(self, by: usize) -> Self {
        Self {
            start: self.start + by,
            end: self.end + by,
        }
    }

    /// The standard library's form, for slicing.
    #[must_use]
    pub const fn as_range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl fmt::Debug for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

impl From<Range<usize>> for ByteRange {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth a look.
    Medium,
    /// Should be stopped.
    High,
    /// Must be stopped.
    Critical,
}

/// One match of one rule in a text.
///
/// It says where, never what: a finding may be logged, the text it points at may not.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Finding {
    /// The rule that matched, by its stable id.
    pub rule: Cow<'static, str>,
    /// The group the rule belongs to: a family of attacks, a kind of secret.
    pub category: Cow<'static, str>,
    /// How much it matters.
    pub severity: Severity,
    /// Where, in bytes of the original text.
    pub range: ByteRange,
    /// How sure the rule is, from 0 to 1. A rank, not a probability.
    pub confidence: f32,
}

impl Finding {
    /// A finding of `rule` at `range`; `confidence` is clamped to 0..=1 and a NaN becomes 0.
    #[must_use]
    pub fn new(
        rule: impl Into<Cow<'static, str>>,
        category: impl Into<Cow<'static, str>>,
        severity: Severity,
        range: impl Into<ByteRange>,
        confidence: f32,
    ) -> Self {
        let confidence = if confidence.is_nan() {
            0.0
        } else {
            confidence.clamp(0.0, 1.0)
        };
        Self {
            rule: rule.into(),
            category: category.into(),
            severity,
            range: range.into(),
            confidence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_do_not_overlap() {
        let (left, right) = (ByteRange::new(0, 3), ByteRange::new(3, 5));
        assert!(!left.overlaps(right) && !right.overlaps(left));
        assert!(left.overlaps(ByteRange::new(2, 3)));
        assert!(ByteRange::new(5, 2).is_empty());
    }

    #[test]
    fn a_confidence_stays_between_zero_and_one() {
        let confidence = |value| Finding::new("r", "c", Severity::Low, 0..1, value).confidence;
        assert_eq!(
            [confidence(-1.0), confidence(2.0), confidence(f32::NAN)],
            [0.0, 1.0, 0.0]
        );
    }
}
