//! Where tasks go, and that money is never promised twice.

use palisade_conformance::block_on;
use palisade_core::{Key, ModelId, Money, Timestamp, Tokens, Usage};
use palisade_cost::{
    Budget, BudgetState, CostLedger as _, CostStatus, InMemory, Layer, Mode, PriceBook, PriceClass,
    PriceRow, RecordId, RouteModel, RouteReason, RouteRequest, RouteVerdict, Router, Task,
    UsageRecord, Variant,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_132_800);

fn model(name: &str) -> ModelId {
    ModelId::new("house", name).unwrap()
}

/// `cheap` costs a dollar for a million tokens, `mid` ten, `strong` a hundred; `secret` has no price.
fn book() -> PriceBook {
    let rows = [("cheap", "1"), ("mid", "10"), ("strong", "100")].map(|(name, usd)| {
        PriceRow::new(model(name))
            .with_price(Variant::STANDARD, PriceClass::Input, usd.parse().unwrap())
            .and_then(|row| {
                row.with_price(Variant::STANDARD, PriceClass::Output, usd.parse().unwrap())
            })
            .unwrap()
    });
    PriceBook::empty().with_rows(rows)
}

fn router() -> Router {
    Router::new([
        RouteModel::new(model("secret"), 100),
        RouteModel::new(model("cheap"), 20),
        RouteModel::new(model("mid"), 40).with_capability("tools"),
        RouteModel::new(model("strong"), 90).with_capability("tools"),
    ])
}

fn task(text: &str) -> Task<'_> {
    Task::new(text, Tokens::new(1_000), Tokens::new(1_000))
}

const HARD: &str = "1. f(x) = 3 * x + 7;\n2. g(x) = 9;\n3. h;\n```\nfn f() {\n}\n```\nWhy? How?";

fn left(percent: i64) -> Vec<BudgetState> {
    let budget = Budget::new("all", Money::from_usd(100));
    vec![BudgetState::new(
        &budget,
        Money::from_usd(100 - percent),
        Money::ZERO,
    )]
}

fn chosen(router: &Router, request: &RouteRequest<'_>) -> Option<String> {
    let route = router.route(&book(), request);
    route.model.map(|model| model.model().to_owned())
}

#[test]
fn simple_tasks_go_to_cheap_models_and_hard_ones_to_strong_ones() {
    let budgets = left(100);
    let ask = |text| RouteRequest::new(task(text), NOW).charged_to(&budgets, Mode::Normal);
    assert_eq!(chosen(&router(), &ask("Hello")).unwrap(), "cheap");
    let hard = task(HARD).with_tools(4);
    let route = router().route(
        &book(),
        &RouteRequest::new(hard, NOW).charged_to(&budgets, Mode::Normal),
    );
    assert!(route.complexity.score > 40, "{:?}", route.complexity);
    assert_eq!(route.model, Some(model("strong")));
    assert_eq!(route.reason, RouteReason::CheapestStrongEnough);
}

#[test]
fn what_is_needed_is_had() {
    let request = RouteRequest::new(task("Hello"), NOW).needing(&["tools"]);
    assert_eq!(chosen(&router(), &request).unwrap(), "mid");
    let request = request.needing(&["tools", "wings"]);
    let route = router().route(&book(), &request);
    assert_eq!((route.model, route.reason), (None, RouteReason::NoneLeft));
    assert_eq!(
        route.candidates[1].verdict,
        RouteVerdict::Lacks("tools".to_owned())
    );
    assert_eq!(
        route.candidates[2].verdict,
        RouteVerdict::Lacks("wings".to_owned())
    );
}

