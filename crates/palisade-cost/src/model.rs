//! The pure decision: a table, what was asked, what came back; what did it cost?

use std::fmt;

use palisade_core::{ModelId, Money, MoneyError, Usage};

use crate::{
    Breakdown, CallFacts, CostStatus, Counts, Part, PriceBook, PriceClass, PriceRow, Reading,
    Resolved, SearchContext, UsageOutcome, Variant, check_usage,
    row::{Level, Tier},
};

/// What a call cost, and how that came about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Priced {
    /// How the cost came about, or why there is none.
    pub status: CostStatus,
    /// The cost, exactly; `None` if it is not known. Never zero for unknown.
    pub cost: Option<Money>,
    /// The part of the cost that is known although the whole is not: a lower bound.
    pub known_part: Option<Money>,
    /// What the table says, where the provider stated the cost itself.
    pub from_table: Option<Money>,
    /// The cost by kind, from the table.
    pub breakdown: Breakdown,
    /// Which prices were used.
    pub priced_as: Option<PricedAs>,
    /// What had to be assumed to find them.
    pub assumed: Vec<Assumption>,
}

/// Which prices were used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PricedAs {
    /// The row.
    pub model: ModelId,
    /// The variant.
    pub variant: Variant,
    /// The threshold of input tokens that was crossed, if one was.
    pub tier: Option<u64>,
}

/// Something that was not stated and had to be assumed. Its text has the form `what:from->to`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Assumption {
    /// A dated model costs what the undated one does.
    DatedModel,
    /// The row has no prices at all for this variant; the standard ones were taken.
    Variant(Variant),
    /// The tier has no prices for this variant; its standard ones were taken.
    Tier(Variant),
    /// The variant has no price for this class; the standard one was taken.
    Class(PriceClass, Variant),
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatedModel => f.write_str("model:dated->base"),
            Self::Variant(variant) => write!(f, "variant:{variant}->standard"),
            Self::Tier(variant) => write!(f, "tier:{variant}->standard"),
            Self::Class(class, variant) => write!(f, "{class}:{variant}->standard"),
        }
    }
}

impl Priced {
    /// A cost that is not known, for a reason.
    fn unknown(status: CostStatus) -> Self {
        Self {
            status,
            cost: None,
            known_part: None,
            from_table: None,
            breakdown: Breakdown::default(),
            priced_as: None,
            assumed: Vec::new(),
        }
    }

    /// The cost as it is booked: rounded up, once, to a whole nano-dollar.
    #[must_use]
    pub fn booked(&self) -> Option<Money> {
        // Always fits: a cost beyond nine billion dollars is an invalid usage.
        self.cost.and_then(|cost| cost.round_up_to_nano().ok())
    }

    /// What to settle a reservation of `reserved` with: the cost if it is known, else the reservation or what is known
    /// of the cost, whichever is more. An uncertain end never gives money back.
    #[must_use]
    pub fn settles_at(&self, reserved: Money) -> Money {
        self.cost
            .unwrap_or_else(|| reserved.max(self.known_part.unwrap_or(Money::ZERO)))
    }
}

