use std::sync::LazyLock;

use palisade_core::Timestamp;
use palisade_cost::{CostStatus, PriceBook, price_line};

pub(super) const PIECES: &[&str] = &[
    r#"{"id":1,"request":{"provider":"openai","api":"chat_completions","model":"gpt-4o"},"#,
    r#"{"request":{"provider":"anthropic","api":"messages","model":"claude-sonnet-4-5"},"#,
    r#"{"request":{"provider":"gcp.gemini","api":"generate_content","model":"gemini-2.5-pro"},"#,
    r#"{"request":{"provider":"aws.bedrock","api":"converse","model":"anthropic.claude-3-haiku-20240307-v1:0"},"#,
    r#"{"request":{"provider":"x_ai","api":"chat_completions","model":"grok-4","batch":true},"#,
    r#"{"request":{"provider":"cohere","api":"chat_v2","model":"command-r"},"#,
    r#""response":{"usage":{"#,
    r#""response":{"usageMetadata":{"#,
    r#""stream_events":[{"usage":{"#,
    r#""stream_events":["{\"usage\":null}",{"type":"message_start","message":{"usage":{"#,
    r#""prompt_tokens":"#,
    r#""completion_tokens":"#,
    r#""input_tokens":"#,
    r#""output_tokens":"#,
    r#""promptTokenCount":"#,
    r#""candidatesTokenCount":"#,
    r#""thoughtsTokenCount":"#,
    r#""inputTokens":"#,
    r#""outputTokens":"#,
    r#""cache_read_input_tokens":"#,
    r#""prompt_tokens_details":{"cached_tokens":"#,
    r#""total_tokens":"#,
    r#""cost_in_usd_ticks":"#,
    r#""http_status":500,"#,
    r#""price_rows":[{"provider":"openai","model":"gpt-4o"}],"#,
    "0",
    "7",
    "1000",
    "-1",
    "1.5",
    "1e3",
    "18446744073709551615",
    "18446744073709551616",
    "null",
    "\"9\"",
    ",",
    "}}",
    "}}}",
    "}}]}",
    "}",
    "]",
];

static BOOK: LazyLock<PriceBook> = LazyLock::new(PriceBook::embedded);

/// Whatever a provider sends gets an answer that is JSON. Money is never negative, and it is there exactly if the status
/// says so.
pub fn usage(data: &[u8]) {
    let Ok(line) = str::from_utf8(data) else {
        return;
    };
    let Ok(answer) = price_line(&BOOK, line, Timestamp::from_secs(1_795_000_000)) else {
        return;
    };
    let priced = &answer.priced;
    assert!(priced.cost.is_none_or(|cost| !cost.is_negative()));
    assert!(priced.known_part.is_none_or(|cost| !cost.is_negative()));
    let is_unknown = matches!(
        priced.status,
        CostStatus::UsageMissing
            | CostStatus::UsagePartial
            | CostStatus::InvalidUsage
            | CostStatus::UnknownModel
    );
    assert!(!is_unknown || priced.cost.is_none(), "{answer:?}");
    if let (Some(cost), Some(booked)) = (priced.cost, priced.booked()) {
        assert!(booked >= cost);
    }
    let json: Result<serde_json::Value, _> = serde_json::from_str(&answer.to_json());
    assert!(
        json.is_ok_and(|json| json["status"].is_string()),
        "{answer:?}"
    );
}
