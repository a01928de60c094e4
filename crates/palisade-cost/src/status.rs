use std::{fmt, str::FromStr};

/// How a cost came about, or why there is none.
///
/// The first question a caller has is whether what was reserved for the call may be given back:
/// [`releases_reservation`](CostStatus::releases_reservation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum CostStatus {
    /// Every count and every price is known.
    Priced,
    /// Likewise, but the price table says that this model costs nothing. That is a statement to look at, not to trust.
    ZeroPriceRow,
    /// The provider itself stated the cost.
    ProviderReported,
    /// Only a part of the usage is known, such as the input of a stream that was cut. The cost is at least the known
    /// part.
    UsagePartial,
    /// The response says nothing about usage. The cost is unknown, not zero.
    UsageMissing,
    /// The reported usage contradicts itself: a part larger than its whole, a count that is negative or no integer.
    InvalidUsage,
    /// There is no price for the model, or none for something it was used for. The cost is unknown, not zero.
    UnknownModel,
    /// The call failed before anything was generated: it costs nothing.
    NotBilled,
    /// What was booked before was wrong: the cost is the difference.
    Corrected,
}

impl CostStatus {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Priced,
        Self::ZeroPriceRow,
        Self::ProviderReported,
        Self::UsagePartial,
        Self::UsageMissing,
        Self::InvalidUsage,
        Self::UnknownModel,
        Self::NotBilled,
        Self::Corrected,
    ];

    /// The name, as it stands in records and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Priced => "priced",
            Self::ZeroPriceRow => "zero_price_row",
            Self::ProviderReported => "provider_reported",
            Self::UsagePartial => "usage_partial",
            Self::UsageMissing => "usage_missing",
            Self::InvalidUsage => "invalid_usage",
            Self::UnknownModel => "unknown_model",
            Self::NotBilled => "not_billed",
            Self::Corrected => "corrected",
        }
    }

    /// Whether the cost is known exactly.
    #[must_use]
    pub const fn is_known(self) -> bool {
        match self {
            Self::Priced
            | Self::ZeroPriceRow
            | Self::ProviderReported
            | Self::NotBilled
            | Self::Corrected => true,
            Self::UsagePartial | Self::UsageMissing | Self::InvalidUsage | Self::UnknownModel => {
                false
            }
        }
    }

    /// Whether everything that was reserved for the call may be given back at once.
    ///
    /// Where the cost is unknown the reservation must stand: whoever refunds it makes an unknown cost a zero.
    #[must_use]
    pub const fn releases_reservation(self) -> bool {
        matches!(self, Self::NotBilled)
    }
}

impl fmt::Display for CostStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CostStatus {
    type Err = CostStatusError;

    fn from_str(text: &str) -> Result<Self, CostStatusError> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(CostStatusError)
    }
}

/// The text is not the name of a [`CostStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a status of a cost; expected a name such as priced, usage_missing or unknown_model")]
#[non_exhaustive]
pub struct CostStatusError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_its_status() {
        for status in CostStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("Priced".parse::<CostStatus>(), Err(CostStatusError));
    }

    #[test]
    fn an_unknown_cost_never_gives_a_reservation_back() {
        for status in CostStatus::ALL {
            assert!(status.is_known() || !status.releases_reservation());
        }
    }
}