/// What a call cost.
///
/// The row is found by [`PriceBook::resolve`]. The variant is batch if the call was one, else the service tier the
/// response names, else the one asked for; a name no table knows is the standard tier. The highest threshold that the
/// input crosses reprices the whole call. A class that has no price in the tier is priced at the variant, then at the
/// standard variant (which is an assumption), then as the class it falls back to: a long cache write as a short one,
/// anything of the input as input, of the output as output. Reasoning takes the price of the output at the same level.
/// Where even that leaves a class without a price, the cost is unknown.
#[must_use]
pub fn price(book: &PriceBook, call: &CallFacts, outcome: &UsageOutcome) -> Priced {
    let priced = match &outcome.reading {
        Reading::Complete(counts) => priced(book, call, outcome, counts, CostStatus::Priced),
        Reading::Partial(counts) => priced(book, call, outcome, counts, CostStatus::UsagePartial),
        Reading::Missing => Priced::unknown(CostStatus::UsageMissing),
        Reading::Invalid(_) => Priced::unknown(CostStatus::InvalidUsage),
        Reading::NotBilled => Priced {
            cost: Some(Money::ZERO),
            ..Priced::unknown(CostStatus::NotBilled)
        },
    };
    match (outcome.reported_cost, priced.status) {
        (None, _) | (_, CostStatus::InvalidUsage | CostStatus::NotBilled) => priced,
        (Some(cost), _) if !is_plausible(cost) => Priced::unknown(CostStatus::InvalidUsage),
        // The provider knows what it will ask for.
        (Some(cost), _) => Priced {
            status: CostStatus::ProviderReported,
            from_table: priced.cost,
            cost: Some(cost),
            known_part: None,
            ..priced
        },
    }
}

fn priced(
    book: &PriceBook,
    call: &CallFacts,
    outcome: &UsageOutcome,
    counts: &Counts,
    status: CostStatus,
) -> Priced {
    let requested = call.model.model();
    let both = [outcome.model.as_deref().unwrap_or(requested), requested];
    let names = if both[0] == both[1] {
        &both[1..]
    } else {
        &both
    };
    if check_usage(&counts.usage).is_err() {
        return Priced::unknown(CostStatus::InvalidUsage);
    }
    let Some(found) = book.resolve(call.model.provider(), names, call.at) else {
        return Priced::unknown(CostStatus::UnknownModel);
    };
    let tier = outcome
        .service_tier
        .as_deref()
        .or(call.service_tier.as_deref());
    let tier = if call.batch { Some("batch") } else { tier };
    let variant = tier.map_or(Variant::STANDARD, |tier| variant(book, tier));
    let mut bill = Bill::new(found, variant, counts.usage.input.get());
    match bill.fill(counts, outcome.search_context) {
        Ok(total) if is_plausible(total) => bill.close(total, status),
        _ => Priced::unknown(CostStatus::InvalidUsage),
    }
}

/// Whether an amount can be the cost of a call: it can be booked.
fn is_plausible(cost: Money) -> bool {
    (Money::ZERO..=Money::from_nano_usd(i64::MAX)).contains(&cost)
}

/// The variant a service tier means.
pub(crate) fn variant(book: &PriceBook, tier: &str) -> Variant {
    // Any provider may name these, whatever the table holds.
    let well_known = [Variant::BATCH, Variant::PRIORITY, Variant::FLEX];
    well_known
        .into_iter()
        .find(|variant| variant.as_str() == tier)
        .or_else(|| book.variant(tier))
        .unwrap_or(Variant::STANDARD)
}

/// One call being priced at one row.
pub(crate) struct Bill<'a> {
    row: &'a PriceRow,
    variant: Variant,
    tier: Option<&'a Tier>,
    /// Where prices are looked for, from the first to the last.
    levels: [Option<&'a Level>; 3],
    /// Whether the first level is the standard one of a tier that lacks the variant.
    is_tier_standard: bool,
    breakdown: Breakdown,
    assumed: Vec<Assumption>,
    is_unpriced: bool,
}

/// The place of the standard level among the levels; looking there is an assumption.
const STANDARD_LEVEL: usize = 2;

