//! Where the texts are in what providers send: the one place that knows their formats.

use serde_json::{Value, json};

/// A text that grows over the events of a stream: of which answer, of which part of it, which field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lane {
    /// The choice, the content block, the candidate or the output item.
    pub(crate) index: u64,
    /// The tool call or the part within it.
    pub(crate) part: u64,
    pub(crate) field: Field,
}

/// Each name that providers give a growing text is a field of its own: some send the same text under two names, and
/// mixed into one lane neither could be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Field {
    /// The text of an answer.
    Text,
    /// The text of one of the older completions.
    Completion,
    Refusal,
    /// `thinking`, `reasoning`, a thought.
    Reasoning,
    /// `reasoning_content`.
    ReasoningContent,
    /// What a tool is called with: JSON, as a text.
    Arguments,
    /// Data that is no JSON.
    Raw,
}

/// Which lanes an event completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    All,
    /// Those of this choice, block or item.
    Index(u64),
}

impl Ends {
    pub(crate) fn covers(self, lane: Lane) -> bool {
        match self {
            Self::All => true,
            Self::Index(index) => lane.index == index,
        }
    }
}

/// A growing text as one event carries it.
pub(crate) struct Slot<'v> {
    pub(crate) lane: Lane,
    /// Which call it belongs to. Some providers give every call of an answer the same index.
    pub(crate) call: Option<String>,
    pub(crate) text: &'v mut String,
}

