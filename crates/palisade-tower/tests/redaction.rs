//! What must not leave does not leave, however the answer is cut, and everything else does.

#![cfg(feature = "full")]

mod common;

use common::{
    Ask, Reply, Step, Upstream, anthropic_stream, call, data, now, openai_stream, read,
    redact::{CARD, KEY, MAIL, answer, clean, layer, letters, refs},
    text_of,
};
use http::header;
use http_body::Body as _;
use palisade_tower::{Reason, Rejection, TraceLayer, WithoutUsage, find};
use palisade_trace::{GuardDecision, Recorder, StepKind};
use serde_json::{Value, json};
use tower_layer::Layer as _;

/// The events of a stream, as their data.
fn events(stream: &str) -> Vec<Value> {
    let data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap_or_else(|error| panic!("{data}: {error}")))
        .collect()
}

// --- documents ------------------------------------------------------------------------------------------------------

#[test]
fn a_document_loses_its_secrets_and_stays_the_document_it_was() {
    let document = json!({
        "id": "c", "created": 7, "choices": [{"index": 0, "message": {"role": "assistant",
            "content": format!("key \"{KEY}\"\nand {MAIL} 😀"),
            "tool_calls": [{"id": "t", "type": "function", "function": {"name": "f",
                "arguments": format!("{{\"to\":\"{MAIL}\",\"card\":{CARD},\"n\":1}}")}}]},
            "logprobs": {"content": [{"token": "ghp_"}]}, "finish_reason": "stop"}],
        "usage": {"total_tokens": 3}
    });
    let text = clean(Reply::json(document.to_string()));
    let cleaned: Value = serde_json::from_str(&text).unwrap();
    let message = &cleaned["choices"][0]["message"];
    assert_eq!(
        message["content"],
        "key \"[REDACTED:github_pat]\"\nand [REDACTED:email] 😀"
    );
    let arguments = message["tool_calls"][0]["function"]["arguments"]
        .as_str()
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(arguments).expect("arguments stay JSON"),
        json!({"to": "[REDACTED:email]", "card": "[REDACTED:credit_card]", "n": 1})
    );
    assert_eq!(
        cleaned["choices"][0]["logprobs"],
        Value::Null,
        "it would spell the secret out"
    );
    for unchanged in ["id", "created", "usage"] {
        assert_eq!(cleaned[unchanged], document[unchanged]);
    }
}

#[test]
fn what_a_tool_is_called_with_is_judged_whatever_its_members_are_called() {
    let document = json!({"type": "message", "content": [{"type": "tool_use", "id": "t", "name": "f", "input":
        {"id": MAIL, "status": [KEY], MAIL: 1, "card": CARD.parse::<u64>().unwrap(), "password": "hunter2hunter", "n": 1}}]});
    let text = clean(Reply::json(document.to_string()));
    for secret in [KEY, MAIL, CARD, "hunter2hunter"] {
        assert!(!text.contains(secret), "{text}");
    }
    let cleaned: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(cleaned["content"][0]["input"]["n"], 1);
}

#[test]
fn a_clean_document_is_not_touched_by_a_byte() {
    for document in [
        "{ \"b\" : 1.10, \"a\":\"\\u00e9\\/\", \"logprobs\":[{\"token\":\"x\"}] }",
        "[]",
        "plain",
        "",
    ] {
        assert_eq!(clean(Reply::json(document)), document);
    }
}

#[test]
fn a_document_that_is_none_is_judged_as_a_text() {
    assert_eq!(
        clean(Reply::json(format!("{{\"a\":\"{MAIL}"))),
        "{\"a\":\"[REDACTED:email]"
    );
    let text = clean(Reply::json(format!("{{\"a\":\"{MAIL} \\ud83d\"}}")));
    assert_eq!(text, "{\"a\":\"[REDACTED:email] \u{fffd}\"}");
}