impl<'a> Bill<'a> {
    pub(crate) fn new(found: Resolved<'a>, asked: Variant, input: u64) -> Self {
        let row = found.row;
        let mut assumed = Vec::new();
        if found.undated {
            assumed.push(Assumption::DatedModel);
        }
        let has = |variant: &Variant| {
            row.base.of(variant).is_some()
                || row
                    .tiers
                    .iter()
                    .any(|tier| tier.levels.of(variant).is_some())
        };
        let variant = if asked == Variant::STANDARD || has(&asked) {
            asked
        } else {
            assumed.push(Assumption::Variant(asked));
            Variant::STANDARD
        };
        let tier = row
            .tiers
            .iter()
            .rev()
            .find(|tier| tier.is_crossed_by(input));
        let own = tier.and_then(|tier| tier.levels.of(&variant));
        let is_standard = variant == Variant::STANDARD;
        let standard = tier.and_then(|tier| tier.levels.of(&Variant::STANDARD));
        Self {
            levels: [
                own.or(standard),
                row.base.of(&variant),
                row.base.of(&Variant::STANDARD).filter(|_| !is_standard),
            ],
            is_tier_standard: own.is_none() && standard.is_some() && !is_standard,
            row,
            variant,
            tier,
            breakdown: Breakdown::default(),
            assumed,
            is_unpriced: false,
        }
    }

    /// Adds everything that was counted; the sum.
    fn fill(
        &mut self,
        counts: &Counts,
        search_context: Option<SearchContext>,
    ) -> Result<Money, MoneyError> {
        if counts.input {
            self.input(&counts.usage)?;
        }
        if counts.output {
            self.output(&counts.usage)?;
        }
        let Usage {
            web_search_requests: searches,
            search_units,
            ..
        } = counts.usage;
        let context = search_context.unwrap_or(SearchContext::Medium) as usize;
        let search = self.row.search.map(|prices| prices[context]);
        self.units(Part::WebSearch, search, searches)?;
        self.units(Part::SearchUnits, self.row.query, search_units)?;
        self.units(
            Part::Request,
            self.row.request,
            u64::from(self.row.request.is_some()),
        )?;
        if search_context.is_some() && searches == 0 && search.is_some() {
            self.units(Part::Request, search, 1)?;
        }
        Money::checked_sum(self.breakdown.iter().map(|(_, amount)| amount))
    }

    fn input(&mut self, usage: &Usage) -> Result<(), MoneyError> {
        // Checked before: no part is larger than its whole. Saturating, so that nothing depends on it here.
        let cached_audio = usage.cache_read_audio.get();
        let cached_text = usage.cache_read.get().saturating_sub(cached_audio);
        let (short, long) = (usage.cache_write_5m.get(), usage.cache_write_1h.get());
        self.tokens(Part::CacheRead, PriceClass::CacheRead, cached_text)?;
        self.tokens(
            Part::CacheReadAudio,
            PriceClass::CacheReadAudio,
            cached_audio,
        )?;
        self.tokens(Part::CacheWrite5m, PriceClass::CacheWrite5m, short)?;
        self.tokens(Part::CacheWrite1h, PriceClass::CacheWrite1h, long)?;
        let mut rest = [cached_text, cached_audio, short, long]
            .into_iter()
            .fold(usage.input.get(), u64::saturating_sub);
        // Most providers do not say how much of the cached input was audio or images. What the rest of the input cannot
        // hold must have been cached, and was priced as such.
        let audio = usage.input_audio.get().saturating_sub(cached_audio);
        for (part, class, count) in [
            (Part::InputAudio, PriceClass::InputAudio, audio),
            (
                Part::InputImage,
                PriceClass::InputImage,
                usage.input_image.get(),
            ),
            (
                Part::InputVideo,
                PriceClass::InputVideo,
                usage.input_video.get(),
            ),
        ] {
            let count = count.min(rest);
            rest -= count;
            self.tokens(part, class, count)?;
        }
        self.tokens(Part::Input, PriceClass::Input, rest)
    }

