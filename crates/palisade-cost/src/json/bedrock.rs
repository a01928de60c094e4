//! Bedrock's Converse. What was read from or written to a cache is *not* in `inputTokens`.

use palisade_core::{Tokens, Usage};

use super::wire::RawUsage;
use crate::{Counts, Reading, UsageFault};

/// The counts of a usage object.
pub(super) fn reading(raw: &RawUsage<'_>) -> Result<Reading, UsageFault> {
    let input = raw.bedrock_input.get("inputTokens")?;
    let output = raw.bedrock_output.get("outputTokens")?;
    let cache_read = raw.bedrock_cache_read.or_zero("cacheReadInputTokens")?;
    let flat = raw.bedrock_cache_write.get("cacheWriteInputTokens")?;
    let split = &raw.bedrock_cache_details.0;
    if split.is_bad {
        return Err(UsageFault::Count {
            field: "cacheDetails",
        });
    }
    let told = split
        .short
        .checked_add(split.hour)
        .ok_or(UsageFault::Range)?;
    let cache_write = flat.unwrap_or(told);
    // What the split does not tell was kept for the default time.
    let rest = cache_write.checked_sub(told).ok_or(UsageFault::Part {
        part: "cache writing by lifetime",
    })?;
    let total = input
        .unwrap_or(0)
        .checked_add(cache_read)
        .and_then(|total| total.checked_add(cache_write))
        .ok_or(UsageFault::Range)?;
    let mut usage = Usage::new(Tokens::new(total), Tokens::new(output.unwrap_or(0)));
    usage.cache_read = Tokens::new(cache_read);
    usage.cache_write_5m = Tokens::new(split.short + rest);
    usage.cache_write_1h = Tokens::new(split.hour);
    let counts = Counts {
        usage,
        input: input.is_some(),
        output: output.is_some(),
    };
    Ok(match (input, output) {
        (None, None) => Reading::Missing,
        (Some(_), Some(_)) => Reading::Complete(counts),
        _ => Reading::Partial(counts),
    })
}