#[test]
fn a_document_too_large_to_judge_or_broken_off_does_not_leave() {
    let rejected = |reply: Reply, max: usize| {
        let service = layer()
            .with_document_bytes_max(max)
            .layer(Upstream::new([reply]));
        let error = now(call(&service, Ask::openai("hi"))).err().unwrap();
        find::<Rejection>(&*error).unwrap().reason()
    };
    let pieces = || Reply::json("\"abc").then(data("de\""));
    let service = layer()
        .with_document_bytes_max(7)
        .layer(Upstream::new([pieces()]));
    assert!(
        now(call(&service, Ask::openai("hi"))).is_ok(),
        "as large as allowed"
    );
    assert_eq!(rejected(pieces(), 6), Reason::UpstreamUnavailable);
    assert_eq!(
        rejected(pieces().then(Step::Break), 100),
        Reason::UpstreamUnavailable
    );
}

#[test]
fn fields_that_told_of_the_old_body_are_gone_and_the_others_are_not() {
    let reply = Reply::json(format!("\"{MAIL}\""))
        .with_header("content-length", "22")
        .with_header("etag", "\"x\"")
        .with_header("content-digest", "sha-256=:x:")
        .with_header("x-request-id", "r");
    let response = answer(reply).unwrap();
    let fields: Vec<_> = response
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    assert_eq!(fields.len(), 2, "{fields:?}");
    assert_eq!(response.headers()["x-request-id"], "r");
    assert_eq!(
        response.body().size_hint().exact(),
        Some("\"[REDACTED:email]\"".len() as u64)
    );
}

#[test]
fn what_is_compressed_cannot_be_judged_and_is_refused() {
    let reply = || Reply::json("{}");
    for encoding in ["gzip", "br", "identity, zstd"] {
        let error = answer(reply().with_header("content-encoding", encoding))
            .err()
            .unwrap();
        assert_eq!(
            find::<Rejection>(&*error).unwrap().reason(),
            Reason::UpstreamUnavailable,
            "{encoding}"
        );
    }
    assert!(answer(reply().with_header("content-encoding", "Identity")).is_ok());

    // The client's wish is not passed on.
    let upstream = Upstream::new([reply()]);
    let mut request = Ask::openai("hi");
    request.headers_mut().insert(
        header::ACCEPT_ENCODING,
        header::HeaderValue::from_static("gzip, br"),
    );
    now(call(&layer().layer(upstream.clone()), request)).unwrap();
    assert_eq!(
        upstream.seen.lock().unwrap()[0].headers[header::ACCEPT_ENCODING],
        "identity"
    );
}

#[test]
fn only_what_is_certainly_no_text_passes_unjudged() {
    let of = |kind: &'static str| clean(Reply::json(MAIL).with_header("content-type", kind));
    for kind in ["image/png", "audio/mpeg", "application/pdf"] {
        assert_eq!(of(kind), MAIL, "{kind}");
    }
    for kind in [
        "text/plain",
        "TEXT/HTML; charset=utf-8",
        "application/octet-stream",
        "application/jsonl",
        "nonsense",
    ] {
        assert_eq!(of(kind), "[REDACTED:email]", "{kind}");
    }
    // A text in pieces, a character and a secret cut.
    let text = format!("é {MAIL}").into_bytes();
    for at in 0..text.len() {
        let Reply::Answer(status, _, _) = Reply::json("") else {
            unreachable!()
        };
        let plain = common::headers(&[("content-type", "text/plain")]);
        let reply = Reply::Answer(status, plain, vec![data(&text[..at]), data(&text[at..])]);
        assert_eq!(clean(reply), "é [REDACTED:email]", "cut at {at}");
    }
}

// --- streams --------------------------------------------------------------------------------------------------------

#[test]
fn a_secret_spread_over_the_events_of_a_stream_is_found() {
    let text = format!("Take {KEY}, or write to {MAIL}.");
    let expected = "Take [REDACTED:github_pat], or write to [REDACTED:email].";
    for stream in [
        openai_stream(&refs(&letters(&text))),
        anthropic_stream(&refs(&letters(&text))),
    ] {
        let cleaned = clean(Reply::events(&stream));
        assert_eq!(text_of(cleaned.as_bytes()), expected);
        assert!(!cleaned.contains(MAIL) && !cleaned.contains(KEY));
    }
}

