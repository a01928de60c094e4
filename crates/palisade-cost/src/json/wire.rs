//! What is read of a response or an event, of all shapes at once. Everything else in it is skipped unread.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Count, Flag, Fold, List, Object, Text};

/// A response, or one event of a stream.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow, rename = "modelVersion")]
    pub(super) model_version: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) service_tier: Text<'a>,
    #[serde(borrow, rename = "serviceTier")]
    pub(super) bedrock_tier: Object<BedrockTier<'a>>,
    #[serde(borrow)]
    pub(super) usage: Object<Box<RawUsage<'a>>>,
    #[serde(borrow, rename = "usageMetadata")]
    pub(super) usage_metadata: Object<Box<GeminiUsage<'a>>>,
    pub(super) meta: Object<Billed>,
    #[serde(borrow)]
    pub(super) message: Object<Inner<'a>>,
    #[serde(borrow)]
    pub(super) response: Object<Inner<'a>>,
    #[serde(borrow)]
    pub(super) delta: Object<Inner<'a>>,
    #[serde(borrow)]
    pub(super) metadata: Object<Inner<'a>>,
    #[serde(borrow)]
    pub(super) x_groq: Object<Inner<'a>>,
    pub(super) output: List<Items>,
    pub(super) choices: List<Choices>,
    pub(super) candidates: List<Choices>,
}

/// What an event wraps: a message, a response, a delta, metadata.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Inner<'a> {
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow)]
    pub(super) service_tier: Text<'a>,
    #[serde(borrow, rename = "serviceTier")]
    pub(super) bedrock_tier: Object<BedrockTier<'a>>,
    #[serde(borrow)]
    pub(super) stop_reason: Text<'a>,
    #[serde(borrow)]
    pub(super) usage: Object<Box<RawUsage<'a>>>,
    pub(super) meta: Object<Billed>,
    pub(super) output: List<Items>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct BedrockTier<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
}

/// The counts of every shape but Google's.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawUsage<'a> {
    pub(super) prompt_tokens: Count,
    pub(super) completion_tokens: Count,
    pub(super) total_tokens: Count,
    pub(super) input_tokens: Count,
    pub(super) output_tokens: Count,
    pub(super) prompt_tokens_details: Object<Details>,
    pub(super) completion_tokens_details: Object<Details>,
    pub(super) input_tokens_details: Object<Details>,
    pub(super) output_tokens_details: Object<Details>,
    pub(super) input_token_details: Object<Details>,
    pub(super) output_token_details: Object<Details>,
    // Moonshot, and some that speak like OpenAI.
    pub(super) cached_tokens: Count,
    // DeepSeek.
    pub(super) prompt_cache_hit_tokens: Count,
    // Perplexity.
    pub(super) citation_tokens: Count,
    pub(super) reasoning_tokens: Count,
    pub(super) num_search_queries: Count,
    #[serde(borrow)]
    pub(super) search_context_size: Text<'a>,
    #[serde(borrow)]
    pub(super) cost: Option<&'a RawValue>,
    // OpenRouter.
    pub(super) is_byok: Flag,
    #[serde(borrow)]
    pub(super) cost_details: Object<CostDetails<'a>>,
    // xAI.
    pub(super) cost_in_usd_ticks: Count,
    // Anthropic.
    pub(super) cache_creation_input_tokens: Count,
    pub(super) cache_read_input_tokens: Count,
    pub(super) cache_creation: Object<CacheCreation>,
    pub(super) server_tool_use: Object<ServerToolUse>,
    #[serde(borrow)]
    pub(super) service_tier: Text<'a>,
    // Bedrock.
    #[serde(rename = "inputTokens")]
    pub(super) bedrock_input: Count,
    #[serde(rename = "outputTokens")]
    pub(super) bedrock_output: Count,
    #[serde(rename = "cacheReadInputTokens")]
    pub(super) bedrock_cache_read: Count,
    #[serde(rename = "cacheWriteInputTokens")]
    pub(super) bedrock_cache_write: Count,
    #[serde(rename = "cacheDetails")]
    pub(super) bedrock_cache_details: List<CacheDetails>,
    // Cohere.
    pub(super) billed_units: Object<BilledUnits>,
}

/// What a router paid for a key of one's own.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CostDetails<'a> {
    #[serde(borrow)]
    pub(super) upstream_inference_cost: Option<&'a RawValue>,
}