#[test]
fn save_mode_takes_weaker_models_and_an_emergency_the_cheapest() {
    let hard = task(HARD).with_tools(4);
    for (percent, name) in [(100, "strong"), (20, "mid"), (5, "cheap")] {
        let budgets = left(percent);
        let request = RouteRequest::new(hard, NOW).charged_to(&budgets, Mode::Normal);
        assert_eq!(chosen(&router(), &request).unwrap(), name, "{percent} left");
    }
    // What was decided is where the next decision begins.
    let (budgets, request) = (left(33), RouteRequest::new(hard, NOW));
    let normal = router().route(&book(), &request.charged_to(&budgets, Mode::Normal));
    let saving = router().route(&book(), &request.charged_to(&budgets, Mode::Save));
    assert_eq!((normal.mode, saving.mode), (Mode::Normal, Mode::Save));
}

#[test]
fn a_model_without_a_price_is_never_taken_under_a_cap() {
    let mut free = router();
    free.allow_unpriced = true;
    let only_secret = [model("cheap"), model("mid"), model("strong")];
    let request = RouteRequest::new(task("Hello"), NOW).excluding(&only_secret);
    assert_eq!(chosen(&router(), &request), None, "it must be allowed");
    assert_eq!(chosen(&free, &request).unwrap(), "secret");
    // A known price is preferred all the same.
    assert_eq!(
        chosen(&free, &RouteRequest::new(task("Hello"), NOW)).unwrap(),
        "cheap"
    );
    let budgets = left(100);
    let capped = request.charged_to(&budgets, Mode::Normal);
    assert_eq!(chosen(&free, &capped), None);
    assert_eq!(
        chosen(&free.clone().with_request_cap(Money::MAX), &request),
        None
    );
    let route = free.route(&book(), &capped);
    assert_eq!(route.candidates[0].verdict, RouteVerdict::Unpriced);
    // A budget that is only a mark is no cap.
    let soft = [BudgetState::new(
        &Budget::new("m", Money::from_usd(1)).soft(),
        Money::ZERO,
        Money::ZERO,
    )];
    assert_eq!(
        chosen(&free, &request.charged_to(&soft, Mode::Normal)).unwrap(),
        "secret"
    );
}

#[test]
fn a_fallback_is_checked_against_what_is_left() {
    // The strong model may cost 20 cents, and there are ten.
    let budget = Budget::new("research", Money::from_usd(100));
    let spent = Money::from_usd(100)
        .checked_sub("0.1".parse().unwrap())
        .unwrap();
    let budgets = [BudgetState::new(&budget, spent, Money::ZERO)];
    let failed = [model("cheap"), model("mid")];
    let request = RouteRequest::new(task("Hello"), NOW)
        .charged_to(&budgets, Mode::Emergency)
        .excluding(&failed);
    let route = router().route(&book(), &request);
    assert_eq!(route.model, None);
    assert_eq!(route.candidates[1].verdict, RouteVerdict::Excluded);
    assert_eq!(
        route.candidates[3].verdict,
        RouteVerdict::OverBudget("research".to_owned())
    );
    assert_eq!(route.candidates[3].at_most, Some("0.2".parse().unwrap()));
}

#[test]
fn one_call_never_costs_more_than_one_may() {
    let capped = router().with_request_cap("0.02".parse().unwrap());
    let hard = RouteRequest::new(task(HARD).with_tools(4), NOW);
    let route = capped.route(&book(), &hard);
    assert_eq!(
        (route.model, route.reason),
        (Some(model("mid")), RouteReason::StrongestLeft)
    );
    assert_eq!(route.candidates[3].verdict, RouteVerdict::OverRequestCap);
}

#[test]
fn a_budget_counts_what_the_log_says_of_its_key_and_layer() {
    let log = InMemory::new(100);
    for (id, who, layer, usd) in [
        ("1", "org=acme/user=1", "answer", 3),
        ("2", "org=acme/user=2", "judge", 4),
        ("3", "org=other/user=1", "answer", 50),
    ] {
        let record = UsageRecord::new(
            RecordId::new(id).unwrap(),
            NOW,
            Key::parse(who).unwrap(),
            model("cheap"),
            Usage::default(),
        )
        .with_cost(Some(Money::from_usd(usd)), CostStatus::Priced)
        .with_layer(Layer::new(layer).unwrap());
        block_on(log.record(record)).unwrap();
    }
    let acme = Budget::new("all", Money::from_usd(10)).within(Key::parse("org=acme").unwrap());
    let state =
        |budget: &Budget| block_on(budget.state(&log, Timestamp::MIN, Timestamp::MAX)).unwrap();
    assert_eq!(state(&acme).spent, Money::from_usd(7));
    assert_eq!(state(&acme).remaining_percent(), 30);
    let judged = acme.clone().of_layer(Layer::new("judge").unwrap());
    assert_eq!(state(&judged).spent, Money::from_usd(4));
    let nobody = acme.of_layer(Layer::new("router").unwrap());
    assert_eq!(state(&nobody).spent, Money::ZERO);
}

