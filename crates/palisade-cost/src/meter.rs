use palisade_core::{Key, ModelId, Timestamp, Usage};

use crate::{
    CallFacts, Layer, PriceBook, Priced, Reading, RecordId, UsageCollector, UsageOutcome,
    UsageRecord, UsageShape, price, read_usage,
};

/// Meters one attempt at a model: what it used, from the response or from the events of its stream, and what it cost.
///
/// One attempt, one meter: a retry costs anew.
///
/// ```
/// use palisade_core::{ModelId, Timestamp};
/// use palisade_cost::{CallFacts, CostStatus, Meter, PriceBook, UsageShape};
///
/// let call = CallFacts::new(ModelId::new("anthropic", "claude-sonnet-4-6")?, Timestamp::from_secs(1_795_000_000));
/// let mut meter = Meter::new(call, UsageShape::AnthropicMessages);
/// meter.push_event(r#"{"type":"message_start","message":{"model":"claude-sonnet-4-6","usage":{"input_tokens":25,"output_tokens":1}}}"#);
/// // The client leaves here: what the model went on to write is not known.
/// let cost = meter.finish(&PriceBook::embedded());
/// assert_eq!(cost.priced.status, CostStatus::UsagePartial);
/// assert_eq!(cost.priced.known_part, Some("0.000075".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Meter {
    call: CallFacts,
    shape: UsageShape,
    events: UsageCollector,
}

impl Meter {
    /// A meter for this call, whose answer has this shape.
    #[must_use]
    pub fn new(call: CallFacts, shape: UsageShape) -> Self {
        Self {
            call,
            shape,
            events: UsageCollector::new(shape),
        }
    }

    /// Takes in one event of a stream: the JSON that stands after `data:`.
    pub fn push_event(&mut self, event: &str) {
        self.events.push_event(event);
    }

    /// The stream has ended, or was cut off.
    #[must_use]
    pub fn finish(self, book: &PriceBook) -> AttemptCost {
        AttemptCost::new(self.call, self.events.finish(), book)
    }

    /// The answer came whole.
    ///
    /// An answer of an error's `http_status` that counts nothing was refused before anything was generated, and costs
    /// nothing.
    #[must_use]
    pub fn response(self, http_status: u16, body: &str, book: &PriceBook) -> AttemptCost {
        let mut outcome = read_usage(self.shape, body);
        if http_status >= 300 && outcome.reading == Reading::Missing {
            outcome.reading = Reading::NotBilled;
        }
        AttemptCost::new(self.call, outcome, book)
    }

    /// The attempt never reached the provider: it costs nothing.
    ///
    /// Not for a call that was sent and not answered. What that cost is not known: [`finish`](Meter::finish) says so.
    #[must_use]
    pub fn unsent(self, book: &PriceBook) -> AttemptCost {
        let outcome = UsageOutcome::new(Reading::NotBilled);
        AttemptCost::new(self.call, outcome, book)
    }
}

/// What one attempt used and cost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptCost {
    /// What was asked.
    pub call: CallFacts,
    /// What came back.
    pub outcome: UsageOutcome,
    /// What it cost.
    pub priced: Priced,
}

impl AttemptCost {
    /// The cost of an outcome.
    #[must_use]
    pub fn new(call: CallFacts, outcome: UsageOutcome, book: &PriceBook) -> Self {
        Self {
            priced: price(book, &call, &outcome),
            call,
            outcome,
        }
    }

    /// What was used, as far as it is known; nothing otherwise.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let counts = self.outcome.counts();
        counts.map_or_else(Usage::default, |counts| counts.usage)
    }

    /// The model that ran: as the response names it, else as it was asked for.
    #[must_use]
    pub fn model(&self) -> ModelId {
        let provider = self.call.model.provider();
        let named = self.outcome.model.as_deref();
        named
            .and_then(|model| ModelId::new(provider, model).ok())
            .unwrap_or_else(|| self.call.model.clone())
    }

    /// The record of the attempt for the usage log.
    #[must_use]
    pub fn record(&self, id: RecordId, at: Timestamp, subject: Key, layer: Layer) -> UsageRecord {
        UsageRecord::new(id, at, subject, self.model(), self.usage())
            .with_cost(self.priced.cost, self.priced.status)
            .with_layer(layer)
    }
}
