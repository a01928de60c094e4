use palisade_core::{Money, MoneyError, Tokens};

use crate::{
    CallFacts, PriceBook, PriceClass, Variant,
    model::{Bill, variant},
};

/// How much a call may come to, at most: what a reservation is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EstimateFacts {
    /// How many tokens the model will read, at most.
    pub input: Tokens,
    /// How many tokens it may write: the limit sent with the call.
    pub output_max: Tokens,
    /// Whether input may be kept in a cache for an hour, which can cost twice the input.
    pub caches_for_an_hour: bool,
    /// Whether audio goes in or may come out, which can cost many times the text.
    pub audio: bool,
    /// Whether images or video go in.
    pub images: bool,
    /// How often the provider may search the web.
    pub searches_max: u64,
}

impl EstimateFacts {
    /// A call with text alone.
    #[must_use]
    pub fn new(input: Tokens, output_max: Tokens) -> Self {
        Self {
            input,
            output_max,
            caches_for_an_hour: false,
            audio: false,
            images: false,
            searches_max: 0,
        }
    }

    /// The same with input that may be kept in a cache for an hour.
    #[must_use]
    pub fn with_hour_cache(mut self) -> Self {
        self.caches_for_an_hour = true;
        self
    }

    /// The same with audio.
    #[must_use]
    pub fn with_audio(mut self) -> Self {
        self.audio = true;
        self
    }

    /// The same with images or video.
    #[must_use]
    pub fn with_images(mut self) -> Self {
        self.images = true;
        self
    }

    /// The same with at most so many searches of the web.
    #[must_use]
    pub fn with_searches(mut self, searches_max: u64) -> Self {
        self.searches_max = searches_max;
        self
    }
}

/// The most a call can cost if it reads and writes no more than it says; `None` if the model has no price.
///
/// Every token is taken at the dearest price it may come to: input as if it were written to a cache, output as if it
/// were reasoning. The service tier `auto` is taken as priority where that is dearer, because the provider may serve it
/// so. Tiers follow the input given.
///
/// # Errors
///
/// [`MoneyError::Overflow`] if the cost is out of range.
pub fn estimate(
    book: &PriceBook,
    call: &CallFacts,
    facts: &EstimateFacts,
) -> Result<Option<Money>, MoneyError> {
    let names = [call.model.model()];
    let Some(found) = book.resolve(call.model.provider(), &names, call.at) else {
        return Ok(None);
    };
    let asked = match (call.batch, call.service_tier.as_deref()) {
        (true, _) => vec![Variant::BATCH],
        (false, Some("auto")) => vec![Variant::STANDARD, Variant::PRIORITY],
        (false, Some(tier)) => vec![variant(book, tier)],
        (false, None) => vec![Variant::STANDARD],
    };
    let mut dearest = None;
    for variant in asked {
        let bill = Bill::new(found, variant, facts.input.get());
        match bound(bill, facts)? {
            Some(bound) => dearest = dearest.max(Some(bound)),
            None => return Ok(None),
        }
    }
    Ok(dearest)
}

/// The bound for one variant.
fn bound(mut bill: Bill<'_>, facts: &EstimateFacts) -> Result<Option<Money>, MoneyError> {
    let mut input = vec![
        PriceClass::Input,
        PriceClass::CacheRead,
        PriceClass::CacheWrite5m,
    ];
    let mut output = vec![
        PriceClass::Output,
        PriceClass::Reasoning,
        PriceClass::Citation,
    ];
    if facts.caches_for_an_hour {
        input.push(PriceClass::CacheWrite1h);
    }
    if facts.audio {
        input.extend([PriceClass::InputAudio, PriceClass::CacheReadAudio]);
        output.push(PriceClass::OutputAudio);
    }
    if facts.images {
        input.extend([PriceClass::InputImage, PriceClass::InputVideo]);
    }
    let mut total = bill.request_price();
    for (count, classes) in [(facts.input, &input), (facts.output_max, &output)] {
        match classes.iter().filter_map(|class| bill.price(*class)).max() {
            Some(price) => {
                let price = Money::from_pico_usd(i128::from(price));
                total = total.checked_add(price.checked_mul(count.get())?)?;
            }
            None if count.is_zero() => {}
            None => return Ok(None),
        }
    }
    match bill.search_price() {
        Some(price) => total = total.checked_add(price.checked_mul(facts.searches_max)?)?,
        None if facts.searches_max == 0 => {}
        None => return Ok(None),
    }
    Ok(Some(total))
}