#[test]
fn chunked_is_whole_at_every_byte_of_the_upstreams_stream() {
    let deltas = ["Mail jane", ".doe@exam", "ple.com \"", "😀\\n", " now"];
    for line_end in ["\n", "\r\n", "\r"] {
        for stream in [openai_stream(&deltas), anthropic_stream(&deltas)] {
            let stream = stream.concat().replace('\n', line_end);
            let whole = clean(Reply::events([&stream]));
            assert_eq!(
                text_of(whole.as_bytes()),
                "Mail [REDACTED:email] \"😀\\n now",
                "{stream:?}"
            );
            for at in 0..=stream.len() {
                let (left, right) = stream.as_bytes().split_at(at);
                assert_eq!(clean(Reply::events([left, right])), whole, "cut at {at}");
            }
        }
    }
}

#[test]
fn a_clean_stream_is_the_stream_byte_for_byte_where_nothing_was_held() {
    let stream = ": hello\n\nretry: 10\n\nid: 1\nevent: x\ndata: {\"id\" : 1}\n\nevent: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\ndata: [DONE]\n\n";
    assert_eq!(clean(Reply::events([stream])), stream);
}

#[test]
fn held_text_goes_out_before_the_event_that_ends_it() {
    // Nothing follows a word that might be the beginning of an address: it is held until something ends it.
    let word = |event: &str| event.find("jane").expect("the word");
    let openai = clean(Reply::events(openai_stream(&["jane"])));
    assert!(word(&openai) < openai.find("\"stop\"").unwrap(), "{openai}");
    let anthropic = clean(Reply::events(anthropic_stream(&["jane"])));
    assert!(
        word(&anthropic) < anthropic.find("content_block_stop").unwrap(),
        "{anthropic}"
    );
    assert!(anthropic.contains("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"jane\"}}\n\n"));
    // No reason to finish is given: [DONE], or the end alone.
    let chunk = common::chunk("jane");
    let done = clean(Reply::events([chunk.as_str(), "data: [DONE]\n\n"]));
    assert!(word(&done) < done.find("[DONE]").unwrap(), "{done}");
    assert_eq!(text_of(clean(Reply::events([&chunk])).as_bytes()), "jane");
    // Broken off by its end in the middle of an event.
    for cut in 1..=2 {
        let cleaned = clean(Reply::events([&chunk[..chunk.len() - cut]]));
        assert_eq!(text_of(cleaned.as_bytes()), "jane", "{cleaned:?}");
        assert!(cleaned.ends_with("\n\n"));
    }
}

#[test]
fn an_event_that_ends_a_text_may_carry_the_last_of_it() {
    let last =
        json!({"choices": [{"index": 0, "delta": {"content": "world"}, "finish_reason": "stop"}]});
    let stream = format!(
        "{}data: {last}\n\ndata: [DONE]\n\n",
        common::chunk("hello ")
    );
    assert_eq!(
        text_of(clean(Reply::events([stream])).as_bytes()),
        "hello world"
    );
    let whole = json!({"choices": [{"index": 0, "delta": {"content": format!("to {MAIL}")}, "finish_reason": "stop"}]});
    let cleaned = clean(Reply::events([format!("data: {whole}\n\n")]));
    assert_eq!(text_of(cleaned.as_bytes()), "to [REDACTED:email]");
}

#[test]
fn every_text_of_a_stream_has_its_own_judge() {
    // Two choices, a thought under two names and a tool call, one letter each in turn.
    let mut texts: [String; 4] = Default::default();
    let [first, second, thought, arguments] = &mut texts;
    let mut stream = String::new();
    let call =
        json!({"to": MAIL, "note": "a\nb\"c", "card": CARD.parse::<u64>().unwrap()}).to_string();
    let length = call.len();
    let pad = |text: &str| format!("{text:<length$}");
    for (((a, b), c), d) in pad(KEY)
        .chars()
        .zip(pad(MAIL).chars())
        .zip(pad(MAIL).chars())
        .zip(call.chars())
    {
        let event = json!({"choices": [
            {"index": 0, "delta": {"content": a.to_string(), "reasoning": c.to_string(), "reasoning_content": c.to_string()}},
            {"index": 1, "delta": {"content": b.to_string(), "tool_calls": [{"index": 0, "function": {"arguments": d.to_string()}}]}},
        ]});
        stream += &format!("data: {event}\n\n");
    }
    for event in events(&clean(Reply::events([stream]))) {
        for choice in event["choices"].as_array().unwrap() {
            let delta = &choice["delta"];
            let text = if choice["index"] == 0 {
                &mut *first
            } else {
                &mut *second
            };
            let texts: [(&Value, &mut String); 3] = [
                (&delta["content"], text),
                (&delta["reasoning_content"], &mut *thought),
                (
                    &delta["tool_calls"][0]["function"]["arguments"],
                    &mut *arguments,
                ),
            ];
            for (piece, text) in texts {
                text.push_str(piece.as_str().unwrap_or_default());
            }
        }
    }
    assert_eq!(str::trim_end(first), "[REDACTED:github_pat]");
    assert_eq!(str::trim_end(second), "[REDACTED:email]");
    assert_eq!(str::trim_end(thought), "[REDACTED:email]");
    assert_eq!(
        serde_json::from_str::<Value>(arguments).expect("arguments stay JSON"),
        json!({"to": "[REDACTED:email]", "note": "a\nb\"c", "card": "[REDACTED:credit_card]"})
    );
}

