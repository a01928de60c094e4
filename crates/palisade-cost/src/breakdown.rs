use std::fmt;

use palisade_core::{Money, MoneyError};

/// A kind of thing a bill has a line for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// Fresh input that is not audio, image or video.
    Input,
    /// Cached input that is not audio.
    CacheRead,
    /// Cached audio.
    CacheReadAudio,
    /// Input written to a cache for the default time.
    CacheWrite5m,
    /// Input written to a cache for an hour.
    CacheWrite1h,
    /// Fresh audio.
    InputAudio,
    /// Fresh images.
    InputImage,
    /// Fresh video.
    InputVideo,
    /// Output that is none of what follows.
    Output,
    /// Output that is audio.
    OutputAudio,
    /// Reasoning, where it has a price of its own; it is part of the output otherwise.
    Reasoning,
    /// Citations, likewise.
    Citation,
    /// Searches of the web.
    WebSearch,
    /// Units of search (re-ranking).
    SearchUnits,
    /// The request itself.
    Request,
}

impl Part {
    /// All of them, in the order of a bill.
    pub const ALL: [Self; 15] = [
        Self::Input,
        Self::CacheRead,
        Self::CacheReadAudio,
        Self::CacheWrite5m,
        Self::CacheWrite1h,
        Self::InputAudio,
        Self::InputImage,
        Self::InputVideo,
        Self::Output,
        Self::OutputAudio,
        Self::Reasoning,
        Self::Citation,
        Self::WebSearch,
        Self::SearchUnits,
        Self::Request,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CacheRead => "cache_read",
            Self::CacheReadAudio => "cache_read_audio",
            Self::CacheWrite5m => "cache_write_5m",
            Self::CacheWrite1h => "cache_write_1h",
            Self::InputAudio => "input_audio",
            Self::InputImage => "input_image",
            Self::InputVideo => "input_video",
            Self::Output => "output",
            Self::OutputAudio => "output_audio",
            Self::Reasoning => "reasoning",
            Self::Citation => "citation",
            Self::WebSearch => "web_search",
            Self::SearchUnits => "search_units",
            Self::Request => "request",
        }
    }
}

/// A cost by kind: what was used of each kind, times its price. The amounts add up to the cost, exactly.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Breakdown {
    amounts: [Money; Part::ALL.len()],
    /// One bit a part: a part that was used at no cost is there, one that was not used is not.
    used: u16,
}

impl Breakdown {
    /// The amount of one kind; `None` if nothing of it was used.
    #[must_use]
    pub fn amount(&self, part: Part) -> Option<Money> {
        (self.used & (1 << part as u16) != 0).then(|| self.amounts[part as usize])
    }

    /// The kinds that were used and what each cost, in the order of a bill.
    pub fn iter(&self) -> impl Iterator<Item = (Part, Money)> + '_ {
        Part::ALL
            .into_iter()
            .filter_map(|part| Some((part, self.amount(part)?)))
    }

    /// Adds to a kind, unless there is nothing of it.
    pub(crate) fn add(&mut self, part: Part, amount: Money, count: u64) -> Result<(), MoneyError> {
        if count > 0 {
            let sum = &mut self.amounts[part as usize];
            *sum = sum.checked_add(amount)?;
            self.used |= 1 << part as u16;
        }
        Ok(())
    }
}

impl fmt::Debug for Breakdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(part, amount)| (part.as_str(), amount)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_place_of_its_own() {
        for (place, part) in Part::ALL.into_iter().enumerate() {
            assert_eq!(part as usize, place);
        }
    }

    #[test]
    fn a_part_used_at_no_cost_is_named() {
        let mut breakdown = Breakdown::default();
        breakdown.add(Part::Output, Money::ZERO, 7).unwrap();
        breakdown.add(Part::Input, Money::ZERO, 0).unwrap();
        assert_eq!(breakdown.amount(Part::Output), Some(Money::ZERO));
        assert_eq!(breakdown.amount(Part::Input), None);
    }
}