/// Parts of a total.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    pub(super) cached_tokens: Count,
    pub(super) cache_write_tokens: Count,
    pub(super) reasoning_tokens: Count,
    pub(super) audio_tokens: Count,
    pub(super) image_tokens: Count,
    pub(super) video_tokens: Count,
    pub(super) cached_tokens_details: Object<CachedDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CachedDetails {
    pub(super) audio_tokens: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CacheCreation {
    pub(super) ephemeral_5m_input_tokens: Count,
    pub(super) ephemeral_1h_input_tokens: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ServerToolUse {
    pub(super) web_search_requests: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Billed {
    pub(super) billed_units: Object<BilledUnits>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct BilledUnits {
    pub(super) input_tokens: Count,
    pub(super) output_tokens: Count,
    pub(super) search_units: Count,
}

/// Google's counts. Zeros are left out of its JSON.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct GeminiUsage<'a> {
    pub(super) prompt_token_count: Count,
    pub(super) candidates_token_count: Count,
    pub(super) response_token_count: Count,
    pub(super) thoughts_token_count: Count,
    pub(super) tool_use_prompt_token_count: Count,
    pub(super) cached_content_token_count: Count,
    pub(super) total_token_count: Count,
    pub(super) prompt_tokens_details: List<Modalities>,
    pub(super) tool_use_prompt_tokens_details: List<Modalities>,
    pub(super) cache_tokens_details: List<Modalities>,
    pub(super) candidates_tokens_details: List<Modalities>,
    pub(super) response_tokens_details: List<Modalities>,
    #[serde(borrow)]
    pub(super) traffic_type: Text<'a>,
}

/// Tokens by modality.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Modalities {
    pub(super) audio: u64,
    pub(super) image: u64,
    pub(super) video: u64,
    pub(super) is_there: bool,
    pub(super) is_bad: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Modality<'a> {
    #[serde(borrow)]
    modality: Text<'a>,
    token_count: Count,
}

impl Fold for Modalities {
    type Element<'de> = Modality<'de>;

    fn fold(&mut self, element: &Modality<'_>) {
        self.is_there = true;
        let mut other = 0;
        let sum = match element.modality.as_deref() {
            Some("AUDIO") => &mut self.audio,
            Some("IMAGE") => &mut self.image,
            Some("VIDEO") => &mut self.video,
            _ => &mut other,
        };
        match element.token_count.added_to(*sum) {
            Some(added) => *sum = added,
            None => self.is_bad = true,
        }
    }

    fn bad(&mut self) {
        self.is_bad = true;
    }
}

/// Cache writes by how long they are kept.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CacheDetails {
    pub(super) short: u64,
    pub(super) hour: u64,
    pub(super) is_bad: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CacheDetail<'a> {
    #[serde(borrow)]
    ttl: Text<'a>,
    #[serde(rename = "inputTokens")]
    tokens: Count,
}

impl Fold for CacheDetails {
    type Element<'de> = CacheDetail<'de>;

    fn fold(&mut self, element: &CacheDetail<'_>) {
        let sum = match element.ttl.as_deref() {
            Some("1h") => &mut self.hour,
            _ => &mut self.short,
        };
        match element.tokens.added_to(*sum) {
            Some(added) => *sum = added,
            None => self.is_bad = true,
        }
    }

    fn bad(&mut self) {
        self.is_bad = true;
    }
}

/// What was chosen: whether there is anything, and whether any of it ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choices {
    pub(super) any: bool,
    pub(super) ended: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    #[serde(borrow)]
    finish_reason: Text<'a>,
    #[serde(borrow, rename = "finishReason")]
    gemini_finish_reason: Text<'a>,
}

impl Fold for Choices {
    type Element<'de> = Choice<'de>;

    fn fold(&mut self, choice: &Choice<'_>) {
        self.any = true;
        self.ended |= choice.finish_reason.0.is_some() || choice.gemini_finish_reason.0.is_some();
    }

    fn bad(&mut self) {
        self.any = true;
    }
}

/// What a response consists of: how often the provider searched the web for it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Items {
    pub(super) searches: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    action: Object<Action<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Action<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

impl Fold for Items {
    type Element<'de> = Item<'de>;

    fn fold(&mut self, item: &Item<'_>) {
        // Opening a page that was found, or looking for a word in it, is no search of its own.
        let action = item.action.get().and_then(|action| action.kind.as_deref());
        let is_search = item.kind.as_deref() == Some("web_search_call")
            && matches!(action, None | Some("search"));
        self.searches = self.searches.saturating_add(u64::from(is_search));
    }

    // Other APIs call something else `output`.
    fn bad(&mut self) {}
}
