/// A language whose words for a date of birth and a postal address are understood, and whose way of writing addresses
/// is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Locale {
    /// `date of birth`, `12 Oak Street`.
    English,
    /// `Geburtsdatum`, `Lange Straße 12`.
    German,
    /// `date de naissance`, `12 rue de la Paix`.
    French,
    /// `fecha de nacimiento`, `Calle Mayor 12`.
    Spanish,
}

impl Locale {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::French, Self::Spanish];
}
