use palisade_core::{ModelId, Money};

use super::{
    UsageShape, anthropic, bedrock, cohere, gemini,
    lenient::{Count, Object, Text},
    openai,
    wire::{Envelope, Inner, RawUsage},
};
use crate::{Reading, SearchContext, UsageFault, UsageOutcome};

/// The most bytes of a service tier's name that are kept.
const TIER_BYTES_MAX: usize = 64;

/// Reads the usage of a stream, one event at a time, in constant memory.
///
/// Push the JSON of each event (what stands after `data:`) as it passes, and finish when the stream has ended, however
/// it ended: a client that left and a provider that fell silent are told apart from a stream that said how it went.
///
/// ```
/// use palisade_cost::{Reading, UsageCollector};
///
/// let mut usage = UsageCollector::openai_chat();
/// usage.push_event(r#"{"model":"gpt-4o-mini","choices":[{"delta":{"content":"Hi"}}],"usage":null}"#);
/// usage.push_event(r#"{"choices":[],"usage":{"prompt_tokens":24,"completion_tokens":9}}"#);
/// usage.push_event("[DONE]");
/// let outcome = usage.finish();
/// assert_eq!(outcome.counts().unwrap().usage.input.get(), 24);
/// assert!(matches!(outcome.reading, Reading::Complete(_)));
/// ```
#[derive(Debug)]
pub struct UsageCollector {
    shape: UsageShape,
    model: Option<String>,
    service_tier: Option<String>,
    cost: Result<Option<Money>, UsageFault>,
    search_context: Option<SearchContext>,
    /// The last counts of all shapes but Anthropic's, whose events each tell a part.
    last: Result<Reading, UsageFault>,
    message: Option<anthropic::Message>,
    /// Whether the provider has said that it is through.
    ended: bool,
    /// Whether the last counts came along with output, so that more may follow.
    along_with_output: bool,
}

impl UsageCollector {
    /// A collector for a stream of this shape.
    #[must_use]
    pub fn new(shape: UsageShape) -> Self {
        Self {
            shape,
            model: None,
            service_tier: None,
            cost: Ok(None),
            search_context: None,
            last: Ok(Reading::Missing),
            message: None,
            ended: false,
            along_with_output: false,
        }
    }

    /// A collector for `OpenAI`'s chat completions, and what speaks like it.
    #[must_use]
    pub fn openai_chat() -> Self {
        Self::new(UsageShape::OpenAiChat)
    }

    /// A collector for `OpenAI`'s responses.
    #[must_use]
    pub fn openai_responses() -> Self {
        Self::new(UsageShape::OpenAiResponses)
    }

    /// A collector for Anthropic's messages.
    #[must_use]
    pub fn anthropic() -> Self {
        Self::new(UsageShape::AnthropicMessages)
    }

    /// Takes an event in. What is not JSON (`[DONE]`, a comment) says nothing about usage and is passed over.
    pub fn push_event(&mut self, event: &str) {
        match parse(event) {
            Ok(event) => self.push(&event),
            Err(Some(fault)) => self.last = Err(fault),
            Err(None) => {}
        }
    }

    /// What the stream said, now that it has ended.
    #[must_use]
    pub fn finish(self) -> UsageOutcome {
        let reading = match self.message {
            Some(message) => message.reading(self.ended),
            None => match self.last {
                // Counts of a stream that broke off are what there was so far.
                Ok(Reading::Complete(counts)) if self.along_with_output && !self.ended => {
                    Ok(Reading::Partial(counts))
                }
                last => last,
            },
        };
        let (reading, reported_cost) = match (reading, self.cost) {
            (Ok(reading), Ok(cost)) => (reading, cost),
            (Err(fault), _) | (_, Err(fault)) => (Reading::Invalid(fault), None),
        };
        UsageOutcome {
            reading,
            model: self.model,
            service_tier: self.service_tier,
            reported_cost,
            search_context: self.search_context,
        }
    }

    fn push(&mut self, event: &Envelope<'_>) {
        for model in [&event.model, &event.model_version] {
            self.note_model(model);
        }
        self.note_tier(event.service_tier.as_deref());
        let inners = [
            &event.message,
            &event.response,
            &event.delta,
            &event.metadata,
            &event.x_groq,
        ];
        for inner in inners.into_iter().filter_map(Object::get) {
            self.note_model(&inner.model);
            self.note_tier(inner.service_tier.as_deref());
            self.note_tier(
                inner
                    .bedrock_tier
                    .get()
                    .and_then(|tier| tier.kind.as_deref()),
            );
        }
        self.note_tier(
            event
                .bedrock_tier
                .get()
                .and_then(|tier| tier.kind.as_deref()),
        );
        match self.shape {
            UsageShape::AnthropicMessages => self.push_message(event),
            UsageShape::Gemini => self.push_gemini(event),
            UsageShape::Cohere => self.push_cohere(event),
            _ => {
                self.ended |= event.choices.0.ended;
                // Responses and Bedrock wrap their counts; Groq puts them into a drawer of its own.
                for (usage, along) in [
                    (Some(&event.usage), event.choices.0.any),
                    (inner_usage(&event.response), false),
                    (inner_usage(&event.metadata), false),
                    (inner_usage(&event.x_groq), false),
                ] {
                    if let Some(usage) = usage.filter(|usage| usage.is_there()) {
                        self.along_with_output = along;
                        self.take(usage);
                    }
                }
                if self.shape == UsageShape::OpenAiResponses {
                    self.count_searches(event);
                }
            }
        }
    }

