//! What a new table changes: so that a slip of a source is seen before it is booked.

use std::fmt;

use palisade_core::{ModelId, Money, Timestamp};

use crate::{
    Crossing, PriceBook, PriceRow,
    row::{Level, Levels},
};

/// A price that moves by more than this factor, up or down, is more often a slip than a price.
const FACTOR_MAX: u128 = 5;

/// One price that a table states otherwise than the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PriceChange {
    /// Whose price.
    pub model: ModelId,
    /// From when on the row that states it holds; `None` if ever since.
    pub effective_from: Option<Timestamp>,
    /// Which price of the row: `standard.input`, `>200000 batch.output`, `search.medium`, `query`, `request`.
    pub price: String,
    /// What it was, for a token or a unit; `None` if it was unknown.
    pub before: Option<Money>,
    /// What it is; `None` if it is unknown now.
    pub after: Option<Money>,
}

impl PriceChange {
    /// Whether it looks like a slip: more than five times as much, less than a fifth, or from or to zero.
    #[must_use]
    pub fn is_suspicious(&self) -> bool {
        let (Some(before), Some(after)) = (self.before, self.after) else {
            // What was unknown or becomes so is seen where it is used.
            return false;
        };
        let (before, after) = (
            before.as_pico_usd().unsigned_abs(),
            after.as_pico_usd().unsigned_abs(),
        );
        let (low, high) = (before.min(after), before.max(after));
        // By division, so that nothing overflows: `high > 5 * low`, exactly.
        low == 0 || high / FACTOR_MAX > low || (high / FACTOR_MAX == low && high % FACTOR_MAX > 0)
    }
}

impl fmt::Display for PriceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = |price: Option<Money>| price.map_or("unknown".to_owned(), |p| p.to_string());
        write!(
            f,
            "{}/{} {}: {} -> {}",
            self.model.provider(),
            self.model.model(),
            self.price,
            amount(self.before),
            amount(self.after),
        )
    }
}

/// Everything that a table states otherwise than the one before it, in the order of models and prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PriceChanges {
    /// Prices of models that both tables have.
    pub moved: Vec<PriceChange>,
    /// Models that only the new table has.
    pub added: Vec<ModelId>,
    /// Models that only the old table has.
    pub removed: Vec<ModelId>,
}

impl PriceChanges {
    /// Whether the tables state the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.moved.is_empty() && self.added.is_empty() && self.removed.is_empty()
    }

    /// The changes that look like slips.
    pub fn suspicious(&self) -> impl Iterator<Item = &PriceChange> {
        self.moved.iter().filter(|change| change.is_suspicious())
    }
}

/// A table was refused: it moves prices so far that somebody has to look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the new table moves {count} prices by more than five times or from or to zero, the first is {first}; \
     confirm it to use it all the same",
    count = .changes.len(),
    first = .changes[0]
)]
#[non_exhaustive]
pub struct SuspiciousPrices {
    /// The prices that move so far: at least one.
    pub changes: Vec<PriceChange>,
}

impl PriceBook {
    /// What `newer` states otherwise.
    ///
    /// A row is compared with the one that holds here at the time from which the new one does.
    #[must_use]
    pub fn changes_to(&self, newer: &Self) -> PriceChanges {
        let mut changes = PriceChanges::default();
        for row in newer.rows() {
            let at = row.effective_from().unwrap_or(Timestamp::MIN);
            match self
                .find(row.model(), at)
                .or_else(|| self.first(row.model()))
            {
                Some(old) => compare(old, row, &mut changes.moved),
                None => changes.added.push(row.model().clone()),
            }
        }
        let gone = self.rows().filter(|row| newer.first(row.model()).is_none());
        changes.removed.extend(gone.map(|row| row.model().clone()));
        for models in [&mut changes.added, &mut changes.removed] {
            models.sort_unstable();
            models.dedup();
        }
        changes.moved.sort_by(|a, b| {
            let key = |change: &PriceChange| change.effective_from;
            (&a.model, key(a), &a.price).cmp(&(&b.model, key(b), &b.price))
        });
        changes
    }

