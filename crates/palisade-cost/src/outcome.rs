use palisade_core::{Money, Tokens, Usage};

/// What a response says about what was used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageOutcome {
    /// The counts, or why there are none.
    pub reading: Reading,
    /// The model as the response names it: the one that really ran.
    pub model: Option<String>,
    /// The service tier that really served.
    pub service_tier: Option<String>,
    /// The cost, where the provider states it.
    pub reported_cost: Option<Money>,
    /// How much context a search brought, where the provider charges the request for one.
    pub search_context: Option<SearchContext>,
}

/// What could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// Everything there is to know.
    Complete(Counts),
    /// A part, because the response broke off: what is counted is a lower bound.
    Partial(Counts),
    /// Nothing.
    Missing,
    /// Something that cannot be true.
    Invalid(UsageFault),
    /// The call failed before anything was generated.
    NotBilled,
}

/// Counts, and which of the totals were counted at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The counts; those unknown are zero.
    pub usage: Usage,
    /// Whether the input is known.
    pub input: bool,
    /// Whether the output is known.
    pub output: bool,
}

impl UsageOutcome {
    /// An outcome that says this and nothing else.
    #[must_use]
    pub fn new(reading: Reading) -> Self {
        Self {
            reading,
            model: None,
            service_tier: None,
            reported_cost: None,
            search_context: None,
        }
    }

    /// A complete usage.
    #[must_use]
    pub fn complete(usage: Usage) -> Self {
        Self::new(Reading::Complete(Counts::all(usage)))
    }

    /// The same from the model of this name.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// The counts, as far as there are any.
    #[must_use]
    pub fn counts(&self) -> Option<&Counts> {
        match &self.reading {
            Reading::Complete(counts) | Reading::Partial(counts) => Some(counts),
            Reading::Missing | Reading::Invalid(_) | Reading::NotBilled => None,
        }
    }
}

impl Counts {
    /// A usage of which everything is known.
    #[must_use]
    pub const fn all(usage: Usage) -> Self {
        Self {
            usage,
            input: true,
            output: true,
        }
    }

    /// A usage of which only the input is known.
    #[must_use]
    pub const fn input_only(usage: Usage) -> Self {
        Self {
            usage,
            input: true,
            output: false,
        }
    }
}

/// Checks that no part of a usage is larger than its whole.
///
/// # Errors
///
/// [`UsageFault::Part`] with the part that is.
pub fn check_usage(usage: &Usage) -> Result<(), UsageFault> {
    let (input, output) = (usage.input.get(), usage.output.get());
    let sum = |counts: &[Tokens]| {
        counts
            .iter()
            .try_fold(0_u64, |sum, count| sum.checked_add(count.get()))
    };
    let within = |part: &'static str, counts: &[Tokens], whole: u64| match sum(counts) {
        Some(sum) if sum <= whole => Ok(()),
        _ => Err(UsageFault::Part { part }),
    };
    let cached = [usage.cache_read, usage.cache_write_5m, usage.cache_write_1h];
    let media = [usage.input_audio, usage.input_image, usage.input_video];
    within("cache", &cached, input)?;
    within("audio, images and video", &media, input)?;
    let cached_audio = [usage.cache_read_audio];
    within("cached audio", &cached_audio, usage.cache_read.get())?;
    within("cached audio", &cached_audio, usage.input_audio.get())?;
    let written = [usage.reasoning, usage.output_audio, usage.citation];
    within("reasoning, audio and citations", &written, output)
}

/// How a usage contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageFault {
    /// A count is negative, no integer, or no number at all.
    #[error("the count {field} is not a whole number of at most 64 bits")]
    Count {
        /// Which count.
        field: &'static str,
    },
    /// A part is larger than its whole.
    #[error("there is more {part} than the total it is part of")]
    Part {
        /// Which part.
        part: &'static str,
    },
    /// The counts do not fit together, or their cost does not fit.
    #[error("the counts are out of range")]
    Range,
    /// The provider states a cost that is negative or no amount.
    #[error("the stated cost is not an amount of money")]
    Cost,
    /// The response is not what its provider's documentation says it is.
    #[error("the response cannot be read")]
    Unreadable,
}

/// How much context a search of the web brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SearchContext {
    /// Little.
    #[default]
    Low,
    /// The usual amount.
    Medium,
    /// Much.
    High,
}

impl SearchContext {
    /// The amount of this name; an unknown name is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            _ => None,
        }
    }
}
