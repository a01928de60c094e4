//! What holds for every usage, every table and every text a stranger may send.

use palisade_core::{ModelId, Money, Timestamp, Tokens, Usage};
use palisade_cost::{
    CallFacts, CostStatus, Crossing, EstimateFacts, PriceBook, PriceClass, PriceRow, UsageOutcome,
    Variant, estimate, price,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_132_800);

/// A usage whose parts fit into their wholes, with counts of up to `max` each.
fn usage(max: u64) -> impl Strategy<Value = Usage> {
    prop::array::uniform12(0..=max).prop_map(|counts| {
        let [
            text,
            read,
            short,
            hour,
            audio,
            image,
            video,
            cached_audio,
            written,
            reasoning,
            spoken,
            cited,
        ] = counts;
        let mut usage = Usage::new(
            Tokens::new(text + read + short + hour + audio + image + video + cached_audio),
            Tokens::new(written + reasoning + spoken + cited),
        );
        usage.cache_read = Tokens::new(read + cached_audio);
        usage.cache_write_5m = Tokens::new(short);
        usage.cache_write_1h = Tokens::new(hour);
        usage.input_audio = Tokens::new(audio + cached_audio);
        usage.input_image = Tokens::new(image);
        usage.input_video = Tokens::new(video);
        usage.cache_read_audio = Tokens::new(cached_audio);
        usage.reasoning = Tokens::new(reasoning);
        usage.output_audio = Tokens::new(spoken);
        usage.citation = Tokens::new(cited);
        usage
    })
}

/// A table of one model, with some prices, a variant and a tier that is dearer.
fn book() -> impl Strategy<Value = PriceBook> {
    let prices = || prop::collection::vec(prop::option::of(0_i64..100_000), PriceClass::ALL.len());
    (prices(), prices(), 0_u64..5_000, 1_i64..4).prop_map(|(standard, batch, threshold, times)| {
        let mut row = PriceRow::new(model());
        for (class, (mut standard, batch)) in PriceClass::ALL
            .into_iter()
            .zip(standard.into_iter().zip(batch))
        {
            if matches!(class, PriceClass::Input | PriceClass::Output) {
                standard = standard.or(Some(7));
            }
            // Whole micro-dollars a million tokens are whole pico-dollars a token.
            let usd = |micro: i64| Money::from_nano_usd(micro * 1_000);
            let tier = (Crossing::Above, threshold);
            for (variant, price) in [(Variant::STANDARD, standard), (Variant::BATCH, batch)] {
                let Some(price) = price else { continue };
                row = row
                    .with_price(variant.clone(), class, usd(price))
                    .and_then(|row| row.with_tier_price(tier, variant, class, usd(price * times)))
                    .unwrap();
            }
        }
        PriceBook::empty().with_rows([row])
    })
}

fn model() -> ModelId {
    ModelId::new("house", "model").unwrap()
}

fn call(batch: bool) -> CallFacts {
    let call = CallFacts::new(model(), NOW);
    if batch { call.with_batch() } else { call }
}

