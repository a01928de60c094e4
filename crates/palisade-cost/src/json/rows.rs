use std::{borrow::Cow, collections::BTreeMap};

use palisade_core::{ModelId, ModelIdError, Money, MoneyError, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Crossing, PriceClass, PriceError, PriceRow, Variant, date,
    row::{Levels, pico_per_token},
};

/// Prices by variant and class, in dollars for a million tokens.
#[derive(Deserialize)]
struct RawPrices<'a>(#[serde(borrow)] BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, &'a RawValue>>);

#[derive(Deserialize)]
struct RawRow<'a> {
    #[serde(borrow)]
    provider: Cow<'a, str>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    usd_per_1m: RawPrices<'a>,
    #[serde(borrow, default)]
    tiers: Vec<RawTier<'a>>,
    #[serde(borrow, default)]
    other_units: RawUnits<'a>,
    #[serde(borrow, default)]
    effective_from: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    time_of_day_utc: Option<&'a RawValue>,
    #[serde(default)]
    context_window: Option<u64>,
    #[serde(default)]
    max_output: Option<u64>,
}

#[derive(Deserialize)]
struct RawTier<'a> {
    threshold_input_tokens: u64,
    #[serde(borrow, default)]
    applies_when: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usd_per_1m: RawPrices<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawUnits<'a> {
    #[serde(borrow)]
    search_context_cost_per_query: BTreeMap<Cow<'a, str>, &'a RawValue>,
    #[serde(borrow)]
    input_cost_per_query: Option<&'a RawValue>,
    #[serde(borrow)]
    input_cost_per_request: Option<&'a RawValue>,
}

impl PriceRow {
    /// Reads a row from JSON:
    ///
    /// ```
    /// use palisade_cost::{PriceBook, PriceRow};
    ///
    /// let row = PriceRow::from_json(r#"{
    ///     "provider": "openai", "model": "house-model",
    ///     "usd_per_1m": {"standard": {"input": "0.4", "output": "1.6"}, "batch": {"input": "0.2", "output": "0.8"}},
    ///     "tiers": [{"threshold_input_tokens": 200000, "applies_when": "input_tokens > threshold",
    ///                "usd_per_1m": {"standard": {"input": "0.8", "output": "3.2"}}}]
    /// }"#)?;
    /// let book = PriceBook::embedded().with_rows([row]);
    /// # Ok::<(), palisade_cost::RowError>(())
    /// ```
    ///
    /// Prices are decimal text. Classes and units that are never counted are passed over.
    ///
    /// # Errors
    ///
    /// [`RowError`] if it is not of this shape, a price is not exact, or it holds only by the time of day.
    pub fn from_json(row: &str) -> Result<Self, RowError> {
        let raw: RawRow<'_> = serde_json::from_str(row).map_err(RowError::Json)?;
        if raw.time_of_day_utc.is_some() {
            return Err(RowError::TimeOfDay);
        }
        let mut row = Self::new(ModelId::new(&raw.provider, &raw.model)?);
        fill(&mut row.base, &raw.usd_per_1m)?;
        for tier in &raw.tiers {
            let crossing = match tier.applies_when.as_deref() {
                Some("input_tokens > threshold") | None => Crossing::Above,
                Some("input_tokens >= threshold") => Crossing::From,
                Some(_) => return Err(RowError::Crossing),
            };
            let tier_of_row = row.tier(crossing, tier.threshold_input_tokens);
            fill(&mut tier_of_row.levels, &tier.usd_per_1m)?;
        }
        let search = |size: &str| {
            let sizes = &raw.other_units.search_context_cost_per_query;
            sizes
                .get(&*format!("search_context_size_{size}"))
                .map(|price| usd(price))
                .transpose()
        };
        let (low, medium, high) = (search("low")?, search("medium")?, search("high")?);
        // A size that is not named costs what the next dearer one costs.
        if let Some(dearest) = [low, medium, high].into_iter().flatten().max() {
            let high = high.unwrap_or(dearest);
            let medium = medium.unwrap_or(high);
            row.search = Some([low.unwrap_or(medium), medium, high]);
        }
        row.query = raw.other_units.input_cost_per_query.map(usd).transpose()?;
        row.request = raw
            .other_units
            .input_cost_per_request
            .map(usd)
            .transpose()?;
        row.effective_from = raw.effective_from.as_deref().map(time).transpose()?;
        row.about.context_window = raw.context_window;
        row.about.output_max = raw.max_output;
        Ok(row)
    }
}

fn fill(levels: &mut Levels, prices: &RawPrices<'_>) -> Result<(), RowError> {
    for (name, prices) in &prices.0 {
        let variant = Variant::new(name).ok_or(RowError::Variant)?;
        let level = levels.entry(variant);
        for (name, price) in prices {
            if let Some(class) = PriceClass::from_name(name) {
                level.set(class, pico_per_token(usd(price)?)?);
            }
        }
    }
    Ok(())
}

/// An amount as decimal text, or as a number that is written as decimal text.
fn usd(raw: &RawValue) -> Result<Money, RowError> {
    let text = if raw.get().starts_with('"') {
        serde_json::from_str(raw.get()).map_err(RowError::Json)?
    } else {
        Cow::Borrowed(raw.get())
    };
    let amount: Money = text.parse()?;
    if amount.is_negative() {
        return Err(PriceError::Range.into());
    }
    Ok(amount)
}

fn time(text: &str) -> Result<Timestamp, RowError> {
    date::parse_time(text).ok_or(RowError::Date)
}

/// Why a row cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// It is not JSON, or not of the shape of a row.
    #[error("not a row of prices in JSON")]
    Json(#[source] serde_json::Error),
    /// A variant's name.
    #[error("a variant is a lower-case word such as standard or batch")]
    Variant,
    /// When a tier applies.
    #[error("a tier applies when `input_tokens > threshold` or `input_tokens >= threshold`")]
    Crossing,
    /// From when on it holds.
    #[error("effective_from is YYYY-MM-DD or RFC 3339")]
    Date,
    /// It holds only at some time of the day.
    #[error("prices by time of day are not supported")]
    TimeOfDay,
    /// The model's name.
    #[error(transparent)]
    Model(#[from] ModelIdError),
    /// An amount.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A price.
    #[error(transparent)]
    Price(#[from] PriceError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_not_exact_is_refused() {
        let row = |prices: &str| {
            let text = format!(
                r#"{{"provider":"p","model":"m","usd_per_1m":{{"standard":{{{prices}}}}}}}"#
            );
            PriceRow::from_json(&text)
        };
        let price = row(r#""input":"0.5","smell":"1""#).unwrap();
        let per_token = Money::from_pico_usd(500_000);
        assert_eq!(
            price.price(&Variant::STANDARD, PriceClass::Input),
            Some(per_token)
        );
        assert_eq!(
            row(r#""input":0.5"#).unwrap(),
            row(r#""input":"0.5""#).unwrap()
        );
        assert!(matches!(
            row(r#""input":"-1""#),
            Err(RowError::Price(PriceError::Range))
        ));
        assert!(matches!(row(r#""input":1e-7"#), Err(RowError::Money(_))));
        assert!(matches!(
            row(r#""input":"0.0000001""#),
            Err(RowError::Price(PriceError::Fraction))
        ));
        assert!(matches!(row(r#""input":{}"#), Err(RowError::Money(_))));
    }
}
