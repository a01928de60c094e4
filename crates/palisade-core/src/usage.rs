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
        let tokens = |a: Tokens, b: Tokens| a.checked_add(b).ok_or(UsageError::Overflow);
        let count = |a: u64, b: u64| a.checked_add(b).ok_or(UsageError::Overflow);
        Ok(Self {
            input: tokens(self.input, other.input)?,
            output: tokens(self.output, other.output)?,
            cache_read: tokens(self.cache_read, other.cache_read)?,
            cache_write_5m: tokens(self.cache_write_5m, other.cache_write_5m)?,
            cache_write_1h: tokens(self.cache_write_1h, other.cache_write_1h)?,
            reasoning: tokens(self.reasoning, other.reasoning)?,
            input_audio: tokens(self.input_audio, other.input_audio)?,
            output_audio: tokens(self.output_audio, other.output_audio)?,
            cache_read_audio: tokens(self.cache_read_audio, other.cache_read_audio)?,
            input_image: tokens(self.input_image, other.input_image)?,
            input_video: tokens(self.input_video, other.input_video)?,
            citation: tokens(self.citation, other.citation)?,
            web_search_requests: count(self.web_search_requests, other.web_search_requests)?,
            search_units: count(self.search_units, other.search_units)?,
        })
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
