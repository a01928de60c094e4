//! A table takes the place of another: what moved, what is refused, and which prices a call of last month has.

use palisade_core::{ModelId, Money, Timestamp, Tokens, Usage};
use palisade_cost::{
    CallFacts, Crossing, PriceBook, PriceClass, PriceRow, SharedPrices, UsageOutcome, Variant,
    price,
};

fn model(name: &str) -> ModelId {
    ModelId::new("openai", name).unwrap()
}

/// A row with one price of input, in dollars for a million tokens.
fn row(name: &str, usd: &str) -> PriceRow {
    PriceRow::new(model(name))
        .with_price(Variant::STANDARD, PriceClass::Input, usd.parse().unwrap())
        .unwrap()
}

fn book(rows: impl IntoIterator<Item = PriceRow>) -> PriceBook {
    PriceBook::empty().with_rows(rows)
}

fn cost(book: &PriceBook, name: &str, at: i64) -> Option<Money> {
    let call = CallFacts::new(model(name), Timestamp::from_secs(at));
    let usage = Usage::new(Tokens::new(1_000_000), Tokens::ZERO);
    price(book, &call, &UsageOutcome::complete(usage)).cost
}

#[test]
fn a_price_may_move_by_five_times_and_no_further() {
    let old = book([row("m", "2")]);
    for (usd, accepted) in [
        ("2", true),
        ("10", true),
        ("10.000001", false),
        ("0.4", true),
        ("0.399999", false),
        ("0", false),
        ("18000000", false),
    ] {
        assert_eq!(
            old.succeed_by(book([row("m", usd)])).is_ok(),
            accepted,
            "{usd}"
        );
    }
    let free = book([row("m", "0")]);
    assert!(free.succeed_by(book([row("m", "0")])).is_ok());
    assert!(
        free.succeed_by(book([row("m", "0.000001")])).is_err(),
        "it was free"
    );
}

#[test]
fn every_kind_of_price_is_guarded() {
    let usd = |text: &str| text.parse::<Money>().unwrap();
    let with = |tier: &str, batch: &str, search: &str, query: &str, request: &str| {
        row("m", "1")
            .with_price(Variant::BATCH, PriceClass::Output, usd(batch))
            .unwrap()
            .with_tier_price(
                (Crossing::From, 200_000),
                Variant::STANDARD,
                PriceClass::Input,
                usd(tier),
            )
            .unwrap()
            .with_search_prices(usd("0.01"), usd(search), usd("0.03"))
            .with_query_price(usd(query))
            .with_request_price(usd(request))
    };
    let old = book([with("2", "3", "0.02", "0.001", "0.005")]);
    for (new, name) in [
        (
            with("11", "3", "0.02", "0.001", "0.005"),
            ">=200000 standard.input",
        ),
        (with("2", "0", "0.02", "0.001", "0.005"), "batch.output"),
        (with("2", "3", "0.2", "0.001", "0.005"), "search.medium"),
        (with("2", "3", "0.02", "0.0001", "0.005"), "query"),
        (with("2", "3", "0.02", "0.001", "0"), "request"),
    ] {
        let refused = old.succeed_by(book([new])).unwrap_err();
        assert_eq!(refused.changes.len(), 1);
        assert_eq!(refused.changes[0].price, name);
        assert!(refused.to_string().contains(name), "{refused}");
    }
}

#[test]
fn what_is_new_gone_or_newly_unknown_is_told_and_not_refused() {
    let old = book([row("stays", "1"), row("goes", "1")]);
    let bare = PriceRow::new(model("stays"));
    let new = book([bare, row("comes", "900")]);
    let changes = old.changes_to(&new);
    assert_eq!(changes.added, [model("comes")]);
    assert_eq!(changes.removed, [model("goes")]);
    assert_eq!(changes.moved.len(), 1);
    assert_eq!(changes.moved[0].after, None);
    assert!(old.succeed_by(new).is_ok());
    assert!(old.changes_to(&old).is_empty());
}

#[test]
fn a_call_of_last_month_keeps_last_months_price() {
    let old = book([row("m", "2"), row("retired", "7"), row("same", "4")]);
    let new = book([row("m", "3"), row("fresh", "5"), row("same", "4")]);
    let both = old.followed_by(&new, Timestamp::from_secs(1_000));
    for (name, at, usd) in [
        ("m", 999, Some(2)),
        ("m", 1_000, Some(3)),
        ("retired", 2_000, Some(7)),
        ("fresh", 5, Some(5)),
        ("same", 5, Some(4)),
        ("same", 2_000, Some(4)),
        ("nobody", 5, None),
    ] {
        assert_eq!(
            cost(&both, name, at),
            usd.map(Money::from_usd),
            "{name} at {at}"
        );
    }
    assert_eq!(both.len(), 5, "an unchanged price makes no new row");
}

#[test]
fn a_third_table_does_not_touch_what_the_first_two_said() {
    let at = Timestamp::from_secs;
    let three = book([row("m", "2")])
        .followed_by(&book([row("m", "3")]), at(1_000))
        .followed_by(&book([row("m", "2")]), at(2_000));
    for (when, usd) in [(0, 2), (1_000, 3), (1_999, 3), (2_000, 2)] {
        assert_eq!(
            cost(&three, "m", when),
            Some(Money::from_usd(usd)),
            "{when}"
        );
    }
}

#[test]
fn announced_prices_keep_their_own_day() {
    let at = Timestamp::from_secs;
    let new = book([row("m", "3"), row("m", "4").with_effective_from(at(5_000))]);
    let both = book([row("m", "2")]).followed_by(&new, at(1_000));
    for (when, usd) in [(999, 2), (1_000, 3), (4_999, 3), (5_000, 4)] {
        assert_eq!(cost(&both, "m", when), Some(Money::from_usd(usd)), "{when}");
    }
    // A row that began long ago is not taken back to before this book.
    let old_news = book([row("m", "3").with_effective_from(at(10))]);
    let both = book([row("m", "2")]).followed_by(&old_news, at(1_000));
    assert_eq!(cost(&both, "m", 500), Some(Money::from_usd(2)));
    assert_eq!(cost(&both, "m", 1_000), Some(Money::from_usd(3)));
}

#[test]
fn a_refused_book_changes_nothing_and_a_confirmed_one_is_seen_by_all() {
    let prices = SharedPrices::new(book([row("m", "1")]));
    let mut reader = prices.reader();
    assert!(prices.swap(book([row("m", "100")])).is_err());
    assert_eq!(cost(reader.book(), "m", 0), Some(Money::from_usd(1)));
    let before = reader.book().clone();
    prices.clone().swap_confirmed(book([row("m", "100")]));
    assert_eq!(cost(reader.book(), "m", 0), Some(Money::from_usd(100)));
    assert_eq!(cost(&prices.book(), "m", 0), Some(Money::from_usd(100)));
    // Who began with the old book ends with it.
    assert_eq!(cost(&before, "m", 0), Some(Money::from_usd(1)));
}

#[test]
fn readers_see_whole_books_while_they_are_swapped() {
    let both = |usd: &str| book([row("a", usd), row("b", usd)]);
    let prices = SharedPrices::new(both("1"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut reader = prices.reader();
            scope.spawn(move || {
                for _ in 0..20_000 {
                    let book = reader.book();
                    assert_eq!(cost(book, "a", 0), cost(book, "b", 0));
                }
            });
        }
        for round in 0..500 {
            let usd = if round % 2 == 0 { "2" } else { "1" };
            prices.swap(both(usd)).unwrap();
        }
    });
}
