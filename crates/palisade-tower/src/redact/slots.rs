//! Where the texts are in what providers send: the one place that knows their formats.

use serde_json::Value;

/// A text that grows over the events of a stream: of which answer, of which part of it, which field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lane {
    /// The choice (OpenAI) or the content block (Anthropic).
    pub(crate) index: u64,
    /// The tool call within it.
    pub(crate) part: u64,
    pub(crate) field: Field,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Field {
    Text,
    Refusal,
    Reasoning,
    Arguments,
}

/// What an event of a stream means for the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// All lanes go on.
    Nothing,
    /// The lanes of this choice or block are complete.
    Index(u64),
}

/// Calls `visit` with each growing text of an event, and says which lanes it ends. `None` if the event is of a kind that
/// is not known: then nothing is known about its texts either.
pub(crate) fn of_event(
    event: &mut Value,
    visit: &mut dyn FnMut(Lane, &mut String),
) -> Option<Vec<Ends>> {
    if event.get("choices").is_some_and(Value::is_array) {
        return Some(of_chat_chunk(event, visit));
    }
    let kind = event.get("type")?.as_str()?;
    match kind {
        "content_block_delta" => {
            let index = number(event.get("index"));
            if let Some(delta) = event.get_mut("delta") {
                for (name, field) in [
                    ("text", Field::Text),
                    ("thinking", Field::Reasoning),
                    ("partial_json", Field::Arguments),
                ] {
                    visit_string(
                        delta.get_mut(name),
                        Lane {
                            index,
                            part: 0,
                            field,
                        },
                        visit,
                    );
                }
            }
            Some(vec![Ends::Nothing])
        }
        "content_block_stop" => Some(vec![Ends::Index(number(event.get("index")))]),
        "message_start" | "message_delta" | "message_stop" | "ping" => Some(vec![Ends::Nothing]),
        _ => None,
    }
}

/// Whether an event says what was used and nothing else: the last chunk of a chat whose client asked for usage.
pub(crate) fn is_usage_alone(event: &Value) -> bool {
    event["choices"].as_array().is_some_and(Vec::is_empty) && event["usage"].is_object()
}

fn of_chat_chunk(event: &mut Value, visit: &mut dyn FnMut(Lane, &mut String)) -> Vec<Ends> {
    let mut ends = Vec::new();
    for choice in event["choices"].as_array_mut().into_iter().flatten() {
        let index = number(choice.get("index"));
        let lane = |field, part| Lane { index, part, field };
        // The older completions stream their text without a delta.
        visit_string(choice.get_mut("text"), lane(Field::Text, 0), visit);
        if let Some(delta) = choice.get_mut("delta") {
            for (name, field) in [
                ("content", Field::Text),
                ("refusal", Field::Refusal),
                ("reasoning_content", Field::Reasoning),
                ("reasoning", Field::Reasoning),
            ] {
                visit_string(delta.get_mut(name), lane(field, 0), visit);
            }
            if let Some(call) = delta.get_mut("function_call") {
                visit_string(call.get_mut("arguments"), lane(Field::Arguments, 0), visit);
            }
            for call in delta
                .get_mut("tool_calls")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                // The one `function_call` of old is part 0; calls in a list begin behind it.
                let part = number(call.get("index")).saturating_add(1);
                if let Some(function) = call.get_mut("function") {
                    visit_string(
                        function.get_mut("arguments"),
                        lane(Field::Arguments, part),
                        visit,
                    );
                }
            }
        }
        if choice
            .get("finish_reason")
            .is_some_and(|reason| !reason.is_null())
        {
            ends.push(Ends::Index(index));
        }
    }
    ends
}

fn visit_string(slot: Option<&mut Value>, lane: Lane, visit: &mut dyn FnMut(Lane, &mut String)) {
    if let Some(Value::String(text)) = slot {
        visit(lane, text);
    }
}

fn number(value: Option<&Value>) -> u64 {
    value.and_then(Value::as_u64).unwrap_or(0)
}

/// Fields that hold no text anybody reads: names of things, and data that is not text at all. Everything else in a whole
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

/// Calls `visit` with every text of a whole answer, at whatever depth.
pub(crate) fn of_whole(value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter_mut().for_each(|item| of_whole(item, visit)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if !(NOT_TEXT.contains(&name.as_str()) && !member.is_object()) {
                    of_whole(member, visit);
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
        let mut seen = Vec::new();
        let ends = of_event(&mut event, &mut |lane, text| {
            seen.push((lane, text.clone()))
        });
        (seen, ends)
    }

    #[test]
    fn every_growing_text_of_a_chat_chunk_has_its_lane() {
        let (seen, ends) = lanes(json!({"choices": [
            {"index": 0, "delta": {"content": "a", "reasoning_content": "r"}, "finish_reason": null},
            {"index": 1, "delta": {"tool_calls": [
                {"index": 0, "function": {"arguments": "x"}}, {"index": 1, "function": {"arguments": "y"}}
            ]}, "finish_reason": "tool_calls"},
        ]}));
        let lane = |index, part, field| Lane { index, part, field };
        assert_eq!(
            seen,
            [
                (lane(0, 0, Field::Text), "a".to_owned()),
                (lane(0, 0, Field::Reasoning), "r".to_owned()),
                (lane(1, 1, Field::Arguments), "x".to_owned()),
                (lane(1, 2, Field::Arguments), "y".to_owned()),
            ]
        );
        assert_eq!(ends, Some(vec![Ends::Index(1)]));
    }

    #[test]
    fn an_event_of_an_unknown_kind_is_not_taken_for_empty() {
        assert_eq!(
            lanes(json!({"type": "response.output_text.delta", "delta": "x"})).1,
            None
        );
        assert_eq!(lanes(json!({"error": {"message": "x"}})).1, None);
    }

    #[test]
    fn names_are_left_alone_and_texts_are_not() {
        let mut whole = json!({"id": "1", "content": [{"type": "tool_use", "input": {"model": {"deep": "t"}, "a": ["u"]}}]});
        let mut seen = Vec::new();
        of_whole(&mut whole, &mut |text| seen.push(text.clone()));
        assert_eq!(seen, ["t", "u"]);
    }
}