    fn take(&mut self, usage: &Object<Box<RawUsage<'_>>>) {
        let raw = match usage.checked() {
            Ok(Some(raw)) => raw,
            Ok(None) => return,
            Err(fault) => {
                self.last = Err(fault);
                return;
            }
        };
        self.note_tier(raw.service_tier.as_deref());
        let absent = |counts: [Count; 2]| counts.into_iter().all(|count| count == Count::Absent);
        let is_bedrock = !absent([raw.bedrock_input, raw.bedrock_output]);
        let has_cache = !absent([raw.cache_read_input_tokens, raw.cache_creation_input_tokens]);
        self.last = match self.shape {
            UsageShape::BedrockConverse if is_bedrock => bedrock::reading(raw),
            // Anthropic's own counts under the name of another API: read as `OpenAI`'s they would lose the cache.
            _ if has_cache && raw.prompt_tokens == Count::Absent => anthropic::Message::whole(raw),
            shape => openai::reading(raw, shape),
        };
        self.cost = openai::stated_cost(raw, self.shape);
        if self.shape == UsageShape::Perplexity {
            self.search_context = openai::search_context(raw);
        }
    }

    /// Searches of the web stand among what was written, not among the counts.
    fn count_searches(&mut self, event: &Envelope<'_>) {
        let inner = event
            .response
            .get()
            .map_or(0, |inner| inner.output.0.searches);
        let searches = event.output.0.searches.max(inner);
        if searches > 0
            && let Ok(Reading::Complete(counts) | Reading::Partial(counts)) = &mut self.last
        {
            counts.usage.web_search_requests = searches;
        }
    }

    fn push_message(&mut self, event: &Envelope<'_>) {
        let begun = event.message.get();
        let delta = event.delta.get();
        self.ended |= event.kind.as_deref() == Some("message_stop")
            || delta.is_some_and(|delta| delta.stop_reason.0.is_some());
        let mut message = self.message.take().unwrap_or_default();
        if let Some(begun) = begun {
            message.take(&begun.usage, false);
            self.note_tier(tier(&begun.usage));
        }
        message.take(&event.usage, true);
        self.note_tier(tier(&event.usage));
        self.message = Some(message);
    }

    fn push_gemini(&mut self, event: &Envelope<'_>) {
        self.ended |= event.candidates.0.ended;
        if let Some(raw) = event.usage_metadata.get() {
            self.along_with_output = event.candidates.0.any;
            self.last = gemini::reading(raw);
            self.note_tier(gemini::service_tier(raw));
        } else if event.usage_metadata.is_there() {
            self.last = Err(UsageFault::Unreadable);
        } else if event.usage.is_there() {
            // Another API of the same provider.
            self.take(&event.usage);
        }
    }

    fn push_cohere(&mut self, event: &Envelope<'_>) {
        let meta = |inner: &Object<Inner<'_>>| {
            let inner = inner.get()?;
            let usage = inner.usage.get().and_then(|usage| usage.billed_units.get());
            usage
                .or(inner.meta.get().and_then(|meta| meta.billed_units.get()))
                .copied()
        };
        let units = event
            .usage
            .get()
            .and_then(|usage| usage.billed_units.get())
            .copied();
        let units = units
            .or(event
                .meta
                .get()
                .and_then(|meta| meta.billed_units.get())
                .copied())
            .or(meta(&event.delta))
            .or(meta(&event.response));
        if let Some(units) = units {
            self.last = cohere::reading(&units);
        }
    }

    fn note_model(&mut self, model: &Text<'_>) {
        if let Some(model) = model.as_deref()
            && (1..=ModelId::NAME_BYTES_MAX).contains(&model.len())
            && self.model.as_deref() != Some(model)
        {
            self.model = Some(model.to_owned());
        }
    }

    fn note_tier(&mut self, tier: Option<&str>) {
        if let Some(tier) = tier
            && (1..=TIER_BYTES_MAX).contains(&tier.len())
            && self.service_tier.as_deref() != Some(tier)
        {
            self.service_tier = Some(tier.to_ascii_lowercase());
        }
    }
}

fn tier<'r>(usage: &'r Object<Box<RawUsage<'_>>>) -> Option<&'r str> {
    usage.get()?.service_tier.as_deref()
}

fn inner_usage<'r, 'a>(inner: &'r Object<Inner<'a>>) -> Option<&'r Object<Box<RawUsage<'a>>>> {
    inner.get().map(|inner| &inner.usage)
}

/// An event or a response: `Err(None)` if it is no JSON object, `Err(Some(_))` if it is one that nobody can trust.
fn parse(text: &str) -> Result<Envelope<'_>, Option<UsageFault>> {
    if !text.trim_start().starts_with('{') {
        return Err(None);
    }
    // A field that stands twice: whichever was read, the other may be the true one.
    serde_json::from_str(text).map_err(|error| error.is_data().then_some(UsageFault::Unreadable))
}

/// Reads the usage of a whole response.
///
/// ```
/// use palisade_cost::{UsageShape, read_usage};
///
/// let body = r#"{"model":"claude-sonnet-4-6","usage":{"input_tokens":21,"cache_read_input_tokens":100,"output_tokens":9}}"#;
/// let outcome = read_usage(UsageShape::AnthropicMessages, body);
/// assert_eq!(outcome.counts().unwrap().usage.input.get(), 121);
/// ```
#[must_use]
pub fn read_usage(shape: UsageShape, response: &str) -> UsageOutcome {
    let mut collector = UsageCollector::new(shape);
    // A response that came whole has ended.
    collector.ended = true;
    collector.push_event(response);
    collector.finish()
}
