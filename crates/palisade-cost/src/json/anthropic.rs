//! Anthropic's messages. What was read from or written to a cache is *not* in `input_tokens`.

use palisade_core::{Tokens, Usage};

use super::{
    lenient::{Count, Object},
    wire::RawUsage,
};
use crate::{Counts, Reading, UsageFault};

/// The counts of a message, as far as its events have told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Message {
    input: Option<u64>,
    cache_read: u64,
    cache_creation: u64,
    cache_short: u64,
    cache_hour: u64,
    searches: u64,
    output: Option<u64>,
    fault: Option<UsageFault>,
}

impl Message {
    /// Takes in what an event or a whole message says. Counts are cumulative: a later one stands for the earlier. The
    /// output that stands at the beginning of a stream is a placeholder (`with_output` is false there).
    pub(super) fn take(&mut self, usage: &Object<Box<RawUsage<'_>>>, with_output: bool) {
        let taken = match usage.checked() {
            Ok(Some(raw)) => self.try_take(raw, with_output),
            Ok(None) => Ok(()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = taken {
            self.fault = Some(fault);
        }
    }

    /// The counts of one usage object that says it all.
    pub(super) fn whole(raw: &RawUsage<'_>) -> Result<Reading, UsageFault> {
        let mut message = Self::default();
        message.try_take(raw, true)?;
        message.reading(true)
    }

    fn try_take(&mut self, raw: &RawUsage<'_>, with_output: bool) -> Result<(), UsageFault> {
        // What is cumulative never falls, so the greater is the later; proxies repeat fields as zero.
        let later = |known: &mut u64, count: Count, field| {
            *known = (*known).max(count.or_zero(field)?);
            Ok::<(), UsageFault>(())
        };
        if let Some(input) = raw.input_tokens.get("input_tokens")? {
            self.input = self.input.max(Some(input));
        }
        later(
            &mut self.cache_read,
            raw.cache_read_input_tokens,
            "cache_read_input_tokens",
        )?;
        later(
            &mut self.cache_creation,
            raw.cache_creation_input_tokens,
            "cache_creation_input_tokens",
        )?;
        if let Some(split) = raw.cache_creation.checked()? {
            let (short, hour) = (
                split.ephemeral_5m_input_tokens,
                split.ephemeral_1h_input_tokens,
            );
            later(&mut self.cache_short, short, "ephemeral_5m_input_tokens")?;
            later(&mut self.cache_hour, hour, "ephemeral_1h_input_tokens")?;
        }
        if let Some(tools) = raw.server_tool_use.checked()? {
            later(
                &mut self.searches,
                tools.web_search_requests,
                "web_search_requests",
            )?;
        }
        let output = raw.output_tokens.get("output_tokens")?;
        if with_output && output.is_some() {
            self.output = output;
        }
        Ok(())
    }

    /// The counts, of a message that ended or of one that broke off.
    pub(super) fn reading(&self, ended: bool) -> Result<Reading, UsageFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let split = self
            .cache_short
            .checked_add(self.cache_hour)
            .ok_or(UsageFault::Range)?;
        // The flat count is the sum of the split; without it, the split is all there is.
        let flat = if self.cache_creation == 0 {
            split
        } else {
            self.cache_creation
        };
        let rest = flat.checked_sub(split).ok_or(UsageFault::Part {
            part: "cache creation by lifetime",
        })?;
        let total = self
            .input
            .unwrap_or(0)
            .checked_add(self.cache_read)
            .and_then(|total| total.checked_add(flat))
            .ok_or(UsageFault::Range)?;
        let mut usage = Usage::new(Tokens::new(total), Tokens::new(self.output.unwrap_or(0)));
        usage.cache_read = Tokens::new(self.cache_read);
        // What the split does not tell was kept for the default time.
        usage.cache_write_5m = Tokens::new(self.cache_short + rest);
        usage.cache_write_1h = Tokens::new(self.cache_hour);
        usage.web_search_requests = self.searches;
        let counts = Counts {
            usage,
            input: self.input.is_some(),
            output: self.output.is_some(),
        };
        Ok(match (self.input, self.output) {
            (None, None) => Reading::Missing,
            (Some(_), Some(_)) if ended => Reading::Complete(counts),
            _ => Reading::Partial(counts),
        })
    }
}
