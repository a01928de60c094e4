//! The catalog that comes with the crate, as a user meets it.

use palisade_core::{ModelId, Timestamp, Tokens, Usage};
use palisade_cost::{
    CallFacts, CostStatus, EstimateFacts, PriceBook, PriceClass, PriceRow, UsageOutcome, Variant,
    estimate, price,
};

const NOW: Timestamp = Timestamp::from_secs(1_795_132_800);

fn model(provider: &str, model: &str) -> ModelId {
    ModelId::new(provider, model).unwrap()
}

#[test]
fn the_embedded_catalog_is_dated_and_names_its_sources() {
    let book = PriceBook::embedded();
    assert!(book.len() > 1_000, "{}", book.len());
    assert_eq!(book.rows().count(), book.len());
    assert_eq!(book.dated().len(), "2026-11-20".len());
    assert!(
        book.sources()
            .iter()
            .all(|source| source.contains("licence"))
    );
    assert!(!book.sources().is_empty());
}

#[test]
fn every_row_is_found_under_its_own_name_and_prices_input() {
    let book = PriceBook::embedded();
    for row in book.rows() {
        let found = book.resolve(row.model().provider(), &[row.model().model()], NOW);
        let found = found.unwrap_or_else(|| panic!("{} is not found", row.model()));
        assert_eq!((found.row, found.undated), (row, false));
        let call = CallFacts::new(row.model().clone(), NOW);
        let outcome = UsageOutcome::complete(Usage::new(Tokens::new(1_000), Tokens::ZERO));
        let priced = price(&book, &call, &outcome);
        assert!(priced.cost.is_some(), "{}", row.model());
    }
}

#[test]
fn a_model_is_found_under_exact_names_only() {
    let book = PriceBook::embedded();
    let find = |provider: &str, names: &[&str]| {
        book.resolve(provider, names, NOW)
            .map(|found| (found.row.model().model().to_owned(), found.undated))
    };
    let found = |name: &str, undated| Some((name.to_owned(), undated));
    // The response's name first.
    assert_eq!(
        find("openai", &["gpt-4o-mini", "gpt-4o"]),
        found("gpt-4o-mini", false)
    );
    assert_eq!(
        find("openai", &["my-deployment", "gpt-4o"]),
        found("gpt-4o", false)
    );
    // Exact before undated, whichever of the two names it is.
    assert_eq!(
        find("openai", &["gpt-4o-2031-01-01", "gpt-4o-mini"]),
        found("gpt-4o-mini", false)
    );
    assert_eq!(
        find("openai", &["gpt-4o-2031-01-01"]),
        found("gpt-4o", true)
    );
    assert_eq!(
        find("openai", &["openai/gpt-4o-20310101"]),
        found("gpt-4o", true)
    );
    assert_eq!(
        find("gemini", &["models/gemini-2.5-pro"]),
        found("gemini-2.5-pro", false)
    );
    for name in [
        "gpt-4o-",
        "gpt-4",
        "GPT-4o",
        "gpt-4o-2031-13-01",
        "anthropic/gpt-4o",
        " gpt-4o",
        "",
    ] {
        let is_row = name == "gpt-4";
        assert_eq!(find("openai", &[name]).is_some(), is_row, "{name}");
    }
    assert_eq!(find("nobody", &["gpt-4o"]), None);
}

#[test]
fn an_override_replaces_the_rows_of_its_model_and_no_other() {
    let book = PriceBook::embedded();
    let usd = |text: &str| text.parse().unwrap();
    let row = PriceRow::new(model("openai", "gpt-4o"))
        .with_price(Variant::STANDARD, PriceClass::Input, usd("1"))
        .unwrap();
    let new = PriceRow::new(model("house", "m"))
        .with_price(Variant::STANDARD, PriceClass::Input, usd("1"))
        .unwrap();
    let ours = book.with_rows([row.clone(), new]);
    assert_eq!(ours.len(), book.len() + 1);
    assert_eq!(ours.find(row.model(), NOW), Some(&row));
    let other = model("openai", "gpt-4o-mini");
    assert_eq!(ours.find(&other, NOW), book.find(&other, NOW));
    // The book it came from is as it was.
    assert_ne!(book.find(row.model(), NOW), Some(&row));
    // What the new row does not state is unknown, not free.
    let call = CallFacts::new(model("openai", "gpt-4o"), NOW);
    let outcome = UsageOutcome::complete(Usage::new(Tokens::new(10), Tokens::new(1)));
    assert_eq!(
        price(&ours, &call, &outcome).status,
        CostStatus::UnknownModel
    );
}

#[test]
fn the_row_of_the_day_counts() {
    let day = |secs: i64| Timestamp::from_secs(secs);
    let row = |price: &str| {
        PriceRow::new(model("house", "m"))
            .with_price(Variant::STANDARD, PriceClass::Input, price.parse().unwrap())
            .unwrap()
    };
    let rows = [
        row("3").with_effective_from(day(2_000)),
        row("1"),
        row("2").with_effective_from(day(1_000)),
    ];
    let book = PriceBook::empty().with_rows(rows);
    let cost = |at: i64| {
        let call = CallFacts::new(model("house", "m"), day(at));
        let outcome = UsageOutcome::complete(Usage::new(Tokens::new(1_000_000), Tokens::ZERO));
        price(&book, &call, &outcome).cost.unwrap().to_string()
    };
    let costs = [0, 999, 1_000, 1_999, 2_000].map(cost);
    assert_eq!(costs, ["1", "1", "2", "2", "3"]);
}

#[test]
fn a_reservation_covers_the_tier_a_call_may_be_served_at() {
    let usd = |text: &str| text.parse().unwrap();
    let row = PriceRow::new(model("house", "m"))
        .with_price(Variant::STANDARD, PriceClass::Input, usd("1"))
        .and_then(|row| row.with_price(Variant::STANDARD, PriceClass::Output, usd("4")))
        .and_then(|row| row.with_price(Variant::STANDARD, PriceClass::CacheWrite1h, usd("2")))
        .and_then(|row| row.with_price(Variant::PRIORITY, PriceClass::Input, usd("2")))
        .and_then(|row| row.with_price(Variant::BATCH, PriceClass::Input, usd("0.5")))
        .and_then(|row| row.with_price(Variant::BATCH, PriceClass::Output, usd("2")))
        .unwrap()
        .with_search_prices(usd("0.01"), usd("0.02"), usd("0.03"));
    let book = PriceBook::empty().with_rows([row]);
    let facts = EstimateFacts::new(Tokens::new(1_000_000), Tokens::new(1_000_000));
    let bound = |call: CallFacts, facts: &EstimateFacts| {
        let bound = estimate(&book, &call, facts).unwrap();
        bound.map(|bound| bound.to_string())
    };
    let call = || CallFacts::new(model("house", "m"), NOW);
    assert_eq!(bound(call(), &facts).as_deref(), Some("5"));
    assert_eq!(
        bound(call().with_service_tier("auto"), &facts).as_deref(),
        Some("6")
    );
    assert_eq!(
        bound(call().with_service_tier("priority"), &facts).as_deref(),
        Some("6")
    );
    assert_eq!(bound(call().with_batch(), &facts).as_deref(), Some("2.5"));
    assert_eq!(
        bound(call(), &facts.with_hour_cache()).as_deref(),
        Some("6")
    );
    assert_eq!(
        bound(call(), &facts.with_searches(10)).as_deref(),
        Some("5.3")
    );
}
