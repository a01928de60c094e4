use std::{borrow::Cow, fmt};

/// A kind of token that has a price of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PriceClass {
    /// What the model reads.
    Input,
    /// What it writes.
    Output,
    /// Input read from a cache.
    CacheRead,
    /// Input written to a cache for the default time.
    CacheWrite5m,
    /// Input written to a cache for an hour.
    CacheWrite1h,
    /// Output that is reasoning.
    Reasoning,
    /// Input that is audio.
    InputAudio,
    /// Output that is audio.
    OutputAudio,
    /// Audio read from a cache.
    CacheReadAudio,
    /// Audio written to a cache.
    CacheWriteAudio,
    /// Input that is an image.
    InputImage,
    /// Output that is an image.
    OutputImage,
    /// An image read from a cache.
    CacheReadImage,
    /// Input that is video.
    InputVideo,
    /// Output that is video.
    OutputVideo,
    /// Output that cites.
    Citation,
}

impl PriceClass {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Input,
        Self::Output,
        Self::CacheRead,
        Self::CacheWrite5m,
        Self::CacheWrite1h,
        Self::Reasoning,
        Self::InputAudio,
        Self::OutputAudio,
        Self::CacheReadAudio,
        Self::CacheWriteAudio,
        Self::InputImage,
        Self::OutputImage,
        Self::CacheReadImage,
        Self::InputVideo,
        Self::OutputVideo,
        Self::Citation,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::CacheRead => "cache_read",
            Self::CacheWrite5m => "cache_write_5m",
            Self::CacheWrite1h => "cache_write_1h",
            Self::Reasoning => "reasoning",
            Self::InputAudio => "input_audio",
            Self::OutputAudio => "output_audio",
            Self::CacheReadAudio => "cache_read_audio",
            Self::CacheWriteAudio => "cache_write_audio",
            Self::InputImage => "input_image",
            Self::OutputImage => "output_image",
            Self::CacheReadImage => "cache_read_image",
            Self::InputVideo => "input_video",
            Self::OutputVideo => "output_video",
            Self::Citation => "citation",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }

    /// The letter it has in a catalog.
    pub(crate) const fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'i' => Self::Input,
            b'o' => Self::Output,
            b'r' => Self::CacheRead,
            b'w' => Self::CacheWrite5m,
            b'h' => Self::CacheWrite1h,
            b't' => Self::Reasoning,
            b'a' => Self::InputAudio,
            b'A' => Self::OutputAudio,
            b'x' => Self::CacheReadAudio,
            b'X' => Self::CacheWriteAudio,
            b'm' => Self::InputImage,
            b'M' => Self::OutputImage,
            b'y' => Self::CacheReadImage,
            b'v' => Self::InputVideo,
            b'V' => Self::OutputVideo,
            b'c' => Self::Citation,
            _ => return None,
        })
    }

    /// The class whose price holds where this one has none at any level: `None` if there is no such class.
    ///
    /// Reasoning and citations are not here: they take the price of the output at the *same* level, because a level
    /// that raises the output raises them too.
    pub(crate) const fn fallback(self) -> Option<Self> {
        Some(match self {
            Self::CacheWrite1h => Self::CacheWrite5m,
            Self::CacheReadAudio | Self::CacheReadImage => Self::CacheRead,
            Self::CacheRead
            | Self::CacheWrite5m
            | Self::CacheWriteAudio
            | Self::InputAudio
            | Self::InputImage
            | Self::InputVideo => Self::Input,
            Self::OutputAudio | Self::OutputImage | Self::OutputVideo => Self::Output,
            Self::Input | Self::Output | Self::Reasoning | Self::Citation => return None,
        })
    }
}

impl fmt::Display for PriceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A way of being served that has prices of its own: standard, batch, priority, flex, or what else a catalog names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variant(Cow<'static, str>);

impl Variant {
    /// The ordinary one.
    pub const STANDARD: Self = Self(Cow::Borrowed("standard"));
    /// Many requests in a file, answered within a day.
    pub const BATCH: Self = Self(Cow::Borrowed("batch"));
    /// Faster and dearer.
    pub const PRIORITY: Self = Self(Cow::Borrowed("priority"));
    /// Slower and cheaper.
    pub const FLEX: Self = Self(Cow::Borrowed("flex"));

    /// The variant `name`; `None` unless it is 1 to 32 lower-case letters and underscores.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let known = [Self::STANDARD, Self::BATCH, Self::PRIORITY, Self::FLEX];
        if let Some(known) = known.into_iter().find(|variant| variant.0 == name) {
            return Some(known);
        }
        let fits =
            (1..=32).contains(&name.len()) && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_'));
        fits.then(|| Self(Cow::Owned(name.to_owned())))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variant({})", self.0)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_of_fallbacks_ends_at_input_or_output() {
        for class in PriceClass::ALL {
            let mut last = class;
            let mut steps = 0;
            while let Some(next) = last.fallback() {
                (last, steps) = (next, steps + 1);
                assert!(steps < 4, "{class}");
            }
            assert!(
                matches!(last, PriceClass::Input | PriceClass::Output)
                    || matches!(class, PriceClass::Reasoning | PriceClass::Citation)
            );
        }
    }

    #[test]
    fn a_class_is_found_by_its_name() {
        for class in PriceClass::ALL {
            assert_eq!(PriceClass::from_name(class.as_str()), Some(class));
        }
        assert_eq!(PriceClass::from_name("smell"), None);
    }

    #[test]
    fn a_variant_is_a_short_word() {
        assert_eq!(Variant::new("batch"), Some(Variant::BATCH));
        assert!(Variant::new(&"v".repeat(32)).is_some());
        for name in ["", "Batch", "a b", &"v".repeat(33)] {
            assert_eq!(Variant::new(name), None);
        }
    }
}