#[test]
fn two_calls_of_one_index_are_not_mixed() {
    let call = |id: &str, arguments: &str| {
        let calls =
            json!([{"index": 0, "id": id, "function": {"name": "f", "arguments": arguments}}]);
        format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": {"tool_calls": calls}}]})
        )
    };
    let cleaned = clean(Reply::events([
        call("a", "jane"),
        call("a", "t"),
        call("b", "john"),
    ]));
    let mut of = std::collections::BTreeMap::<String, String>::new();
    let mut current = String::new();
    for event in events(&cleaned) {
        let call = &event["choices"][0]["delta"]["tool_calls"][0];
        if let Some(id) = call["id"].as_str() {
            current = id.to_owned();
        }
        *of.entry(current.clone()).or_default() += call["function"]["arguments"].as_str().unwrap();
    }
    assert_eq!((of["a"].as_str(), of["b"].as_str()), ("janet", "john"));
}

#[test]
fn the_other_forms_are_known_too() {
    let responses: String = letters(MAIL)
        .iter()
        .map(|c| json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": c}))
        .chain([
            json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": MAIL}),
            json!({"type": "response.completed", "response": {"output": [{"content": [{"text": MAIL}]}]}}),
        ])
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect();
    let cleaned = clean(Reply::events([responses]));
    let deltas: String = events(&cleaned)
        .iter()
        .filter_map(|event| event["delta"].as_str())
        .collect();
    assert_eq!(deltas, "[REDACTED:email]");
    assert!(
        !cleaned.contains(MAIL) && cleaned.matches("[REDACTED:email]").count() == 3,
        "{cleaned}"
    );

    let candidates: String = letters(MAIL)
        .iter()
        .map(|c| json!({"candidates": [{"content": {"parts": [{"text": c}], "role": "model"}, "index": 0}]}))
        .chain([json!({"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP", "index": 0}], "usageMetadata": {}})])
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    let texts: String = events(&clean(Reply::events([candidates])))
        .iter()
        .filter_map(|event| event["candidates"][0]["content"]["parts"][0]["text"].as_str())
        .collect();
    assert_eq!(texts, "[REDACTED:email]");
}

#[test]
fn events_of_unknown_kinds_comments_and_bare_text_are_judged_too() {
    let unknown = format!("data: {{\"type\":\"news\",\"deep\":[{{\"text\":\"{MAIL}\"}}]}}\n\n");
    assert!(clean(Reply::events([unknown])).contains("[REDACTED:email]"));
    let error = format!("event: error\ndata: {{\"error\":{{\"message\":\"{KEY}\"}}}}\n\n");
    assert!(!clean(Reply::events([error])).contains(KEY));
    assert_eq!(
        clean(Reply::events([format!(": {MAIL}\n\n: fine\n\n")])),
        "\n: fine\n\n"
    );
    let bare: Vec<String> = letters(MAIL)
        .iter()
        .map(|c| format!("data: {c}\n\n"))
        .collect();
    let cleaned = clean(Reply::events(bare));
    let text: String = cleaned
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    assert_eq!(text, "[REDACTED:email]");
    let invalid = [
        b"data: {\"a\":\"".as_slice(),
        MAIL.as_bytes(),
        b"\xFF\"}\n\n",
    ]
    .concat();
    assert!(clean(Reply::events([invalid])).contains("[REDACTED:email]"));
}

