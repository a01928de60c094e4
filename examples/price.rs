//! What a call may cost, what it did cost, and who has spent how much on which model.
//!
//! `cargo run -p palisade-examples --example price`

use std::error::Error;

use palisade::{
    core::{Key, ModelId, Timestamp, Tokens, Usage},
    cost::{
        CallFacts, CostLedger as _, CostStatus, EstimateFacts, GroupBy, InMemory, Layer, Meter,
        PriceBook, RecordId, ReportQuery, UsageOutcome, UsageShape, estimate, price,
    },
};

/// Answers as the providers send them: each counts cached tokens in a way of its own.
const OPENAI: &str = r#"{"model": "gpt-4o-mini-2024-07-18", "usage": {"prompt_tokens": 1000,
    "completion_tokens": 200, "prompt_tokens_details": {"cached_tokens": 400}}}"#;
const ANTHROPIC: &str = r#"{"model": "claude-sonnet-4-5-20250929", "usage": {"input_tokens": 600,
    "cache_read_input_tokens": 400, "output_tokens": 200}}"#;

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let book = PriceBook::embedded();
    println!("{} prices, as of {}", book.len(), book.dated());
    let now = Timestamp::from_secs(1_795_132_800);
    let mini = CallFacts::new(ModelId::new("openai", "gpt-4o-mini")?, now);

    // Before the call: the most it can cost, to reserve.
    let most = EstimateFacts::new(Tokens::new(1_000), Tokens::new(4_096));
    let reserved = estimate(&book, &mini, &most)?.ok_or("the model has a price")?;
    println!("at most {reserved} USD");

    // After it: exactly what it did cost.
    let used = UsageOutcome::complete(Usage::new(Tokens::new(1_000), Tokens::new(200)));
    let priced = price(&book, &mini, &used);
    println!("{} USD", priced.cost.ok_or("the model has a price")?);
    assert_eq!(priced.cost, Some("0.00027".parse()?));

    // A model nobody has a price for is not free: the cost is unknown, and the reservation is kept.
    let unknown = CallFacts::new(ModelId::new("openai", "gpt-99-turbo")?, now);
    let priced = price(&book, &unknown, &used);
    assert_eq!(
        (priced.status, priced.cost),
        (CostStatus::UnknownModel, None)
    );
    assert_eq!(priced.settles_at(reserved), reserved);

    // From what the providers sent, into the usage log.
    let log = InMemory::new(10_000);
    let sonnet = CallFacts::new(ModelId::new("anthropic", "claude-sonnet-4-5")?, now);
    let calls = [
        (
            "request-1#1",
            mini,
            UsageShape::OpenAiChat,
            OPENAI,
            "org=acme/user=alice",
        ),
        (
            "request-2#1",
            sonnet,
            UsageShape::AnthropicMessages,
            ANTHROPIC,
            "org=acme/user=bob",
        ),
    ];
    for (id, call, shape, body, subject) in calls {
        let cost = Meter::new(call, shape).response(200, body, &book);
        let priced = &cost.priced;
        let exact = priced
            .cost
            .map_or("unknown".to_owned(), |cost| cost.to_string());
        println!("{}: {exact} USD, {:?}", cost.model(), priced.status);
        let record = cost.record(
            RecordId::new(id)?,
            now,
            Key::parse(subject)?,
            Layer::default(),
        );
        log.record(record.clone()).await?;
        // Told twice, counted once.
        log.record(record).await?;
    }
    let day = ReportQuery::new(Timestamp::UNIX_EPOCH, Timestamp::MAX, GroupBy::Model);
    let report = log
        .report(day.with_within(Key::parse("org=acme")?)?)
        .await?;
    for row in &report.rows {
        println!(
            "{}: {} call, {} USD",
            row.group, row.totals.calls, row.totals.cost
        );
    }
    println!(
        "acme: {} calls, {} USD",
        report.total.calls, report.total.cost
    );
    assert_eq!(report.total.calls, 2);
    assert_eq!(report.total.calls_of_unknown_cost, 0);
    Ok(())
}