    /// `newer`, if none of its prices looks like a slip beside the ones here.
    ///
    /// ```
    /// use palisade_core::ModelId;
    /// use palisade_cost::{PriceBook, PriceClass, PriceRow, Variant};
    ///
    /// let row = |usd: &str| -> Result<_, Box<dyn std::error::Error>> {
    ///     let row = PriceRow::new(ModelId::new("openai", "house-model")?);
    ///     Ok(row.with_price(Variant::STANDARD, PriceClass::Input, usd.parse()?)?)
    /// };
    /// let book = PriceBook::empty().with_rows([row("0.4")?]);
    /// assert!(book.succeed_by(book.with_rows([row("2")?])).is_ok());
    /// assert!(book.succeed_by(book.with_rows([row("4")?])).is_err());
    /// assert!(book.succeed_by(book.with_rows([row("0")?])).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SuspiciousPrices`] with every price that moves by more than five times, or from or to zero. Whoever has looked at
    /// them and means it uses `newer` as it is.
    pub fn succeed_by(&self, newer: Self) -> Result<Self, SuspiciousPrices> {
        let changes: Vec<PriceChange> = self.changes_to(&newer).suspicious().cloned().collect();
        if changes.is_empty() {
            Ok(newer)
        } else {
            Err(SuspiciousPrices { changes })
        }
    }

    /// Both tables in one: this one's prices until `from`, then `newer`'s.
    ///
    /// So a call of last month is priced as last month. A model that `newer` no longer names keeps its last prices, and one
    /// that is new to it has them ever since. Rows of `newer` that state a time of their own after `from` keep it.
    #[must_use]
    pub fn followed_by(&self, newer: &Self, from: Timestamp) -> Self {
        let mut rows: Vec<PriceRow> = Vec::new();
        for row in newer.rows() {
            let Some(first) = self.first(row.model()) else {
                rows.push(row.clone());
                continue;
            };
            let begins = row.effective_from().unwrap_or(from).max(from);
            // Of several rows of one model that began before, the last one holds.
            let holds = newer.find(row.model(), begins) == Some(row);
            let before = self.find(row.model(), begins).unwrap_or(first);
            if holds && !same_prices(before, row) {
                rows.push(row.clone().with_effective_from(begins));
            }
        }
        self.adding(rows, newer)
    }
}

fn compare(old: &PriceRow, new: &PriceRow, moved: &mut Vec<PriceChange>) {
    let (before, after) = (prices(old), prices(new));
    let at = |prices: &[(String, Money)], name: &str| {
        prices
            .iter()
            .find_map(|(other, price)| (other == name).then_some(*price))
    };
    let gone = before.iter().filter(|(name, _)| at(&after, name).is_none());
    for (name, _) in after.iter().chain(gone) {
        let (before, after) = (at(&before, name), at(&after, name));
        if before != after {
            moved.push(PriceChange {
                model: new.model().clone(),
                effective_from: new.effective_from(),
                price: name.clone(),
                before,
                after,
            });
        }
    }
}

/// Every price of a row under its name.
fn prices(row: &PriceRow) -> Vec<(String, Money)> {
    let mut prices = Vec::new();
    let mut levels = |head: &str, levels: &Levels| {
        for (variant, level) in levels.iter() {
            for (class, pico) in Level::iter(level) {
                let price = Money::from_pico_usd(i128::from(pico));
                prices.push((format!("{head}{variant}.{class}"), price));
            }
        }
    };
    levels("", &row.base);
    for tier in &row.tiers {
        let sign = match tier.crossing {
            Crossing::Above => ">",
            Crossing::From => ">=",
        };
        levels(&format!("{sign}{} ", tier.threshold), &tier.levels);
    }
    let units = [("query", row.query), ("request", row.request)];
    for (name, price) in units {
        prices.extend(price.map(|price| (name.to_owned(), price)));
    }
    for (name, price) in ["low", "medium", "high"]
        .iter()
        .zip(row.search.iter().flatten())
    {
        prices.push((format!("search.{name}"), *price));
    }
    prices
}

fn same_prices(a: &PriceRow, b: &PriceRow) -> bool {
    (&a.base, &a.tiers, a.search, a.query, a.request)
        == (&b.base, &b.tiers, b.search, b.query, b.request)
}
