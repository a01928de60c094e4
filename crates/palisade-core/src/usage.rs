use std::fmt;

/// A number of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(transparent)
)]
pub struct Tokens(u64);

impl Tokens {
    /// None.
    pub const ZERO: Self = Self(0);

    /// A number of tokens.
    #[must_use]
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, or `None` if it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` if `other` is more.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<u64> for Tokens {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What one call used, in the same terms for every provider.
///
/// The two totals follow OpenTelemetry: `input` holds everything the model read, cached or not, of every modality;
/// `output` holds everything it wrote, reasoning included. All other counts are subsets of one of the two (cache,
/// modality, reasoning) or are not tokens at all (searches). Providers disagree on what their totals include;
/// normalising that is `palisade-cost`'s work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct Usage {
    /// Everything the model read.
    #[cfg_attr(feature = "serde", serde(rename = "input_tokens"))]
    pub input: Tokens,
    /// Everything the model wrote.
    #[cfg_attr(feature = "serde", serde(rename = "output_tokens"))]
    pub output: Tokens,
    /// Of the input: read from a cache.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "cache_read_tokens", skip_serializing_if = "is_zero")
    )]
    pub cache_read: Tokens,
    /// Of the input: written to a cache for the default time (five minutes at Anthropic).
    #[cfg_attr(
        feature = "serde",
        serde(rename = "cache_write_5m_tokens", skip_serializing_if = "is_zero")
    )]
    pub cache_write_5m: Tokens,
    /// Of the input: written to a cache for an hour.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "cache_write_1h_tokens", skip_serializing_if = "is_zero")
    )]
    pub cache_write_1h: Tokens,
    /// Of the output: reasoning the client may never see.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "reasoning_tokens", skip_serializing_if = "is_zero")
    )]
    pub reasoning: Tokens,
    /// Of the input: audio.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "input_audio_tokens", skip_serializing_if = "is_zero")
    )]
    pub input_audio: Tokens,
    /// Of the output: audio.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "output_audio_tokens", skip_serializing_if = "is_zero")
    )]
    pub output_audio: Tokens,
    /// Of the cached input: audio.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "cache_read_audio_tokens", skip_serializing_if = "is_zero")
    )]
    pub cache_read_audio: Tokens,
    /// Of the input: images.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "input_image_tokens", skip_serializing_if = "is_zero")
    )]
    pub input_image: Tokens,
    /// Of the input: video.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "input_video_tokens", skip_serializing_if = "is_zero")
    )]
    pub input_video: Tokens,
    /// Of the output: citations.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "citation_tokens", skip_serializing_if = "is_zero")
    )]
    pub citation: Tokens,
    /// Searches of the web that the provider ran.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_zero_count"))]
    pub web_search_requests: u64,
    /// Units of search a re-ranker billed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_zero_count"))]
    pub search_units: u64,
}

impl Usage {
    /// A usage of plain text: `input` read, `output` written.
    #[must_use]
    pub fn new(input: Tokens, output: Tokens) -> Self {
        Self {
            input,
            output,
            ..Self::default()
        }
    }

    /// Input and output together.
    ///
    /// # Errors
    ///
    /// [`UsageError::Overflow`] if the sum does not fit.
    pub fn total(&self) -> Result<Tokens, UsageError> {
        self.input
            .checked_add(self.output)
            .ok_or(UsageError::Overflow)
    }

    /// The usage of two calls together.
    ///
    /// # Errors
    ///
    /// [`UsageError::Overflow`] if a count does not fit.
    pub fn checked_add(&self, other: &Self) -> Result<Self, UsageError> {
        let mut sums = self.to_counts();
        for (sum, count) in sums.iter_mut().zip(other.to_counts()) {
            *sum = sum.checked_add(count).ok_or(UsageError::Overflow)?;
        }
        Ok(Self::from_counts(sums))
    }

    /// How many counts there are.
    pub const COUNTS: usize = 14;

    /// The counts, for stores that keep each in a column: in the order in which the fields stand here, which never changes. A
    /// field to come is added at the end.
    #[must_use]
    pub const fn to_counts(&self) -> [u64; Self::COUNTS] {
        // All of them, or it does not compile.
        let Self {
            input,
            output,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            reasoning,
            input_audio,
            output_audio,
            cache_read_audio,
            input_image,
            input_video,
            citation,
            web_search_requests,
            search_units,
        } = *self;
        [
            input.0,
            output.0,
            cache_read.0,
            cache_write_5m.0,
            cache_write_1h.0,
            reasoning.0,
            input_audio.0,
            output_audio.0,
            cache_read_audio.0,
            input_image.0,
            input_video.0,
            citation.0,
            web_search_requests,
            search_units,
        ]
    }

    /// The usage of these counts, in the order of [`to_counts`](Self::to_counts).
    #[must_use]
    pub const fn from_counts(counts: [u64; Self::COUNTS]) -> Self {
        let [
            input,
            output,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            reasoning,
            input_audio,
            output_audio,
            cache_read_audio,
            input_image,
            input_video,
            citation,
            web_search_requests,
            search_units,
        ] = counts;
        Self {
            input: Tokens(input),
            output: Tokens(output),
            cache_read: Tokens(cache_read),
            cache_write_5m: Tokens(cache_write_5m),
            cache_write_1h: Tokens(cache_write_1h),
            reasoning: Tokens(reasoning),
            input_audio: Tokens(input_audio),
            output_audio: Tokens(output_audio),
            cache_read_audio: Tokens(cache_read_audio),
            input_image: Tokens(input_image),
            input_video: Tokens(input_video),
            citation: Tokens(citation),
            web_search_requests,
            search_units,
        }
    }
}

#[cfg(feature = "serde")]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero(tokens: &Tokens) -> bool {
    tokens.is_zero()
}

#[cfg(feature = "serde")]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero_count(count: &u64) -> bool {
    *count == 0
}

/// Why a usage could not be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A count does not fit in 64 bits.
    #[error("a token count does not fit in 64 bits")]
    Overflow,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_in_the_order_of_the_fields_and_come_back() {
        let counts = std::array::from_fn(|place| place as u64 + 1);
        let usage = Usage::from_counts(counts);
        assert_eq!((usage.input, usage.output), (Tokens(1), Tokens(2)));
        assert_eq!((usage.reasoning, usage.citation), (Tokens(6), Tokens(12)));
        assert_eq!((usage.web_search_requests, usage.search_units), (13, 14));
        assert_eq!(usage.to_counts(), counts);
        let twice = usage.checked_add(&usage).unwrap();
        assert_eq!(twice.to_counts(), counts.map(|count| 2 * count));
        for place in 0..Usage::COUNTS {
            let mut most = [0; Usage::COUNTS];
            most[place] = u64::MAX;
            assert_eq!(
                Usage::from_counts(most).checked_add(&usage),
                Err(UsageError::Overflow)
            );
        }
    }
}
