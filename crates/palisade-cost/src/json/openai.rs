//! `OpenAI`, and the many that speak like it.

use palisade_core::{Money, Tokens, Usage};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    UsageShape, decimal,
    lenient::{Count, Object},
    wire::{Details, RawUsage},
};
use crate::{Counts, Reading, SearchContext, UsageFault};

/// The counts of a usage object.
pub(super) fn reading(raw: &RawUsage<'_>, shape: UsageShape) -> Result<Reading, UsageFault> {
    let chat_names = raw.prompt_tokens != Count::Absent || raw.completion_tokens != Count::Absent;
    let input = raw.prompt_tokens.or(raw.input_tokens).get("input")?;
    let output = raw.completion_tokens.or(raw.output_tokens).get("output")?;
    let total = raw.total_tokens.get("total_tokens")?;
    let read = details([
        &raw.prompt_tokens_details,
        &raw.input_tokens_details,
        &raw.input_token_details,
    ])?;
    let written = details([
        &raw.completion_tokens_details,
        &raw.output_tokens_details,
        &raw.output_token_details,
    ])?;

    let mut usage = Usage::default();
    if let Some(read) = read {
        usage.cache_read = tokens(read.cached_tokens, "cached_tokens")?;
        usage.cache_write_5m = tokens(read.cache_write_tokens, "cache_write_tokens")?;
        usage.input_audio = tokens(read.audio_tokens, "audio_tokens")?;
        usage.input_image = tokens(read.image_tokens, "image_tokens")?;
        usage.input_video = tokens(read.video_tokens, "video_tokens")?;
        if let Some(cached) = read.cached_tokens_details.checked()? {
            usage.cache_read_audio = tokens(cached.audio_tokens, "audio_tokens")?;
        }
    }
    // The same fact under other names; some providers state it twice.
    let hits = [
        (raw.prompt_cache_hit_tokens, "prompt_cache_hit_tokens"),
        (raw.cached_tokens, "cached_tokens"),
    ];
    for (count, field) in hits {
        usage.cache_read = usage.cache_read.max(tokens(count, field)?);
    }
    if let Some(written) = written {
        usage.reasoning = tokens(written.reasoning_tokens, "reasoning_tokens")?;
        usage.output_audio = tokens(written.audio_tokens, "audio_tokens")?;
    }
    let mut output = output;
    match shape {
        UsageShape::XAiChat => {
            let sum = |part: Option<u64>, other: u64| part.and_then(|part| part.checked_add(other));
            let with_reasoning = sum(output, usage.reasoning.get());
            if total.is_some() && total == with_reasoning.and_then(|output| sum(input, output)) {
                output = with_reasoning;
            }
        }
        UsageShape::Perplexity => {
            let reasoning = tokens(raw.reasoning_tokens, "reasoning_tokens")?;
            usage.reasoning = usage.reasoning.max(reasoning);
            usage.citation = tokens(raw.citation_tokens, "citation_tokens")?;
            usage.web_search_requests = raw.num_search_queries.or_zero("num_search_queries")?;
            // Only its chat counts them apart; its responses are `OpenAI`'s.
            let apart = if chat_names { usage.reasoning.get() } else { 0 };
            output = match output {
                Some(output) => Some(
                    output
                        .checked_add(apart)
                        .and_then(|output| output.checked_add(usage.citation.get()))
                        .ok_or(UsageFault::Range)?,
                ),
                None => None,
            };
        }
        _ => {}
    }
    let input = match shape {
        UsageShape::Embeddings => input.or(total),
        _ => input,
    };
    usage.input = Tokens::new(input.unwrap_or(0));
    usage.output = Tokens::new(output.unwrap_or(0));
    Ok(match (input, output) {
        (None, None) => Reading::Missing,
        (Some(_), Some(_)) => Reading::Complete(Counts::all(usage)),
        (Some(input), None) if shape == UsageShape::Embeddings || total == Some(input) => {
            Reading::Complete(Counts::all(usage))
        }
        (input, output) => Reading::Partial(Counts {
            usage,
            input: input.is_some(),
            output: output.is_some(),
        }),
    })
}

/// The cost that a provider states, if it is one that does.
pub(super) fn stated_cost(
    raw: &RawUsage<'_>,
    shape: UsageShape,
) -> Result<Option<Money>, UsageFault> {
    match shape {
        UsageShape::Perplexity => total_cost(raw),
        UsageShape::OpenRouter => {
            let Some(own) = total_cost(raw)? else {
                return Ok(None);
            };
            // What is asked for by a router on a key of one's own is its fee; the provider asks for the rest.
            let upstream = raw.cost_details.get().filter(|_| raw.is_byok.0);
            match upstream.and_then(|details| details.upstream_inference_cost) {
                None => Ok(Some(own)),
                Some(upstream) => decimal::amount(upstream.get())
                    .and_then(|upstream| own.checked_add(upstream).ok())
                    .map(Some)
                    .ok_or(UsageFault::Cost),
            }
        }
        _ => {
            let ticks = raw.cost_in_usd_ticks.get("cost_in_usd_ticks")?;
            Ok(ticks.map(|ticks| Money::from_pico_usd(i128::from(ticks) * PICO_USD_PER_TICK)))
        }
    }
}

/// xAI counts its costs in parts of a dollar: ten thousand million ticks each.
const PICO_USD_PER_TICK: i128 = 100;

/// An amount, or an object with the total among its parts.
fn total_cost(raw: &RawUsage<'_>) -> Result<Option<Money>, UsageFault> {
    #[derive(Deserialize)]
    struct Stated<'a> {
        #[serde(borrow, default)]
        total_cost: Option<&'a RawValue>,
    }
    let Some(cost) = raw.cost else {
        return Ok(None);
    };
    let amount = if cost.get().starts_with('{') {
        match serde_json::from_str::<Stated<'_>>(cost.get()) {
            Ok(Stated { total_cost: None }) => return Ok(None),
            Ok(Stated {
                total_cost: Some(total),
            }) => total.get(),
            Err(_) => return Err(UsageFault::Cost),
        }
    } else {
        cost.get()
    };
    decimal::amount(amount).map(Some).ok_or(UsageFault::Cost)
}

/// How much context Perplexity's search brought, for which it charges each request of its chat.
pub(super) fn search_context(raw: &RawUsage<'_>) -> Option<SearchContext> {
    if raw.prompt_tokens == Count::Absent {
        return None;
    }
    let size = raw.search_context_size.as_deref();
    Some(size.and_then(SearchContext::from_name).unwrap_or_default())
}

/// The first of the details that are there.
fn details(of: [&Object<Details>; 3]) -> Result<Option<&Details>, UsageFault> {
    match of.into_iter().find(|details| details.is_there()) {
        Some(details) => details.checked(),
        None => Ok(None),
    }
}

fn tokens(count: Count, field: &'static str) -> Result<Tokens, UsageFault> {
    count.or_zero(field).map(Tokens::new)
}
