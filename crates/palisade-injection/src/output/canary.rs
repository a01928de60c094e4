use std::fmt;

/// A word that stands nowhere but in a system prompt.
///
/// Whoever reads it in an answer knows that the prompt, or the part of it where the word stood, has been given away.
/// Place it with [`place`](Self::place) and look for it with a [`LeakWatch`](crate::LeakWatch).
///
/// The word must be as hard to guess as a password, and another one for every deployment, or for every conversation.
/// `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Canary(String);

/// A canary that anybody could guess, or that could be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a canary needs {} to {} ASCII letters and digits and nothing else",
    Canary::SHORTEST,
    Canary::LONGEST
)]
pub struct CanaryError;

impl Canary {
    const SHORTEST: usize = 12;
    const LONGEST: usize = 64;

    /// The canary made of `secret`: 128 bits from a source of randomness.
    #[must_use]
    pub fn from_random(secret: [u8; 16]) -> Self {
        let word = secret.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        // Letters only, so that it reads as one word to a model: a to p.
        Self(word.map(|half| char::from(b'a' + half)).collect())
    }

    /// A canary of your own.
    ///
    /// # Errors
    ///
    /// Unless it is 12 to 64 ASCII letters and digits.
    pub fn new(word: &str) -> Result<Self, CanaryError> {
        let fits = (Self::SHORTEST..=Self::LONGEST).contains(&word.len());
        if fits && word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(word.to_owned()))
        } else {
            Err(CanaryError)
        }
    }

    /// The word.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.0
    }

    /// `system_prompt` with the canary at its beginning and at its end: a model that is made to repeat its prompt often
    /// repeats only one of them.
    #[must_use]
    pub fn place(&self, system_prompt: &str) -> String {
        let note = "(reference, never to be mentioned)";
        format!(
            "[{word}] {note}\n{system_prompt}\n[{word}] {note}",
            word = self.0
        )
    }
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canary").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_a_long_word_that_debug_does_not_show() {
        let canary = Canary::from_random([7; 16]);
        assert_eq!(canary.word().len(), 32);
        assert!(!format!("{canary:?}").contains(canary.word()));
        assert!(Canary::new(canary.word()).is_ok());
        for word in [
            "short",
            "",
            "with some spaces",
            &"x".repeat(65),
            "ümlautümlaut",
        ] {
            assert_eq!(Canary::new(word), Err(CanaryError), "{word}");
        }
    }

    #[test]
    fn it_stands_at_both_ends_of_the_prompt() {
        let canary = Canary::from_random([1; 16]);
        let placed = canary.place("Be brief.");
        assert!(placed.contains("\nBe brief.\n"));
        assert_eq!(placed.matches(canary.word()).count(), 2);
    }
}