type Visit<'a> = &'a mut dyn FnMut(Slot<'_>);

/// Which lanes an event completes; it may carry the last of their texts itself. `None` if the event is of a kind that is
/// not known: then nothing is known about its texts either.
pub(crate) fn ends(event: &Value) -> Option<Vec<Ends>> {
    for (name, reason) in [("choices", "finish_reason"), ("candidates", "finishReason")] {
        if let Some(answers) = event.get(name).and_then(Value::as_array) {
            let ended = answers
                .iter()
                .filter(|answer| answer.get(reason).is_some_and(|reason| !reason.is_null()));
            return Some(
                ended
                    .map(|answer| Ends::Index(number(answer, "index")))
                    .collect(),
            );
        }
    }
    match event.get("type")?.as_str()? {
        "content_block_start"
        | "content_block_delta"
        | "message_start"
        | "message_delta"
        | "ping" => Some(Vec::new()),
        "content_block_stop" => Some(vec![Ends::Index(number(event, "index"))]),
        "message_stop" | "response.completed" | "response.incomplete" | "response.failed" => {
            Some(vec![Ends::All])
        }
        kind if kind.starts_with("response.") => Some(if kind.ends_with(".done") {
            vec![Ends::Index(number(event, "output_index"))]
        } else {
            Vec::new()
        }),
        _ => None,
    }
}

/// Calls `visit` with each growing text of an event, in an order that depends on nothing but the event's form.
pub(crate) fn of_event(event: &mut Value, visit: Visit<'_>) {
    for choice in items(event, "choices") {
        of_choice(choice, visit);
    }
    for candidate in items(event, "candidates") {
        of_candidate(candidate, visit);
    }
    let kind = event
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match kind {
        "content_block_start" | "content_block_delta" => {
            let name = if kind == "content_block_start" {
                "content_block"
            } else {
                "delta"
            };
            let index = number(event, "index");
            let block = event.get_mut(name);
            let fields = [
                ("text", Field::Text),
                ("thinking", Field::Reasoning),
                ("partial_json", Field::Arguments),
            ];
            visit_fields(block, index, 0, &fields, visit);
        }
        _ if kind.starts_with("response.") && kind.ends_with(".delta") => {
            let field = match kind {
                "response.refusal.delta" => Field::Refusal,
                _ if kind.contains("reasoning_summary") => Field::Reasoning,
                _ if kind.contains("reasoning") => Field::ReasoningContent,
                "response.output_text.delta" => Field::Text,
                // Arguments of functions and tools, code, input.
                _ => Field::Arguments,
            };
            let index = number(event, "output_index");
            let part = number(event, "content_index").max(number(event, "summary_index"));
            visit_fields(Some(event), index, part, &[("delta", field)], visit);
        }
        _ => {}
    }
}

/// One choice of a chat completion of OpenAI's form, or of the older completions.
fn of_choice(choice: &mut Value, visit: Visit<'_>) {
    let index = number(choice, "index");
    let completion = [("text", Field::Completion)];
    visit_fields(Some(&mut *choice), index, 0, &completion, visit);
    let Some(delta) = choice.get_mut("delta") else {
        return;
    };
    let fields = [
        ("content", Field::Text),
        ("refusal", Field::Refusal),
        ("reasoning_content", Field::ReasoningContent),
        ("reasoning", Field::Reasoning),
    ];
    visit_fields(Some(&mut *delta), index, 0, &fields, visit);
    // Some send the content in parts, thoughts among them.
    for part in items(delta, "content") {
        visit_fields(Some(&mut *part), index, 0, &[("text", Field::Text)], visit);
        for thought in items(part, "thinking") {
            visit_fields(
                Some(thought),
                index,
                0,
                &[("text", Field::Reasoning)],
                visit,
            );
        }
    }
    let arguments = [("arguments", Field::Arguments)];
    visit_fields(delta.get_mut("function_call"), index, 0, &arguments, visit);
    for call in items(delta, "tool_calls") {
        // Without an index nothing says that a later piece goes on with it: it is whole, and judged as such.
        let Some(at) = call.get("index").and_then(Value::as_u64) else {
            continue;
        };
        let id = call.get("id").and_then(Value::as_str);
        let id = id.filter(|id| !id.is_empty()).map(str::to_owned);
        if let Some(Value::String(text)) = call
            .get_mut("function")
            .and_then(|f| f.get_mut("arguments"))
        {
            // The one `function_call` of old is part 0; calls in a list begin behind it.
            let lane = lane(index, at.saturating_add(1), Field::Arguments);
            visit(Slot {
                lane,
                call: id,
                text,
            });
        }
    }
}

/// One candidate of Google's form.
fn of_candidate(candidate: &mut Value, visit: Visit<'_>) {
    let index = number(candidate, "index");
    let Some(content) = candidate.get_mut("content") else {
        return;
    };
    for part in items(content, "parts") {
        let field = match part.get("thought") {
            Some(Value::Bool(true)) => Field::Reasoning,
            _ => Field::Text,
        };
        visit_fields(Some(part), index, 0, &[("text", field)], visit);
    }
}

fn visit_fields(
    object: Option<&mut Value>,
    index: u64,
    part: u64,
    fields: &[(&str, Field)],
    visit: Visit<'_>,
) {
    let Some(Value::Object(members)) = object else {
        return;
    };
    for &(name, field) in fields {
        if let Some(Value::String(text)) = members.get_mut(name) {
            let lane = lane(index, part, field);
            visit(Slot {
                lane,
                call: None,
                text,
            });
        }
    }
}

/// An event that carries `rest` in `lane` and nothing else that a client would add up, in the form of `carrier`, which
/// carried the lane before.
pub(crate) fn made_for(lane: Lane, carrier: &Value, rest: &str) -> Value {
    let mut made = carrier.clone();
    let Value::Object(members) = &mut made else {
        return made;
    };
    if members.contains_key("choices") {
        members.shift_remove("usage");
        members["choices"] = json!([choice(lane, rest)]);
    } else if members.contains_key("candidates") {
        members.shift_remove("usageMetadata");
        let part = if lane.field == Field::Reasoning {
            json!({"text": rest, "thought": true})
        } else {
            json!({"text": rest})
        };
        members["candidates"] =
            json!([{"content": {"parts": [part], "role": "model"}, "index": lane.index}]);
    } else if members.contains_key("output_index") {
        members.insert("delta".to_owned(), rest.into());
    } else {
        let delta = match lane.field {
            Field::Reasoning => json!({"type": "thinking_delta", "thinking": rest}),
            Field::Arguments => json!({"type": "input_json_delta", "partial_json": rest}),
            _ => json!({"type": "text_delta", "text": rest}),
        };
        made = json!({"type": "content_block_delta", "index": lane.index, "delta": delta});
    }
    made
}

fn choice(lane: Lane, rest: &str) -> Value {
    let Lane { index, part, field } = lane;
    let delta = match field {
        Field::Completion => {
            return json!({"text": rest, "index": index, "logprobs": null, "finish_reason": null});
        }
        Field::Refusal => json!({"refusal": rest}),
        Field::Reasoning => json!({"reasoning": rest}),
        Field::ReasoningContent => json!({"reasoning_content": rest}),
        Field::Arguments if part == 0 => json!({"function_call": {"arguments": rest}}),
        Field::Arguments => {
            json!({"tool_calls": [{"index": part - 1, "function": {"arguments": rest}}]})
        }
        Field::Text | Field::Raw => json!({"content": rest}),
    };
    json!({"index": index, "delta": delta, "finish_reason": null})
}

/// Whether an event says what was used and nothing else: the last chunk of a chat whose client asked for usage.
pub(crate) fn is_usage_alone(event: &Value) -> bool {
    event["choices"].as_array().is_some_and(Vec::is_empty) && event["usage"].is_object()
}

/// Takes out what repeats the text in pieces too small to be judged. Whether there was any.
pub(crate) fn drop_logprobs(value: &mut Value) -> bool {
    match value {
        Value::Array(items) => {
            let mut dropped = false;
            for item in items {
                dropped |= drop_logprobs(item);
            }
            dropped
        }
        Value::Object(members) => {
            let mut dropped = false;
            for (name, member) in members.iter_mut() {
                if matches!(name.as_str(), "logprobs" | "logprobsResult") {
                    match member {
                        Value::Object(_) => *member = Value::Null,
                        Value::Array(items) if !items.is_empty() => items.clear(),
                        _ => continue,
                    }
                    dropped = true;
                } else if !STRUCTURED.contains(&name.as_str()) {
                    dropped |= drop_logprobs(member);
                }
            }
            dropped
        }
        _ => false,
    }
}

fn items<'v>(value: &'v mut Value, name: &str) -> impl Iterator<Item = &'v mut Value> {
    let items = value.get_mut(name).and_then(Value::as_array_mut);
    items.into_iter().flatten()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

