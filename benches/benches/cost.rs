//! What did it cost? From the counts, from the provider's body, and what the catalog costs a program that starts.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use palisade::{
    core::{ModelId, Money, Timestamp, Tokens, Usage},
    cost::{
        CallFacts, EstimateFacts, Meter, PriceBook, UsageCollector, UsageOutcome, UsageShape,
        estimate, price, price_line,
    },
};

const OPENAI: &str = r#"{"id":"chatcmpl-B2x","object":"chat.completion","created":1795132800,"model":"gpt-4o-mini-2024-07-18",
"choices":[{"index":0,"message":{"role":"assistant","content":"Three beds, two paths, and the beans go by the fence."},
"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200,
"prompt_tokens_details":{"cached_tokens":256,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#;

const ANTHROPIC_EVENTS: [&str; 4] = [
    r#"{"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[],"usage":{"input_tokens":1000,"cache_creation_input_tokens":0,"cache_read_input_tokens":256,"output_tokens":1}}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Three beds"}}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":200}}"#,
    r#"{"type":"message_stop"}"#,
];

const NOW: Timestamp = Timestamp::from_secs(1_795_132_800);

fn model(provider: &str, name: &str) -> ModelId {
    ModelId::new(provider, name).expect("a valid name")
}

fn calls(c: &mut Criterion) {
    let book = PriceBook::embedded();
    let mut group = c.benchmark_group("cost");
    let used = UsageOutcome::complete(Usage::new(Tokens::new(1_000), Tokens::new(200)));
    let mini = CallFacts::new(model("openai", "gpt-4o-mini"), NOW);
    assert_eq!(
        price(&book, &mini, &used).cost,
        Some("0.00027".parse::<Money>().expect("a number"))
    );

    group.bench_function("price", |b| {
        b.iter(|| price(&book, black_box(&mini), black_box(&used)));
    });
    let unknown = CallFacts::new(model("openai", "gpt-99-turbo"), NOW);
    group.bench_function("price_of_an_unknown_model", |b| {
        b.iter(|| price(&book, black_box(&unknown), black_box(&used)));
    });
    let most = EstimateFacts::new(Tokens::new(1_000), Tokens::new(4_096));
    group.bench_function("estimate", |b| {
        b.iter(|| estimate(&book, black_box(&mini), black_box(&most)));
    });

    group.throughput(Throughput::Bytes(OPENAI.len() as u64));
    group.bench_function("body_to_cost", |b| {
        b.iter(|| {
            let meter = Meter::new(mini.clone(), UsageShape::OpenAiChat);
            meter.response(200, black_box(OPENAI), &book)
        });
    });
    let stream: usize = ANTHROPIC_EVENTS.iter().map(|event| event.len()).sum();
    let sonnet = CallFacts::new(model("anthropic", "claude-sonnet-4-5"), NOW);
    group.throughput(Throughput::Bytes(stream as u64));
    group.bench_function("stream_to_cost", |b| {
        b.iter(|| {
            let mut collector = UsageCollector::new(UsageShape::AnthropicMessages);
            for event in ANTHROPIC_EVENTS {
                collector.push_event(black_box(event));
            }
            price(&book, &sonnet, &collector.finish())
        });
    });
    let line = format!(
        r#"{{"id":7,"request":{{"provider":"openai","api":"chat_completions","model":"gpt-4o-mini"}},"response":{OPENAI}}}"#
    );
    group.throughput(Throughput::Bytes(line.len() as u64));
    group.bench_function("line_to_answer", |b| {
        b.iter(|| price_line(&book, black_box(&line), NOW).map(|answer| answer.to_json()));
    });
    group.finish();
}

/// The embedded book is parsed once for each process; every later call is a clone.
fn catalog(c: &mut Criterion) {
    let rows = PriceBook::embedded();
    let mut group = c.benchmark_group("cost/catalog");
    group.throughput(Throughput::Elements(rows.len() as u64));
    let text = include_str!("../../crates/palisade-cost/data/prices.txt");
    group.bench_function("load", |b| b.iter(|| PriceBook::parse(black_box(text))));
    group.bench_function("embedded_again", |b| b.iter(PriceBook::embedded));
    group.finish();
}

criterion_group!(benches, calls, catalog);
criterion_main!(benches);
