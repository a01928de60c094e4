use palisade_core::{ModelId, Money, Timestamp};

use crate::{PriceClass, Variant};

/// Tokens to which a published price belongs.
const PUBLISHED_PER: i128 = 1_000_000;

/// What one model costs, from some day on.
///
/// A class that has no price here is *unknown*, not free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    pub(crate) model: ModelId,
    pub(crate) effective_from: Option<Timestamp>,
    pub(crate) base: Levels,
    /// From the lowest threshold to the highest.
    pub(crate) tiers: Vec<Tier>,
    pub(crate) search: Option<[Money; 3]>,
    pub(crate) query: Option<Money>,
    pub(crate) request: Option<Money>,
    pub(crate) about: About,
}

/// What is known of the model besides its prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) context_window: Option<u64>,
    pub(crate) output_max: Option<u64>,
    pub(crate) withdrawn_from: Option<Timestamp>,
    pub(crate) confirmed: Option<bool>,
}

/// Prices that hold for the whole request once it reads this much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tier {
    pub(crate) threshold: u64,
    pub(crate) crossing: Crossing,
    pub(crate) levels: Levels,
}

impl Tier {
    pub(crate) fn is_crossed_by(&self, input: u64) -> bool {
        match self.crossing {
            Crossing::Above => input > self.threshold,
            Crossing::From => input >= self.threshold,
        }
    }
}

/// When a threshold of input tokens is crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Crossing {
    /// By more than it.
    Above,
    /// By as much as it, or more.
    From,
}

/// Prices by variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels(Vec<(Variant, Level)>);

impl Levels {
    pub(crate) fn of(&self, variant: &Variant) -> Option<&Level> {
        self.0
            .iter()
            .find_map(|(name, level)| (name == variant).then_some(level))
    }

    pub(crate) fn entry(&mut self, variant: Variant) -> &mut Level {
        let at = match self.0.iter().position(|(name, _)| *name == variant) {
            Some(at) => at,
            None => {
                self.0.push((variant, Level::default()));
                self.0.len() - 1
            }
        };
        &mut self.0[at].1
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Variant, &Level)> {
        self.0.iter().map(|(variant, level)| (variant, level))
    }
}

/// Prices by class, in pico-dollars a token. A handful, so a list is the fastest map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level(Vec<(PriceClass, u64)>);

impl Level {
    pub(crate) fn of(&self, class: PriceClass) -> Option<u64> {
        self.0
            .iter()
            .find_map(|(name, price)| (*name == class).then_some(*price))
    }

