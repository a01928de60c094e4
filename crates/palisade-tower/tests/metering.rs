//! What every attempt used and cost, whatever became of it.

#![cfg(feature = "full")]

mod common;

use std::sync::{Arc, Mutex};

use common::{
    Ask, Reply, Step, Upstream, anthropic_stream, call, data, house, now, openai_stream, polls,
    read,
};
use http::{Extensions, Request};
use palisade_core::{ModelId, Money};
use palisade_cost::{Reading, UsageShape};
use palisade_tower::{Bill, End, MeterLayer, Metered, Route, RouteLayer, Total};
use tower_layer::Layer as _;

/// Who asked: the sink sees the extensions of the request.
#[derive(Clone)]
struct Asker(&'static str);

/// Plays one attempt, up to so many polls, and gives what the sink and the bill were told.
fn metered(reply: Reply, shape: UsageShape, polled: usize) -> (Option<Metered>, Total) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let told = Arc::clone(&told);
        move |call: &Metered, request: &Extensions| {
            assert_eq!(request.get::<Asker>().unwrap().0, "alice");
            told.lock().unwrap().push(call.clone());
        }
    };
    let meter = MeterLayer::new(house::prices(), Arc::new(sink), common::clock());
    let route = RouteLayer::new(|_: &Request<Ask>| {
        let priced_as = ModelId::new("acme", "large").unwrap();
        Ok(Route::new(
            "acme".into(),
            "large".into(),
            priced_as,
            "configured",
        ))
    });
    let service = route.layer(meter.layer(Upstream::new([reply])));
    let bill = Bill::default();
    let mut request = Request::new(Ask {
        prompt: "hi",
        shape,
    });
    request.extensions_mut().insert(bill.clone());
    request.extensions_mut().insert(Asker("alice"));
    let asking = async {
        if let Ok(response) = call(&service, request).await {
            let _ = read(response.into_body()).await;
        }
    };
    let _ = polls(asking, polled);
    let mut told = told.lock().unwrap();
    assert!(told.len() <= 1, "told once");
    (told.pop(), bill.total())
}

const ALL: usize = usize::MAX;

#[test]
fn documents_and_streams_of_both_providers_are_read_to_the_token() {
    let anthropic =
        r#"{"type":"message","model":"claude","usage":{"input_tokens":20,"output_tokens":5}}"#;
    for (reply, shape) in [
        (Reply::json(common::JSON), UsageShape::OpenAiChat),
        (
            Reply::json(&common::JSON[..50]).then(data(&common::JSON[50..])),
            UsageShape::OpenAiChat,
        ),
        (
            Reply::events(openai_stream(&["a", "b"])),
            UsageShape::OpenAiChat,
        ),
        (
            Reply::events([openai_stream(&["a"]).concat().replace('\n', "\r\n")]),
            UsageShape::OpenAiChat,
        ),
        (Reply::json(anthropic), UsageShape::AnthropicMessages),
        (
            Reply::events(anthropic_stream(&["a", "b"])),
            UsageShape::AnthropicMessages,
        ),
        (
            Reply::events(anthropic_stream(&["a"]))
                .with_header("content-type", "Text/Event-Stream"),
            UsageShape::AnthropicMessages,
        ),
    ] {
        let (told, total) = metered(reply.clone(), shape, ALL);
        let told = told.expect("the sink is told");
        assert!(
            matches!(told.usage.reading, Reading::Complete(_)),
            "{reply:?}"
        );
        assert_eq!(
            (told.end, told.attempt, told.model.model()),
            (End::Complete, 1, "large")
        );
        assert_eq!(
            told.priced.cost,
            Some(Money::from_nano_usd(25)),
            "{reply:?}"
        );
        assert_eq!(
            (total.sent, total.unknown, total.tokens.get()),
            (1, 0, 25),
            "{reply:?}"
        );
    }
}

