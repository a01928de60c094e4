//! Cohere. It bills `billed_units`; its `tokens` include a template that costs nothing.

use palisade_core::{Tokens, Usage};

use super::wire::BilledUnits;
use crate::{Counts, Reading, UsageFault};

/// The counts of the billed units.
pub(super) fn reading(raw: &BilledUnits) -> Result<Reading, UsageFault> {
    let input = raw.input_tokens.get("input_tokens")?;
    let output = raw.output_tokens.get("output_tokens")?;
    let units = raw.search_units.get("search_units")?;
    if input.is_none() && output.is_none() && units.is_none() {
        return Ok(Reading::Missing);
    }
    // Re-ranking has no tokens, embedding no output.
    let has_tokens = input.is_some() || output.is_some();
    let mut usage = Usage::new(
        Tokens::new(input.unwrap_or(0)),
        Tokens::new(output.unwrap_or(0)),
    );
    usage.search_units = units.unwrap_or(0);
    Ok(Reading::Complete(Counts {
        usage,
        input: has_tokens,
        output: has_tokens,
    }))
}