    pub(crate) fn set(&mut self, class: PriceClass, pico_per_token: u64) {
        match self.0.iter_mut().find(|(name, _)| *name == class) {
            Some((_, price)) => *price = pico_per_token,
            None => self.0.push((class, pico_per_token)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PriceClass, u64)> {
        self.0.iter().copied()
    }
}

impl PriceRow {
    /// A row without any price.
    #[must_use]
    pub fn new(model: ModelId) -> Self {
        Self {
            model,
            effective_from: None,
            base: Levels::default(),
            tiers: Vec::new(),
            search: None,
            query: None,
            request: None,
            about: About::default(),
        }
    }

    /// The same with a price, in dollars for a million tokens, as providers publish it.
    ///
    /// ```
    /// use palisade_core::ModelId;
    /// use palisade_cost::{PriceClass, PriceRow, Variant};
    ///
    /// let row = PriceRow::new(ModelId::new("openai", "house-model")?)
    ///     .with_price(Variant::STANDARD, PriceClass::Input, "0.4".parse()?)?
    ///     .with_price(Variant::STANDARD, PriceClass::Output, "1.6".parse()?)?;
    /// assert_eq!(row.price(&Variant::STANDARD, PriceClass::Output), Some("0.0000016".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A float is no price, and the compiler says so:
    ///
    /// ```compile_fail
    /// # use palisade_core::ModelId;
    /// # use palisade_cost::{PriceClass, PriceRow, Variant};
    /// # let row = PriceRow::new(ModelId::new("openai", "house-model").unwrap());
    /// row.with_price(Variant::STANDARD, PriceClass::Input, 0.4);
    /// ```
    ///
    /// # Errors
    ///
    /// [`PriceError`] if the price is negative or a token's is no whole number of pico-dollars.
    pub fn with_price(
        mut self,
        variant: Variant,
        class: PriceClass,
        usd_per_million: Money,
    ) -> Result<Self, PriceError> {
        self.base
            .entry(variant)
            .set(class, pico_per_token(usd_per_million)?);
        Ok(self)
    }

    /// The same with a price that holds for the whole request once its input crosses a threshold.
    ///
    /// # Errors
    ///
    /// [`PriceError`] if the price is negative or a token's is no whole number of pico-dollars.
    pub fn with_tier_price(
        mut self,
        (crossing, threshold): (Crossing, u64),
        variant: Variant,
        class: PriceClass,
        usd_per_million: Money,
    ) -> Result<Self, PriceError> {
        let price = pico_per_token(usd_per_million)?;
        self.tier(crossing, threshold)
            .levels
            .entry(variant)
            .set(class, price);
        Ok(self)
    }

    /// The same with a price for each search of the web, by how much context it brings: low, medium, high.
    #[must_use]
    pub fn with_search_prices(mut self, low: Money, medium: Money, high: Money) -> Self {
        self.search = Some([low, medium, high]);
        self
    }

    /// The same with a price for each unit of search (re-ranking).
    #[must_use]
    pub fn with_query_price(mut self, usd: Money) -> Self {
        self.query = Some(usd);
        self
    }

    /// The same with a price for each request.
    #[must_use]
    pub fn with_request_price(mut self, usd: Money) -> Self {
        self.request = Some(usd);
        self
    }

    /// The same, valid from `at` on only. Before that, an earlier row of the model holds, if there is one.
    #[must_use]
    pub fn with_effective_from(mut self, at: Timestamp) -> Self {
        self.effective_from = Some(at);
        self
    }

    /// Whose prices these are.
    #[must_use]
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// From when on the row holds; `None` if ever since.
    #[must_use]
    pub fn effective_from(&self) -> Option<Timestamp> {
        self.effective_from
    }

    /// The price of one token below every threshold, if the row states it. No fallback is taken.
    #[must_use]
    pub fn price(&self, variant: &Variant, class: PriceClass) -> Option<Money> {
        let pico = self.base.of(variant)?.of(class)?;
        Some(Money::from_pico_usd(i128::from(pico)))
    }

    /// The variants that have prices below every threshold.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.base.iter().map(|(variant, _)| variant)
    }

    /// Whether long inputs have prices of their own.
    #[must_use]
    pub fn has_tiers(&self) -> bool {
        !self.tiers.is_empty()
    }

    /// How many tokens the model can read, if that is known.
    #[must_use]
    pub fn context_window(&self) -> Option<u64> {
        self.about.context_window
    }

    /// How many tokens the model can write, if that is known.
    #[must_use]
    pub fn output_max(&self) -> Option<u64> {
        self.about.output_max
    }

    /// When the provider withdraws the model, if that is announced.
    #[must_use]
    pub fn withdrawn_from(&self) -> Option<Timestamp> {
        self.about.withdrawn_from
    }

    /// Whether a second source states the same prices; `None` if none states any.
    #[must_use]
    pub fn is_confirmed(&self) -> Option<bool> {
        self.about.confirmed
    }

    /// Whether everything in this row costs nothing.
    pub(crate) fn is_free(&self) -> bool {
        let nothing = |levels: &Levels| {
            levels
                .iter()
                .all(|(_, level)| level.iter().all(|(_, price)| price == 0))
        };
        nothing(&self.base)
            && self.tiers.iter().all(|tier| nothing(&tier.levels))
            && self.search.iter().flatten().all(|price| price.is_zero())
            && self.query.iter().all(|price| price.is_zero())
            && self.request.iter().all(|price| price.is_zero())
    }

    /// The tier of this threshold, made if there is none.
    pub(crate) fn tier(&mut self, crossing: Crossing, threshold: u64) -> &mut Tier {
        let at = self
            .tiers
            .partition_point(|tier| (tier.threshold, tier.crossing) < (threshold, crossing));
        let is_there = self
            .tiers
            .get(at)
            .is_some_and(|tier| (tier.threshold, tier.crossing) == (threshold, crossing));
        if !is_there {
            let tier = Tier {
                threshold,
                crossing,
                levels: Levels::default(),
            };
            self.tiers.insert(at, tier);
        }
        &mut self.tiers[at]
    }
}

/// The price of one token, exactly.
pub(crate) fn pico_per_token(usd_per_million: Money) -> Result<u64, PriceError> {
    let pico = usd_per_million.as_pico_usd();
    if pico % PUBLISHED_PER != 0 {
        return Err(PriceError::Fraction);
    }
    u64::try_from(pico / PUBLISHED_PER).map_err(|_| PriceError::Range)
}

/// Why an amount cannot be the price of a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// One token would cost a fraction of a pico-dollar.
    #[error("a price for a million tokens has at most six digits after the point")]
    Fraction,
    /// It is negative or absurd.
    #[error("a price for a million tokens is between 0 and 18 trillion dollars")]
    Range,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_that_is_no_whole_number_of_pico_dollars_a_token_is_refused() {
        let price = |text: &str| pico_per_token(text.parse().unwrap());
        assert_eq!(price("2.5"), Ok(2_500_000));
        assert_eq!(price("0.000001"), Ok(1));
        assert_eq!(price("0.0000001"), Err(PriceError::Fraction));
        assert_eq!(price("-1"), Err(PriceError::Range));
        assert_eq!(
            pico_per_token(Money::from_usd(i64::MAX)),
            Err(PriceError::Range)
        );
    }

    #[test]
    fn tiers_stay_in_the_order_of_their_thresholds() {
        let mut row = PriceRow::new(ModelId::new("p", "m").unwrap());
        for threshold in [200, 100, 300, 200] {
            row.tier(Crossing::Above, threshold);
        }
        let thresholds: Vec<u64> = row.tiers.iter().map(|tier| tier.threshold).collect();
        assert_eq!(thresholds, [100, 200, 300]);
        assert!(!row.tiers[0].is_crossed_by(100));
        assert!(row.tier(Crossing::From, 100).is_crossed_by(100));
    }
}