const fn lane(index: u64, part: u64, field: Field) -> Lane {
    Lane { index, part, field }
}

/// Fields that hold no text anybody reads: names of things, and data that is not text at all. Everything else in an
/// answer is looked at.
const NOT_TEXT: &[&str] = &[
    "id",
    "object",
    "type",
    "role",
    "model",
    "system_fingerprint",
    "service_tier",
    "finish_reason",
    "stop_reason",
    "tool_use_id",
    "tool_call_id",
    "call_id",
    "item_id",
    "embedding",
    "b64_json",
    "encrypted_content",
    "signature",
    "created",
    "media_type",
    "status",
];

/// Objects that the model has written: names, numbers and all.
const STRUCTURED: &[&str] = &["input", "args"];

/// What the name of a member says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A text in it is one to be judged.
    Text,
    /// A text is the name of something.
    Name,
    /// An object is judged as one text.
    Structure,
}

/// What a member of this name holds.
pub(crate) fn holds(name: &str) -> Holds {
    if NOT_TEXT.contains(&name) {
        Holds::Name
    } else if STRUCTURED.contains(&name) {
        Holds::Structure
    } else {
        Holds::Text
    }
}

/// A text in an answer.
pub(crate) enum Found<'v> {
    Text(&'v mut String),
    /// JSON, as a text.
    Json(&'v mut String),
    /// JSON that the model has written, as a part of the answer.
    Structure(&'v mut Value),
}

/// Calls `visit` with every text of an answer, at whatever depth.
pub(crate) fn of_whole(value: &mut Value, visit: &mut dyn FnMut(Found<'_>)) {
    match value {
        Value::String(text) => visit(Found::Text(text)),
        Value::Array(items) => items.iter_mut().for_each(|item| of_whole(item, visit)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match (holds(name), &mut *member) {
                    (_, Value::String(text)) if name == "arguments" => visit(Found::Json(text)),
                    (Holds::Name, Value::String(_)) => {}
                    (Holds::Structure, Value::Object(inner)) => {
                        if !inner.is_empty() {
                            visit(Found::Structure(member));
                        }
                    }
                    _ => of_whole(member, visit),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lanes(mut event: Value) -> (Vec<(Lane, String)>, Option<Vec<Ends>>) {
        let ends = ends(&event);
        let mut seen = Vec::new();
        of_event(&mut event, &mut |slot| {
            seen.push((slot.lane, slot.text.clone()));
        });
        (seen, ends)
    }

    #[test]
    fn every_growing_text_of_a_chat_chunk_has_its_lane() {
        let (seen, ends) = lanes(json!({"choices": [
            {"index": 0, "delta": {"content": "a", "reasoning_content": "r", "reasoning": "r"}, "finish_reason": null},
            {"index": 1, "delta": {"tool_calls": [
                {"index": 0, "function": {"arguments": "x"}}, {"index": 1, "function": {"arguments": "y"}},
                {"function": {"arguments": "without an index"}}
            ]}, "finish_reason": "tool_calls"},
        ]}));
        assert_eq!(
            seen,
            [
                (lane(0, 0, Field::Text), "a".to_owned()),
                (lane(0, 0, Field::ReasoningContent), "r".to_owned()),
                (lane(0, 0, Field::Reasoning), "r".to_owned()),
                (lane(1, 1, Field::Arguments), "x".to_owned()),
                (lane(1, 2, Field::Arguments), "y".to_owned()),
            ]
        );
        assert_eq!(ends, Some(vec![Ends::Index(1)]));
    }

    #[test]
    fn every_form_is_known_by_its_events() {
        for (event, expected, ended) in [
            (
                json!({"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "x"}}),
                Some(lane(2, 0, Field::Text)),
                vec![],
            ),
            (
                json!({"type": "content_block_stop", "index": 2}),
                None,
                vec![Ends::Index(2)],
            ),
            (
                json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 3, "delta": "x"}),
                Some(lane(1, 3, Field::Text)),
                vec![],
            ),
            (
                json!({"type": "response.function_call_arguments.done", "output_index": 1, "arguments": "{}"}),
                None,
                vec![Ends::Index(1)],
            ),
            (
                json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]}),
                Some(lane(0, 0, Field::Text)),
                vec![Ends::Index(0)],
            ),
        ] {
            let (seen, ends) = lanes(event.clone());
            assert_eq!(seen.first().map(|(lane, _)| *lane), expected, "{event}");
            assert_eq!(ends, Some(ended), "{event}");
        }
    }

    #[test]
    fn a_made_event_carries_its_lane_and_nothing_a_client_would_add_up() {
        let carrier = json!({"id": "c", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "no",
            "tool_calls": [{"index": 3, "id": "call", "type": "function", "function": {"name": "f", "arguments": "a"}}]}}],
            "usage": {"total_tokens": 1}});
        for field in [
            Field::Text,
            Field::Refusal,
            Field::Reasoning,
            Field::ReasoningContent,
            Field::Completion,
        ] {
            let made = made_for(lane(0, 0, field), &carrier, "rest");
            assert_eq!(
                lanes(made.clone()).0,
                [(lane(0, 0, field), "rest".to_owned())]
            );
            assert_eq!((&made["id"], made.get("usage")), (&json!("c"), None));
        }
        assert_eq!(
            made_for(lane(0, 4, Field::Arguments), &carrier, "rest")["choices"][0]["delta"],
            json!({"tool_calls": [{"index": 3, "function": {"arguments": "rest"}}]})
        );
    }

    #[test]
    fn an_event_of_an_unknown_kind_is_not_taken_for_empty() {
        assert_eq!(
            lanes(json!({"type": "text-generation", "text": "x"})).1,
            None
        );
        assert_eq!(lanes(json!({"error": {"message": "x"}})).1, None);
    }

    #[test]
    fn names_are_left_alone_and_texts_are_not() {
        let mut whole = json!({"id": "1", "content": [{"type": "text", "text": "t"}, {"input": {"id": "u"}}],
            "arguments": "v"});
        let mut seen = Vec::new();
        of_whole(&mut whole, &mut |found| {
            seen.push(match found {
                Found::Text(text) => text.clone(),
                Found::Json(text) => format!("json {text}"),
                Found::Structure(value) => value.to_string(),
            });
        });
        assert_eq!(seen, ["t", "{\"id\":\"u\"}", "json v"]);
    }

    #[test]
    fn a_text_that_is_repeated_in_pieces_is_dropped() {
        let mut value = json!({"choices": [{"logprobs": {"content": [{"token": "sk-"}]}}], "logprobs": [1], "a": {"logprobs": null}});
        assert!(drop_logprobs(&mut value));
        assert_eq!(
            value,
            json!({"choices": [{"logprobs": null}], "logprobs": [], "a": {"logprobs": null}})
        );
        assert!(!drop_logprobs(&mut value));
    }
}
