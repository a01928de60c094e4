//! Google's `generateContent`. Thoughts are *not* in the candidates, tools' prompts *not* in the prompt.

use palisade_core::{Tokens, Usage};

use super::wire::{GeminiUsage, Modalities};
use crate::{Counts, Reading, UsageFault};

/// The counts of a usage object. What is not there is zero: Google's JSON leaves zeros out.
pub(super) fn reading(raw: &GeminiUsage<'_>) -> Result<Reading, UsageFault> {
    let prompt = raw.prompt_token_count.get("promptTokenCount")?;
    let candidates = raw.candidates_token_count.or(raw.response_token_count);
    let candidates = candidates.get("candidatesTokenCount")?;
    let thoughts = raw.thoughts_token_count.get("thoughtsTokenCount")?;
    let tools = raw
        .tool_use_prompt_token_count
        .get("toolUsePromptTokenCount")?;
    let cached = raw
        .cached_content_token_count
        .or_zero("cachedContentTokenCount")?;
    let total = raw.total_token_count.get("totalTokenCount")?;
    if [prompt, candidates, thoughts, tools]
        .iter()
        .all(Option::is_none)
    {
        return Ok(Reading::Missing);
    }
    let [prompt, candidates, thoughts, tools] =
        [prompt, candidates, thoughts, tools].map(|count| count.unwrap_or(0));

    let sum = |counts: &[u64]| {
        counts
            .iter()
            .try_fold(0_u64, |sum, count| sum.checked_add(*count))
            .ok_or(UsageFault::Range)
    };
    let input = sum(&[prompt, tools])?;
    // Thoughts inside the candidates show in the total alone.
    let inclusive = [sum(&[prompt, candidates])?, sum(&[input, candidates])?];
    let is_inclusive = thoughts > 0 && total.is_some_and(|total| inclusive.contains(&total));
    let output = if is_inclusive {
        candidates
    } else {
        sum(&[candidates, thoughts])?
    };

    let read = modalities(&raw.prompt_tokens_details.0)?;
    let tool = modalities(&raw.tool_use_prompt_tokens_details.0)?;
    let cache = modalities(&raw.cache_tokens_details.0)?;
    let written = [
        &raw.candidates_tokens_details.0,
        &raw.response_tokens_details.0,
    ];
    let written = modalities(written[usize::from(!written[0].is_there)])?;

    let mut usage = Usage::new(Tokens::new(input), Tokens::new(output));
    usage.reasoning = Tokens::new(thoughts);
    usage.cache_read = Tokens::new(cached);
    usage.cache_read_audio = Tokens::new(cache.audio);
    // Where only the cache is told by modality, what was cached is what is known.
    let audio = if read.is_there {
        read.audio
    } else {
        cache.audio
    };
    usage.input_audio = Tokens::new(sum(&[audio, tool.audio])?);
    usage.input_image = Tokens::new(sum(&[read.image, tool.image])?);
    usage.input_video = Tokens::new(sum(&[read.video, tool.video])?);
    usage.output_audio = Tokens::new(written.audio);
    Ok(Reading::Complete(Counts::all(usage)))
}

/// The service tier that Google's kind of traffic stands for.
pub(super) fn service_tier(raw: &GeminiUsage<'_>) -> Option<&'static str> {
    match raw.traffic_type.as_deref()? {
        "ON_DEMAND_PRIORITY" => Some("priority"),
        "ON_DEMAND_FLEX" => Some("flex"),
        "ON_DEMAND" => Some("standard"),
        _ => None,
    }
}

fn modalities(of: &Modalities) -> Result<&Modalities, UsageFault> {
    if of.is_bad {
        return Err(UsageFault::Count {
            field: "tokenCount",
        });
    }
    Ok(of)
}
