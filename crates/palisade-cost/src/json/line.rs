use std::borrow::Cow;

use palisade_core::{ModelId, ModelIdError, Money, Timestamp};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    RowError, UsageCollector, UsageShape,
    batch::{self, Unwrapped},
    read_usage,
};
use crate::{
    Breakdown, CallFacts, CostStatus, Counts, PriceBook, PriceRow, Priced, Reading, UsageOutcome,
    date, price,
};

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    request: Request<'a>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stream_events: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    http_status: Option<u16>,
    #[serde(borrow, default)]
    price_rows: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    provider: Cow<'a, str>,
    #[serde(borrow, default)]
    api: Option<Cow<'a, str>>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(default)]
    batch: Option<bool>,
    #[serde(borrow, default)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    at: Option<Cow<'a, str>>,
}

/// Prices one call that is described by a JSON object, as a program reads them from a file, one a line.
///
/// The object has `request` (`provider`, `api`, `model`, and if they matter `batch`, `service_tier`, `at`), and
/// `response` or `stream_events`; if they matter an `id` to give back, `http_status`, and `price_rows` to use instead of
/// the book. A call that says no time was made `now`.
///
/// ```
/// use palisade_core::Timestamp;
/// use palisade_cost::{PriceBook, price_line};
///
/// let line = r#"{"id": 7,
///     "request": {"provider": "openai", "api": "chat_completions", "model": "gpt-4o-mini"},
///     "response": {"model": "gpt-4o-mini-2024-07-18", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}}"#;
/// let answer = price_line(&PriceBook::embedded(), line, Timestamp::from_secs(1_795_000_000))?;
/// assert_eq!(
///     answer.to_json(),
///     r#"{"id":7,"status":"priced","usage":{"input_tokens":1000,"output_tokens":100},"cost_usd":"0.00021",
/// "cost_nano_usd":210000,"breakdown_usd":{"input":"0.00015","output":"0.00006"},
/// "priced_as":{"provider":"openai","model":"gpt-4o-mini-2024-07-18","variant":"standard"},"assumed":[]}"#
///         .replace('\n', ""),
/// );
/// # Ok::<(), palisade_cost::LineError>(())
/// ```
///
/// # Errors
///
/// [`LineError`] if the object is not of this shape. A response that is odd is no error but an answer.
pub fn price_line(book: &PriceBook, line: &str, now: Timestamp) -> Result<LineAnswer, LineError> {
    let line: Line<'_> = serde_json::from_str(line).map_err(LineError::Json)?;
    let request = &line.request;
    let mut call = CallFacts::new(ModelId::new(&request.provider, &request.model)?, now);
    if let Some(at) = &request.at {
        call.at = date::parse_time(at).ok_or(LineError::Time)?;
    }
    call.batch = request.batch.unwrap_or(false);
    call.service_tier = request
        .service_tier
        .as_deref()
        .map(|tier| Cow::Owned(tier.to_owned()));
    let shape = UsageShape::of(&request.provider, request.api.as_deref().unwrap_or(""));
    let mut outcome = outcome(&line, shape, call.batch);
    let is_refused = line.http_status.is_some_and(|status| status >= 300);
    if is_refused && outcome.reading == Reading::Missing {
        outcome.reading = Reading::NotBilled;
    }
    let rows;
    let book = match &line.price_rows {
        None => book,
        Some(raw) => {
            let parsed: Result<Vec<PriceRow>, RowError> = raw
                .iter()
                .map(|row| PriceRow::from_json(row.get()))
                .collect();
            rows = PriceBook::empty().with_rows(parsed?);
            &rows
        }
    };
    Ok(LineAnswer {
        id: line.id.map(ToOwned::to_owned),
        priced: price(book, &call, &outcome),
        outcome,
    })
}

fn outcome(line: &Line<'_>, shape: UsageShape, batch: bool) -> UsageOutcome {
    if let Some(events) = &line.stream_events {
        let mut collector = UsageCollector::new(shape);
        for event in events {
            // An event may be its JSON, or the text of it as it stood in the stream.
            match serde_json::from_str::<Cow<'_, str>>(event.get()) {
                Ok(text) if event.get().starts_with('"') => collector.push_event(&text),
                _ => collector.push_event(event.get()),
            }
        }
        return collector.finish();
    }
    let Some(response) = line.response else {
        return UsageOutcome::new(Reading::Missing);
    };
    if !batch {
        return read_usage(shape, response.get());
    }
    match batch::unwrap(response.get()) {
        Unwrapped::Response(response) => read_usage(shape, response),
        Unwrapped::Failed => UsageOutcome::new(Reading::NotBilled),
    }
}