    fn output(&mut self, usage: &Usage) -> Result<(), MoneyError> {
        let audio = usage.output_audio.get();
        self.tokens(Part::OutputAudio, PriceClass::OutputAudio, audio)?;
        let mut rest = usage.output.get().saturating_sub(audio);
        let level = self.output_level();
        for (part, class, count) in [
            (
                Part::Reasoning,
                PriceClass::Reasoning,
                usage.reasoning.get(),
            ),
            (Part::Citation, PriceClass::Citation, usage.citation.get()),
        ] {
            if let Some(price) = level.and_then(|level| level.of(class)) {
                rest = rest.saturating_sub(count);
                self.breakdown.add(part, pico(price, count)?, count)?;
            }
        }
        self.tokens(Part::Output, PriceClass::Output, rest)
    }

    fn tokens(&mut self, part: Part, class: PriceClass, count: u64) -> Result<(), MoneyError> {
        if count == 0 {
            return Ok(());
        }
        match self.price(class) {
            Some(price) => self.breakdown.add(part, pico(price, count)?, count),
            None => {
                self.is_unpriced = true;
                Ok(())
            }
        }
    }

    fn units(&mut self, part: Part, price: Option<Money>, count: u64) -> Result<(), MoneyError> {
        match price {
            _ if count == 0 => Ok(()),
            Some(price) => self.breakdown.add(part, price.checked_mul(count)?, count),
            None => {
                self.is_unpriced = true;
                Ok(())
            }
        }
    }

    /// The level whose price of output holds. One that raises the output raises reasoning and citations too, though
    /// only the standard one may name them.
    fn output_level(&self) -> Option<&'a Level> {
        let mut levels = self.levels.into_iter().flatten();
        levels.find(|level| level.of(PriceClass::Output).is_some())
    }

    /// The price of a class, in pico-dollars a token, and a note of what had to be assumed.
    pub(crate) fn price(&mut self, class: PriceClass) -> Option<u64> {
        if let PriceClass::Reasoning | PriceClass::Citation = class {
            let own = self.output_level().and_then(|level| level.of(class));
            return own.or_else(|| self.price(PriceClass::Output));
        }
        let mut next = Some(class);
        while let Some(class) = next {
            for (place, level) in self.levels.into_iter().enumerate() {
                if let Some(price) = level.and_then(|level| level.of(class)) {
                    self.assume(class, place);
                    return Some(price);
                }
            }
            next = class.fallback();
        }
        None
    }

    fn assume(&mut self, class: PriceClass, place: usize) {
        let assumption = match place {
            0 if self.is_tier_standard => Assumption::Tier(self.variant.clone()),
            STANDARD_LEVEL => Assumption::Class(class, self.variant.clone()),
            _ => return,
        };
        if !self.assumed.contains(&assumption) {
            self.assumed.push(assumption);
        }
    }

    /// The most a search costs, if it is known.
    pub(crate) fn search_price(&self) -> Option<Money> {
        self.row.search.and_then(|prices| prices.into_iter().max())
    }

    /// What the request itself costs.
    pub(crate) fn request_price(&self) -> Money {
        self.row.request.unwrap_or(Money::ZERO)
    }

    /// The answer.
    fn close(self, total: Money, complete: CostStatus) -> Priced {
        let status = if self.is_unpriced {
            CostStatus::UnknownModel
        } else if complete == CostStatus::Priced && self.row.is_free() {
            CostStatus::ZeroPriceRow
        } else {
            complete
        };
        let is_known = status.is_known();
        Priced {
            status,
            cost: is_known.then_some(total),
            known_part: (!is_known).then_some(total),
            from_table: None,
            breakdown: self.breakdown,
            priced_as: Some(PricedAs {
                model: self.row.model.clone(),
                variant: self.variant,
                tier: self.tier.map(|tier| tier.threshold),
            }),
            assumed: self.assumed,
        }
    }
}

fn pico(per_token: u64, count: u64) -> Result<Money, MoneyError> {
    // Two factors of 64 bits always fit into 128; a checked product of 128 bits takes several times as long.
    let pico = u128::from(per_token) * u128::from(count);
    i128::try_from(pico)
        .map(Money::from_pico_usd)
        .map_err(|_| MoneyError::Overflow)
}