#[test]
fn a_stream_that_is_cut_is_never_taken_for_a_complete_one() {
    for (stream, shape) in [
        (openai_stream(&["a", "b"]), UsageShape::OpenAiChat),
        (anthropic_stream(&["a", "b"]), UsageShape::AnthropicMessages),
    ] {
        let said = |events: &[String]| match shape {
            UsageShape::OpenAiChat => events.concat().contains("prompt_tokens"),
            _ => events.concat().contains("message_delta"),
        };
        for kept in 0..=stream.len() {
            for (last, end) in [
                (Some(Step::Break), End::Failed),
                (Some(Step::Hang), End::Dropped),
                (None, End::Complete),
            ] {
                let mut reply = Reply::events(&stream[..kept]);
                if let Some(last) = last {
                    reply = reply.then(last);
                }
                let (told, total) = metered(reply, shape, 20);
                let told = told.expect("the sink is told");
                assert_eq!(told.end, end);
                let known = said(&stream[..kept]);
                assert_eq!(total.unknown, u32::from(!known), "{shape:?} {kept} {end:?}");
                assert_eq!(total.tokens.get(), if known { 25 } else { 0 });
            }
        }
    }
}

#[test]
fn a_document_that_came_whole_counts_however_the_connection_ended() {
    for last in [Step::Break, Step::Hang] {
        let (told, total) = metered(
            Reply::json(common::JSON).then(last),
            UsageShape::OpenAiChat,
            20,
        );
        assert_ne!(told.unwrap().end, End::Complete);
        assert_eq!((total.unknown, total.tokens.get()), (0, 25));
    }
}

#[test]
fn what_failed_is_free_if_that_is_certain_and_unknown_if_not() {
    for (reply, unknown) in [
        (Reply::status(400), 0),
        (Reply::status(401), 0),
        (Reply::status(429), 0),
        (Reply::status(500), 0),
        (Reply::status(503), 0),
        (Reply::status(408), 1),
        (Reply::status(504), 1),
        (Reply::Refused, 0),
        (Reply::Lost, 1),
        (Reply::Hang, 1),
    ] {
        let (told, total) = metered(reply.clone(), UsageShape::OpenAiChat, 20);
        assert!(told.is_none(), "no answer, no usage");
        assert_eq!(
            (total.sent, total.unknown, total.tokens.get()),
            (1, unknown, 0),
            "{reply:?}"
        );
    }
}

#[test]
fn an_answer_too_large_to_read_is_unknown_and_passes_all_the_same() {
    let piece = vec![b' '; 1 << 20];
    let pieces = MeterLayer::DOCUMENT_BYTES_MAX / piece.len();
    let document = |pieces: usize| {
        (0..pieces).fold(Reply::json(common::JSON), |reply, _| {
            reply.then(data(&piece))
        })
    };
    let (told, total) = metered(document(pieces), UsageShape::OpenAiChat, ALL);
    assert_eq!(told.unwrap().usage.reading, Reading::Missing);
    assert_eq!(total.unknown, 1);
    let (_, total) = metered(document(pieces - 1), UsageShape::OpenAiChat, ALL);
    assert_eq!(
        (total.unknown, total.tokens.get()),
        (0, 25),
        "just as large as is read"
    );
    let endless = Reply::events((0..5).map(|_| &piece)).then(data("\n\n"));
    let (told, total) = metered(endless, UsageShape::OpenAiChat, ALL);
    assert_eq!((told.unwrap().end, total.unknown), (End::Complete, 1));
}

#[test]
fn without_a_route_an_attempt_is_sent_and_unknown() {
    let meter = MeterLayer::new(
        house::prices(),
        Arc::new(|_: &_, _: &_| panic!("nothing is priced")),
        common::clock(),
    );
    let bill = Bill::default();
    let mut request = Ask::openai("hi");
    request.extensions_mut().insert(bill.clone());
    let response = now(call(
        &meter.layer(Upstream::new([Reply::json(common::JSON)])),
        request,
    ))
    .unwrap();
    assert!(now(read(response.into_body())).1.is_ok());
    assert_eq!((bill.total().sent, bill.total().unknown), (1, 1));
}
