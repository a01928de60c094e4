//! Budgets over the usage log, and the mode a service is in when they run low.

use palisade_core::{Key, Money, StoreError, StoreErrorKind, Timestamp};

use crate::{CostLedger, GroupBy, Layer, ReportQuery};

/// So much money for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Budget {
    /// What it is for, as people call it: `research`, `support`, `batch`.
    pub category: String,
    /// Whose it is: only what was spent under this key counts.
    #[cfg_attr(feature = "serde", serde(default = "Key::global"))]
    pub within: Key,
    /// Only what this part of the service spent; everything, if it is left out.
    #[cfg_attr(feature = "serde", serde(default))]
    pub layer: Option<Layer>,
    /// How much.
    pub limit: Money,
    /// Whether a call that may exceed it is not made. One that is not hard only changes the mode.
    #[cfg_attr(feature = "serde", serde(default = "yes"))]
    pub hard: bool,
}

#[cfg(feature = "serde")]
const fn yes() -> bool {
    true
}

impl Budget {
    /// A hard budget of everybody, for everything.
    #[must_use]
    pub fn new(category: impl Into<String>, limit: Money) -> Self {
        Self {
            category: category.into(),
            within: Key::global(),
            layer: None,
            limit,
            hard: true,
        }
    }

    /// The same of one organisation, project, user or key.
    #[must_use]
    pub fn within(mut self, within: Key) -> Self {
        self.within = within;
        self
    }

    /// The same for one part of the service.
    #[must_use]
    pub fn of_layer(mut self, layer: Layer) -> Self {
        self.layer = Some(layer);
        self
    }

    /// The same as a mere mark.
    #[must_use]
    pub const fn soft(mut self) -> Self {
        self.hard = false;
        self
    }

    /// How it stands by what the log says was spent from `from` until before `until`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the log gives no answer, or the budget speaks of something that is no subject of a log.
    pub async fn state(
        &self,
        log: &impl CostLedger,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<BudgetState, StoreError> {
        let invalid =
            |error| StoreError::new(StoreErrorKind::Invalid, "reading a budget").with_source(error);
        let query = ReportQuery::new(from, until, GroupBy::Layer)
            .with_within(self.within.clone())
            .and_then(|query| query.with_limit(ReportQuery::LIMIT_MAX))
            .map_err(invalid)?;
        let report = log.report(query).await?;
        let spent = match &self.layer {
            None => report.total.cost,
            Some(layer) => {
                let is_it = |key: &Key| {
                    key.parts()
                        .any(|(_, value)| value.as_ref() == layer.as_str().as_bytes())
                };
                let row = report.rows.iter().find(|row| is_it(&row.group));
                row.map_or(Money::ZERO, |row| row.totals.cost)
            }
        };
        Ok(BudgetState::new(self, spent, Money::ZERO))
    }
}

/// How a budget stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BudgetState {
    /// What it is for.
    pub category: String,
    /// How much there is.
    pub limit: Money,
    /// How much is spent.
    pub spent: Money,
    /// How much calls under way may still cost.
    pub held: Money,
    /// Whether a call that may exceed it is not made.
    pub hard: bool,
}

impl BudgetState {
    /// A budget of which so much is spent and held: by the log, or by a ledger of quota.
    #[must_use]
    pub fn new(budget: &Budget, spent: Money, held: Money) -> Self {
        Self {
            category: budget.category.clone(),
            limit: budget.limit,
            spent,
            held,
            hard: budget.hard,
        }
    }

    /// What is left; nothing where it is overdrawn.
    #[must_use]
    pub fn remaining(&self) -> Money {
        let charged = self.spent.checked_add(self.held);
        let rest = charged.and_then(|charged| self.limit.checked_sub(charged));
        rest.unwrap_or(Money::ZERO).max(Money::ZERO)
    }

    /// How many hundredths are left, rounded down.
    #[must_use]
    pub fn remaining_percent(&self) -> u8 {
        let (rest, limit) = (self.remaining().as_pico_usd(), self.limit.as_pico_usd());
        if limit <= 0 {
            return 0;
        }
        // Divided first where the product would not fit; a budget of that size has hundredths enough.
        let percent = match rest.checked_mul(100) {
            Some(hundredfold) => hundredfold / limit,
            None => rest / (limit / 100).max(1),
        };
        u8::try_from(percent.clamp(0, 100)).unwrap_or(100)
    }
}

/// How much a service has to save.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Mode {
    /// Not at all.
    #[default]
    Normal,
    /// Hard tasks go to weaker models than they would.
    Save,
    /// Everything goes to the cheapest model that can do it at all.
    Emergency,
}

/// At how many hundredths of what is left the mode changes. It changes back only when there is some more, so that a budget
/// at the border does not make it flap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct ModeRules {
    /// Below this, save. 30 by default.
    pub save_below: u8,
    /// Below this, it is an emergency. 10 by default.
    pub emergency_below: u8,
    /// So many more are needed to come back. 5 by default.
    pub hysteresis: u8,
}

impl Default for ModeRules {
    fn default() -> Self {
        Self {
            save_below: 30,
            emergency_below: 10,
            hysteresis: 5,
        }
    }
}

impl ModeRules {
    /// The mode after `mode`, when so many hundredths are left.
    #[must_use]
    pub fn next(&self, mode: Mode, remaining_percent: u8) -> Mode {
        // From a mode that saves more, the way back asks for more.
        let below = |bound: u8, stays: bool| {
            let bound = if stays {
                bound.saturating_add(self.hysteresis)
            } else {
                bound
            };
            remaining_percent < bound
        };
        if below(self.emergency_below, mode == Mode::Emergency) {
            Mode::Emergency
        } else if below(self.save_below, mode >= Mode::Save) {
            Mode::Save
        } else {
            Mode::Normal
        }
    }

    /// The mode after `mode` for several budgets: that of the one of which the least is left.
    #[must_use]
    pub fn next_of(&self, mode: Mode, budgets: &[BudgetState]) -> Mode {
        let least = budgets.iter().map(BudgetState::remaining_percent).min();
        self.next(mode, least.unwrap_or(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_at_the_border_does_not_make_the_mode_flap() {
        let rules = ModeRules::default();
        let mut mode = Mode::Normal;
        for (left, expected) in [
            (100, Mode::Normal),
            (30, Mode::Normal),
            (29, Mode::Save),
            (34, Mode::Save),
            (35, Mode::Normal),
            (9, Mode::Emergency),
            (14, Mode::Emergency),
            (15, Mode::Save),
            (10, Mode::Save),
            (0, Mode::Emergency),
            (100, Mode::Normal),
        ] {
            mode = rules.next(mode, left);
            assert_eq!(mode, expected, "{left} left");
        }
    }

    #[test]
    fn what_is_left_is_exact_and_never_negative() {
        let state = |limit, spent, held| {
            let nano = Money::from_nano_usd;
            BudgetState::new(&Budget::new("b", nano(limit)), nano(spent), nano(held))
        };
        assert_eq!(state(100, 50, 21).remaining(), Money::from_nano_usd(29));
        assert_eq!(state(100, 50, 21).remaining_percent(), 29);
        assert_eq!(state(1_000, 1, 0).remaining_percent(), 99);
        assert_eq!(state(100, 150, 0).remaining(), Money::ZERO);
        assert_eq!(state(0, 0, 0).remaining_percent(), 0);
        let huge = Budget::new("b", Money::MAX);
        let left = BudgetState::new(&huge, Money::ZERO, Money::ZERO);
        assert_eq!(left.remaining_percent(), 100);
    }
}