/// What [`price_line`] says of a call. It serialises as an object, for a program to write as a line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LineAnswer {
    id: Option<Box<RawValue>>,
    /// What the response said.
    pub outcome: UsageOutcome,
    /// What it cost.
    pub priced: Priced,
}

impl LineAnswer {
    /// The object as JSON text, without a line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with text keys, texts, numbers and an id that was JSON before: nothing in it can fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for LineAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let priced = &self.priced;
        let mut object = serializer.serialize_map(None)?;
        if let Some(id) = &self.id {
            object.serialize_entry("id", id)?;
        }
        object.serialize_entry("status", &priced.status)?;
        let is_told = priced.status != CostStatus::InvalidUsage;
        if let Some(counts) = self.outcome.counts().filter(|_| is_told) {
            object.serialize_entry("usage", &UsageCounts(*counts))?;
        }
        object.serialize_entry("cost_usd", &priced.cost)?;
        let nano = priced.booked().map(Money::as_nano_usd_ceil);
        object.serialize_entry("cost_nano_usd", &nano.and_then(Result::ok))?;
        if let Some(known) = priced.known_part {
            object.serialize_entry("cost_usd_known_part", &known)?;
        }
        if let Some(cost) = priced.from_table {
            object.serialize_entry("cost_usd_from_table", &cost)?;
        }
        if let Some(priced_as) = &priced.priced_as {
            object.serialize_entry("breakdown_usd", &Amounts(&priced.breakdown))?;
            let priced_as = PricedAsJson {
                provider: priced_as.model.provider(),
                model: priced_as.model.model(),
                variant: priced_as.variant.as_str(),
                tier_above_input_tokens: priced_as.tier,
            };
            object.serialize_entry("priced_as", &priced_as)?;
        }
        let assumed: Vec<String> = priced.assumed.iter().map(ToString::to_string).collect();
        object.serialize_entry("assumed", &assumed)?;
        object.end()
    }
}

#[derive(Serialize)]
struct PricedAsJson<'a> {
    provider: &'a str,
    model: &'a str,
    variant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_above_input_tokens: Option<u64>,
}

/// Counts as an object: a total that is not known is left out, and so is any other count of zero.
#[derive(Clone, Copy, Debug)]
pub struct UsageCounts(pub Counts);

impl Serialize for UsageCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Counts {
            usage,
            input,
            output,
        } = self.0;
        let mut object = serializer.serialize_map(None)?;
        for (name, count, always) in [
            ("input_tokens", usage.input.get(), input),
            ("output_tokens", usage.output.get(), output),
            ("cache_read_tokens", usage.cache_read.get(), false),
            ("cache_write_5m_tokens", usage.cache_write_5m.get(), false),
            ("cache_write_1h_tokens", usage.cache_write_1h.get(), false),
            ("reasoning_tokens", usage.reasoning.get(), false),
            ("input_audio_tokens", usage.input_audio.get(), false),
            ("output_audio_tokens", usage.output_audio.get(), false),
            (
                "cache_read_audio_tokens",
                usage.cache_read_audio.get(),
                false,
            ),
            ("input_image_tokens", usage.input_image.get(), false),
            ("input_video_tokens", usage.input_video.get(), false),
            ("citation_tokens", usage.citation.get(), false),
            ("web_search_requests", usage.web_search_requests, false),
            ("search_units", usage.search_units, false),
        ] {
            if count > 0 || always {
                object.serialize_entry(name, &count)?;
            }
        }
        object.end()
    }
}

struct Amounts<'a>(&'a Breakdown);

impl Serialize for Amounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(part, amount)| (part.as_str(), amount)))
    }
}

/// Why a line cannot be priced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is not JSON, or not of the shape of a line.
    #[error("not a call in JSON: an object with `request` and `response` or `stream_events`")]
    Json(#[source] serde_json::Error),
    /// When the call was made.
    #[error("the time of a request is RFC 3339, such as 2026-11-20T18:53:10Z")]
    Time,
    /// The model's name.
    #[error(transparent)]
    Model(#[from] ModelIdError),
    /// A row of its own prices.
    #[error("a row of `price_rows` cannot be read")]
    Row(#[from] RowError),
}