#[cfg(feature = "serde")]
#[test]
fn a_router_is_read_from_configuration_and_a_decision_written_for_the_trace() {
    let text = r#"{"models": [{"model": MODEL, "strength": 50, "capabilities": ["tools"]}],
                   "request_cap": "0.5", "mode": {"save_below": 40}}"#;
    let id = serde_json::to_string(&model("mid")).unwrap();
    let router: Router = serde_json::from_str(&text.replace("MODEL", &id)).unwrap();
    assert_eq!(router.request_cap, Some("0.5".parse().unwrap()));
    assert_eq!(
        (router.mode.save_below, router.mode.emergency_below),
        (40, 10)
    );
    let wrong = text
        .replace("MODEL", &id)
        .replace("request_cap", "request_cup");
    assert!(serde_json::from_str::<Router>(&wrong).is_err());
    let route = router.route(&book(), &RouteRequest::new(task("Hello"), NOW));
    let json = serde_json::to_value(&route).unwrap();
    assert_eq!(json["reason"], "cheapest_strong_enough");
    assert_eq!(json["candidates"][0]["verdict"], "chosen");
    assert_eq!(json["candidates"][0]["at_most"], "0.02");
    let budget = r#"{"category": "research", "limit": "10"}"#;
    let budget: Budget = serde_json::from_str(budget).unwrap();
    assert!(budget.hard, "unless it says otherwise");
}

proptest! {
    #[test]
    fn what_is_chosen_is_allowed_and_nothing_better_was(
        spent in 0_i64..120, cap in 0_i64..300, tools in 0_u32..20, input in 0_u64..10_000,
        text in "[a-z0-9;?\n =]{0,200}", mode in 0_u8..3,
    ) {
        let budget = Budget::new("b", Money::from_nano_usd(100_000_000));
        let budgets = [BudgetState::new(&budget, Money::from_nano_usd(spent * 1_000_000), Money::ZERO)];
        let mode = [Mode::Normal, Mode::Save, Mode::Emergency][usize::from(mode)];
        let task = Task::new(&text, Tokens::new(input), Tokens::new(500)).with_tools(tools);
        let mut router = router().with_request_cap(Money::from_nano_usd(cap * 1_000_000));
        router.allow_unpriced = true;
        let route = router.route(&book(), &RouteRequest::new(task, NOW).charged_to(&budgets, mode));
        let is_chosen = |c: &&palisade_cost::RouteCandidate| c.verdict == RouteVerdict::Chosen;
        let chosen: Vec<_> = route.candidates.iter().filter(is_chosen).collect();
        prop_assert_eq!(chosen.len(), usize::from(route.model.is_some()));
        let passed = route.candidates.iter().filter(|c| c.verdict == RouteVerdict::Passed);
        match chosen.first() {
            Some(chosen) => {
                let at_most = chosen.at_most.expect("under a cap there is a price");
                prop_assert!(at_most <= budgets[0].remaining());
                prop_assert!(at_most <= Money::from_nano_usd(cap * 1_000_000));
                for other in passed {
                    let better = other.strength >= route.strength_wanted && other.at_most < chosen.at_most;
                    prop_assert!(!better || chosen.strength < route.strength_wanted);
                }
            }
            None => prop_assert_eq!(passed.count(), 0),
        }
    }
}