proptest! {
    #[test]
    fn the_parts_of_a_bill_add_up_to_the_cost_exactly(
        book in book(), usage in usage(10_000), batch: bool,
    ) {
        let priced = price(&book, &call(batch), &UsageOutcome::complete(usage));
        let sum = Money::checked_sum(priced.breakdown.iter().map(|(_, amount)| amount)).unwrap();
        prop_assert_eq!(priced.cost, Some(sum));
        let booked = priced.booked().unwrap();
        prop_assert!(booked >= sum);
        prop_assert!(booked.checked_sub(sum).unwrap() < Money::from_nano_usd(1));
    }

    #[test]
    fn the_same_call_many_times_costs_exactly_as_many_times_as_much(
        book in book(), usage in usage(1_000), times in 1_u64..10_000_000,
    ) {
        let one = price(&book, &call(false), &UsageOutcome::complete(usage)).cost.unwrap();
        let total = one.checked_mul(times).unwrap();
        prop_assert_eq!(total.as_pico_usd(), one.as_pico_usd() * i128::from(times));
    }

    #[test]
    fn one_token_more_never_costs_less(
        book in book(), usage in usage(3_000), batch: bool, of_input: bool,
    ) {
        let mut more = usage;
        let count = if of_input { &mut more.input } else { &mut more.output };
        *count = Tokens::new(count.get() + 1);
        let cost = |usage| price(&book, &call(batch), &UsageOutcome::complete(usage)).cost;
        prop_assert!(cost(more) >= cost(usage));
    }

    #[test]
    fn an_estimate_is_never_less_than_the_cost(
        book in book(), usage in usage(3_000), batch: bool, beyond in 0_u64..100,
    ) {
        let facts = EstimateFacts::new(
            Tokens::new(usage.input.get() + beyond),
            Tokens::new(usage.output.get() + beyond),
        );
        let facts = facts.with_hour_cache().with_audio().with_images();
        let bound = estimate(&book, &call(batch), &facts).unwrap();
        prop_assert!(bound >= price(&book, &call(batch), &UsageOutcome::complete(usage)).cost);
    }

    #[test]
    fn a_part_larger_than_its_whole_is_invalid_and_has_no_cost(
        book in book(), usage in usage(100), part in 0_usize..8, excess in 1_u64..100,
    ) {
        let mut wrong = usage;
        let (part, whole) = match part {
            0 => (&mut wrong.cache_read, usage.input),
            1 => (&mut wrong.cache_write_5m, usage.input),
            2 => (&mut wrong.cache_write_1h, usage.input),
            3 => (&mut wrong.input_audio, usage.input),
            4 => (&mut wrong.input_image, usage.input),
            5 => (&mut wrong.reasoning, usage.output),
            6 => (&mut wrong.output_audio, usage.output),
            _ => (&mut wrong.cache_read_audio, usage.cache_read),
        };
        *part = Tokens::new(whole.get() + excess);
        let priced = price(&book, &call(false), &UsageOutcome::complete(wrong));
        prop_assert_eq!(priced.status, CostStatus::InvalidUsage);
        prop_assert_eq!(priced.cost, None);
    }

    #[test]
    fn a_model_that_is_not_in_the_table_never_costs_nothing(
        name in "[a-z0-9./:@-]{1,40}", usage in usage(1_000),
    ) {
        let book = PriceBook::embedded();
        let model = ModelId::new("openai", &format!("no-such-model-{name}")).unwrap();
        let outcome = UsageOutcome::complete(usage);
        let priced = price(&book, &CallFacts::new(model.clone(), NOW), &outcome);
        prop_assert_eq!(priced.status, CostStatus::UnknownModel);
        prop_assert_eq!((priced.cost, priced.known_part), (None, None));
        prop_assert!(priced.settles_at(Money::from_usd(3)) == Money::from_usd(3));
        let facts = EstimateFacts::new(usage.input, usage.output);
        prop_assert_eq!(estimate(&book, &CallFacts::new(model, NOW), &facts), Ok(None));
    }

    #[test]
    fn a_catalog_that_is_none_is_refused_and_never_panics(
        text in "(palisade-prices 1\n)?(\\[[a-z]{0,3}\\]\n)?[ -~é\n]{0,80}",
    ) {
        let _read_or_refused = PriceBook::parse(&text);
    }

    #[test]
    fn names_of_any_kind_are_looked_up_without_panic(provider in "\\PC{0,20}", name in "\\PC{0,60}") {
        let _found = PriceBook::embedded().resolve(&provider, &[&name], NOW);
    }
}

#[cfg(feature = "json")]
mod json {
    use palisade_cost::{Reading, UsageCollector, UsageShape, price_line, read_usage};
    use serde_json::{Value, json};

    use super::*;

    const SHAPES: [UsageShape; 10] = [
        UsageShape::OpenAiChat,
        UsageShape::OpenAiResponses,
        UsageShape::Embeddings,
        UsageShape::AnthropicMessages,
        UsageShape::Gemini,
        UsageShape::BedrockConverse,
        UsageShape::Cohere,
        UsageShape::XAiChat,
        UsageShape::Perplexity,
        UsageShape::OpenRouter,
    ];