#[test]
fn half_a_surrogate_pair_hides_nothing() {
    let events: String = letters(MAIL)
        .iter()
        .map(|c| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{c}\"}},\"x\":\"\\ud83d\"}}]}}\n\n"))
        .collect();
    assert_eq!(
        text_of(clean(Reply::events([events])).as_bytes()),
        "[REDACTED:email]"
    );
}

#[test]
fn what_spells_the_text_out_in_pieces_is_dropped_from_streams() {
    let event = json!({"choices": [{"index": 0, "delta": {"content": "a "}, "logprobs": {"content": [{"token": "a "}]}}]});
    let cleaned = clean(Reply::events([format!("data: {event}\n\n")]));
    assert_eq!(events(&cleaned)[0]["choices"][0]["logprobs"], Value::Null);
}

#[test]
fn nothing_that_was_held_leaves_when_the_answer_breaks_off() {
    let secret_at_the_end = common::chunk(&format!("see {}", &MAIL[..10]));
    let (all, end) = now(read(
        answer(Reply::events([&secret_at_the_end]).then(Step::Break))
            .unwrap()
            .into_body(),
    ));
    assert!(end.is_err());
    assert!(!String::from_utf8(all).unwrap().contains("jane"));
}

#[test]
fn a_stream_that_cannot_be_judged_is_broken_off_for_good() {
    // An event without an end, and more texts than are kept, behind one that was fine.
    let endless = Reply::events((0..5).map(|_| vec![b'x'; 1 << 20]));
    let choices: Vec<Value> = (0..600)
        .map(|index| json!({"index": index, "delta": {"content": "a"}}))
        .collect();
    let many = json!({"choices": choices});
    let many = Reply::events([format!("data: {{}}\n\ndata: {many}\n\n")]);
    for reply in [endless, many] {
        let mut body = Box::pin(answer(reply.then(data(MAIL))).unwrap().into_body());
        let (all, end) = now(read(body.as_mut()));
        assert!(end.is_err());
        assert!(all.is_empty());
        assert!(body.is_end_stream());
        assert!(
            now(read(body)).0.is_empty(),
            "nothing comes after the error"
        );
    }
}

#[test]
fn an_event_of_usage_alone_reaches_who_asked_for_it_and_nobody_else() {
    let stream = openai_stream(&["Hi "]).concat();
    assert!(clean(Reply::events([&stream])).contains("\"usage\""));
    let mut request = Ask::openai("hi");
    request.extensions_mut().insert(WithoutUsage);
    let response = now(call(
        &layer().layer(Upstream::new([Reply::events([&stream])])),
        request,
    ))
    .unwrap();
    let (all, _) = now(read(response.into_body()));
    let all = String::from_utf8(all).unwrap();
    assert!(!all.contains("\"usage\"") && all.ends_with("data: [DONE]\n\n"));
}

#[test]
fn the_trace_says_how_much_was_found_in_every_kind_of_answer() {
    let plain = Reply::json(MAIL).with_header("content-type", "text/plain");
    let stream = Reply::events(openai_stream(&refs(&letters(MAIL))));
    for (reply, expected) in [
        (Reply::json(format!("\"{MAIL}\"")), 1),
        (Reply::json("\"fine\""), 0),
        (plain, 1),
        (stream, 1),
        (Reply::events(openai_stream(&["fine"])), 0),
    ] {
        let traces = common::house::Traces::default();
        let trace = TraceLayer::new(Recorder::new(traces.clone(), common::clock()));
        let service = trace.layer(layer().layer(Upstream::new([reply.clone()])));
        let response = now(call(&service, Ask::openai("hi"))).unwrap();
        assert!(now(read(response.into_body())).1.is_ok());
        let trace = traces.take().pop().unwrap();
        let step = trace
            .steps
            .iter()
            .find(|step| step.name == "redact")
            .unwrap();
        let StepKind::GuardVerdict(verdict) = &step.kind else {
            panic!("{step:?}");
        };
        let decision = if expected == 0 {
            GuardDecision::Allow
        } else {
            GuardDecision::Redact
        };
        assert_eq!(
            (verdict.findings, verdict.decision),
            (expected, decision),
            "{reply:?}"
        );
    }
}