    /// JSON of any kind, with keys that mean something somewhere.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (0_u64..100).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-z_]{0,8}".prop_map(Value::from),
            Just(json!("message_stop")),
            Just(json!("AUDIO")),
        ];
        let key = prop::sample::select(vec![
            "usage",
            "usageMetadata",
            "message",
            "response",
            "delta",
            "metadata",
            "meta",
            "billed_units",
            "choices",
            "candidates",
            "model",
            "type",
            "service_tier",
            "prompt_tokens",
            "completion_tokens",
            "total_tokens",
            "input_tokens",
            "output_tokens",
            "prompt_tokens_details",
            "output_tokens_details",
            "cached_tokens",
            "reasoning_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "cache_creation",
            "ephemeral_1h_input_tokens",
            "promptTokenCount",
            "thoughtsTokenCount",
            "totalTokenCount",
            "promptTokensDetails",
            "tokenCount",
            "modality",
            "inputTokens",
            "outputTokens",
            "cacheWriteInputTokens",
            "cacheDetails",
            "ttl",
            "cost",
            "total_cost",
            "citation_tokens",
            "search_units",
            "finish_reason",
            "stop_reason",
            "error",
        ]);
        leaf.prop_recursive(5, 60, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_a_provider_sends_the_cost_is_known_only_if_the_status_says_so(
            events in prop::collection::vec(value(), 1..5), shape in prop::sample::select(&SHAPES),
        ) {
            let book = PriceBook::embedded();
            let call = CallFacts::new(ModelId::new("openai", "gpt-4o").unwrap(), NOW);
            let mut collector = UsageCollector::new(shape);
            for event in &events {
                collector.push_event(&event.to_string());
            }
            for outcome in [collector.finish(), read_usage(shape, &events[0].to_string())] {
                let priced = price(&book, &call, &outcome);
                prop_assert_eq!(priced.cost.is_some(), priced.status.is_known());
                prop_assert!(priced.cost.is_none_or(|cost| !cost.is_negative()));
                prop_assert!(priced.status != CostStatus::NotBilled);
            }
        }

        #[test]
        fn any_text_at_all_is_an_event_a_response_and_a_line(
            text in "[{}\\[\\]\":,a-z0-9é.\\\\-]{0,60}", shape in prop::sample::select(&SHAPES),
        ) {
            let mut collector = UsageCollector::new(shape);
            collector.push_event(&text);
            let _outcome = collector.finish();
            let _outcome = read_usage(shape, &text);
            let _answer = price_line(&PriceBook::empty(), &text, NOW);
        }

        #[test]
        fn an_odd_call_gives_an_answer_that_is_json(
            response in value(), batch: bool, status in prop::option::of(0_u16..700), shape in 0_usize..6,
        ) {
            let api = ["chat_completions", "responses", "messages", "generate_content", "converse", "x"];
            let line = json!({
                "id": {"any": ["thing"]},
                "request": {"provider": "openai", "api": api[shape], "model": "gpt-4o", "batch": batch},
                "response": response, "http_status": status,
            });
            let answer = price_line(&PriceBook::embedded(), &line.to_string(), NOW).unwrap();
            let answer: Value = serde_json::from_str(&answer.to_json()).unwrap();
            prop_assert_eq!(&answer["id"], &line["id"]);
            prop_assert_eq!(answer["cost_usd"].is_null(), answer["cost_nano_usd"].is_null());
        }

        #[test]
        fn a_message_that_is_cut_anywhere_before_its_end_is_never_priced_in_full(
            outputs in prop::collection::vec(0_u64..1_000, 1..5), cut in 0_usize..8,
        ) {
            let mut events = vec![json!({"type": "message_start", "message": {
                "model": "claude-sonnet-4-6", "usage": {"input_tokens": 25, "output_tokens": 1}}})];
            events.extend(outputs.iter().map(|output| json!({
                "type": "message_delta", "delta": {"stop_reason": null}, "usage": {"output_tokens": output}})));
            let open = events.len();
            events.push(json!({"type": "message_stop"}));
            let cut = cut.min(events.len());
            let mut collector = UsageCollector::anthropic();
            for event in &events[..cut] {
                collector.push_event(&event.to_string());
            }
            match collector.finish().reading {
                Reading::Missing => prop_assert_eq!(cut, 0),
                Reading::Partial(counts) => {
                    prop_assert!(cut <= open);
                    prop_assert_eq!(counts.output, cut > 1);
                }
                Reading::Complete(counts) => {
                    prop_assert_eq!(cut, open + 1);
                    prop_assert_eq!(Some(counts.usage.output.get()), outputs.last().copied());
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
