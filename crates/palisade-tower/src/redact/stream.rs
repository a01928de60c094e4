//! Redacts a stream of server-sent events, text by text.

use std::{collections::BTreeMap, collections::VecDeque};

use bytes::Bytes;
use serde_json::Value;

use super::{
    Redaction,
    json::{self, Quoter},
    slots::{self, Ends, Field, Found, Lane},
};
use crate::{
    form::{Form, Places},
    sse::{self, Splitter},
};

/// The most texts that may be open at once. A stream with more is broken off: each costs memory.
const LANES_MAX: usize = 512;

/// So many forms that no event had are learned in a row. A stream with more does not repeat itself.
const FORMS_UNUSED_MAX: u32 = 16;

/// The lane of data that is no JSON.
const RAW: Lane = Lane {
    index: u64::MAX,
    part: 0,
    field: Field::Raw,
};

/// Turns events into events whose texts carry nothing that must not leave.
///
/// A secret is spread over many events, a few characters in each. So every text of the stream (each choice, each tool
/// call's arguments, each reasoning) is a lane with a redactor of its own; what a redactor holds back goes out with a
/// later event of the lane, or in an event made for it when the lane ends.
pub(super) struct EventStream {
    pub(super) redaction: Redaction,
    without_usage: bool,
    splitter: Splitter,
    lanes: BTreeMap<Lane, Open>,
    out: VecDeque<Bytes>,
    // Data of JSON has come: what is none is no text of the model's then.
    speaks_json: bool,
    known: Option<Known>,
    // How many forms were learned since one was of use.
    unused: u32,
}

/// What was found out about events of one form: nothing in them is to be judged but their texts.
struct Known {
    form: Form,
    /// Which of the texts grows, and where. The others are judged alone.
    growing: usize,
    lane: Lane,
}

/// One text under way.
struct Open {
    redactor: palisade_redaction::Redactor,
    /// For JSON that is sent as a text.
    quoter: Option<Quoter>,
    /// Which call it is of.
    call: Option<String>,
    /// The last event that carried the lane: the form of the event that is made for what is left.
    carrier: Bytes,
}

impl Open {
    fn new(redaction: &Redaction, lane: Lane) -> Self {
        Self {
            redactor: redaction.redactor(),
            quoter: (lane.field == Field::Arguments).then(Quoter::default),
            call: None,
            carrier: Bytes::new(),
        }
    }

    /// What of the text and a piece more may leave.
    fn push(&mut self, piece: &str, redaction: &mut Redaction) -> String {
        let mut clean = String::with_capacity(piece.len());
        self.redactor.push(piece, &mut clean);
        redaction.count(&self.redactor.take_findings());
        self.quoted(clean)
    }

    /// What was still held, now that the text is complete.
    fn finish(mut self, redaction: &mut Redaction) -> (String, Bytes) {
        let mut rest = String::new();
        let redactor = std::mem::replace(&mut self.redactor, redaction.redactor());
        redaction.count(&redactor.finish_with_findings(&mut rest));
        (self.quoted(rest), self.carrier)
    }

    fn quoted(&mut self, clean: String) -> String {
        match &mut self.quoter {
            Some(quoter) => quoter.quoted(&clean),
            None => clean,
        }
    }
}

/// The stream cannot be judged, so it must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unjudgeable {
    #[error(transparent)]
    TooLong(#[from] sse::EventTooLong),
    #[error("the stream has more than {LANES_MAX} texts open at once")]
    TooManyLanes,
}

impl EventStream {
    pub(super) fn new(redaction: Redaction, without_usage: bool) -> Self {
        Self {
            redaction,
            without_usage,
            splitter: Splitter::default(),
            lanes: BTreeMap::new(),
            out: VecDeque::new(),
            speaks_json: false,
            known: None,
            unused: 0,
        }
    }

    /// The next piece to hand on.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        self.out.pop_front()
    }

    pub(super) fn push(&mut self, data: &Bytes) -> Result<(), Unjudgeable> {
        self.splitter.push(data);
        while let Some(event) = self.splitter.next_event()? {
            self.event(event)?;
        }
        Ok(())
    }

    /// The stream has ended as it should. What is still held is judged as it stands and handed on.
    pub(super) fn finish(&mut self) -> Result<(), Unjudgeable> {
        let rest = self.splitter.rest();
        if !rest.is_empty() {
            // What follows must not become part of it.
            self.event(sse::complete(rest))?;
        }
        self.end_lanes(|_| true);
        Ok(())
    }

    fn event(&mut self, event: Bytes) -> Result<(), Unjudgeable> {
        if let Some(known) = self.known.take() {
            let is_done = self.event_of(&known, &event)?;
            self.known = Some(known);
            if is_done {
                self.unused = 0;
                return Ok(());
            }
        }
        let event = self.without_comments_to_hide(event);
        let Some(data) = sse::data(&event) else {
            self.out.push_back(event);
            return Ok(());
        };
        if data.trim() == "[DONE]" {
            self.end_lanes(|_| true);
            self.out.push_back(event);
            return Ok(());
        }
        let Some(mut value) = json::parse(&data) else {
            let clean = if self.speaks_json {
                self.redaction.whole(&data)
            } else {
                Some(self.lane(RAW, None, &event, &data)?).filter(|clean| *clean != data)
            };
            let event = clean.map_or_else(|| event.clone(), |clean| sse::with_data(&event, &clean));
            self.out.push_back(event);
            return Ok(());
        };
        self.speaks_json = true;
        if self.without_usage && slots::is_usage_alone(&value) {
            return Ok(());
        }
        if self.unused < FORMS_UNUSED_MAX
            && let Some(known) = self.learn(&event)
        {
            self.unused += 1;
            self.known = Some(known);
        }
        let event = if self.redact(&mut value, &event)? {
            sse::with_data(&event, &value.to_string())
        } else {
            event
        };
        self.out.push_back(event);
        Ok(())
    }

    /// What can be said of all events of the form of this one. `None` if there is more to do with them than to judge texts.
    fn learn(&self, event: &Bytes) -> Option<Known> {
        let form = Form::of(event)?;
        // The texts as numbers, to see where they are found again.
        let numbered = form.with(|at| at.to_string());
        let mut value: Value = serde_json::from_str(&sse::data(&numbered)?).ok()?;
        if form.has_comments()
            || !slots::ends(&value)?.is_empty()
            || slots::is_usage_alone(&value)
            || slots::drop_logprobs(&mut value)
        {
            return None;
        }
        let mut growing = Vec::new();
        slots::of_event(&mut value, &mut |slot| {
            let text = std::mem::take(slot.text);
            growing.push((text.parse().ok(), slot.lane, slot.call));
        });
        let [(Some(growing), lane, None)] = growing[..] else {
            return None;
        };
        let mut alone = Vec::new();
        let mut is_plain = true;
        slots::of_whole(&mut value, &mut |found| match found {
            Found::Text(text) => match text.parse::<usize>() {
                Ok(at) => alone.push(at),
                Err(_) => is_plain &= self.redaction.is_clean(text),
            },
            Found::Json(_) | Found::Structure(_) => is_plain = false,
        });
        alone.sort_unstable();
        let others = (0..form.len()).filter(|&at| at != growing);
        (is_plain && others.eq(alone)).then_some(Known {
            form,
            growing,
            lane,
        })
    }

    /// Judges the texts of an event, if it has the form that is known and nothing has to be done but that.
    fn event_of(&mut self, known: &Known, event: &Bytes) -> Result<bool, Unjudgeable> {
        let Some(Places(places)) = known.form.texts(event) else {
            return Ok(false);
        };
        let mut growing = None;
        for (at, place) in places.iter().take(known.form.len()).enumerate() {
            let Some(text) = json::text_at(event, place) else {
                return Ok(false);
            };
            if at == known.growing {
                growing = Some((text, place));
            } else if !self.redaction.is_clean(&text) {
                return Ok(false);
            }
        }
        let Some((text, place)) = growing else {
            return Ok(false);
        };
        let clean = self.lane(known.lane, None, event, &text)?;
        self.out.push_back(if clean == text {
            event.clone()
        } else {
            json::with_text_at(event, place, &clean)
        });
        Ok(true)
    }

    /// Passes the texts of an event through their redactors. Whether anything is different now.
    fn redact(&mut self, value: &mut Value, event: &Bytes) -> Result<bool, Unjudgeable> {
        let Some(ends) = slots::ends(value) else {
            // Of a kind that is not known: each of its texts is judged alone.
            return Ok(self.redaction.value(value));
        };
        let mut changed = slots::drop_logprobs(value);
        let mut outcome = Ok(());
        let mut cleaned = Vec::new();
        slots::of_event(value, &mut |slot| {
            let text = std::mem::take(slot.text);
            match self.lane(slot.lane, slot.call, event, &text) {
                Ok(mut clean) => {
                    // The event that ends a text may carry the last of it.
                    if ends.iter().any(|end| end.covers(slot.lane))
                        && let Some(open) = self.lanes.remove(&slot.lane)
                    {
                        clean.push_str(&open.finish(&mut self.redaction).0);
                    }
                    changed |= clean != text;
                    cleaned.push(clean);
                }
                Err(error) => outcome = Err(error),
            }
        });
        outcome?;
        // What of the event does not grow is judged alone, while the texts that do are out of it.
        changed |= self.redaction.value(value);
        let mut cleaned = cleaned.into_iter();
        slots::of_event(value, &mut |slot| {
            *slot.text = cleaned.next().unwrap_or_default();
        });
        self.end_lanes(|lane| ends.iter().any(|end: &Ends| end.covers(lane)));
        Ok(changed)
    }

    /// What may leave of a lane that grows by `piece` in `event`.
    fn lane(
        &mut self,
        lane: Lane,
        call: Option<String>,
        event: &Bytes,
        piece: &str,
    ) -> Result<String, Unjudgeable> {
        let other = |open: &Open| call.is_some() && open.call.is_some() && open.call != call;
        if self.lanes.get(&lane).is_some_and(other) {
            self.end_lanes(|open| open == lane);
        }
        if self.lanes.len() >= LANES_MAX && !self.lanes.contains_key(&lane) {
            return Err(Unjudgeable::TooManyLanes);
        }
        let Self {
            lanes, redaction, ..
        } = self;
        let open = lanes
            .entry(lane)
            .or_insert_with(|| Open::new(redaction, lane));
        open.call = call.or(open.call.take());
        open.carrier = event.clone();
        Ok(open.push(piece, redaction))
    }

    /// Ends the lanes that `which` names, and hands on what they still held.
    fn end_lanes(&mut self, which: impl Fn(Lane) -> bool) {
        let ended = self.lanes.keys().copied().filter(|lane| which(*lane));
        for lane in ended.collect::<Vec<_>>() {
            let Some(open) = self.lanes.remove(&lane) else {
                continue;
            };
            let (rest, carrier) = open.finish(&mut self.redaction);
            if !rest.is_empty() {
                self.out.extend(made_for(lane, &carrier, &rest));
            }
        }
    }

    /// Comments are no texts of the model's, but nothing says what else they are.
    fn without_comments_to_hide(&mut self, event: Bytes) -> Bytes {
        let hides = sse::comments(&event).any(|comment| self.redaction.whole(&comment).is_some());
        if hides {
            sse::without_comments(&event)
        } else {
            event
        }
    }
}

/// An event that carries `rest` in `lane` and no other text, in the form of `carrier`.
fn made_for(lane: Lane, carrier: &[u8], rest: &str) -> Option<Bytes> {
    if lane == RAW {
        return Some(sse::with_data(carrier, rest));
    }
    let carrier_value = json::parse(&sse::data(carrier)?)?;
    let made = slots::made_for(lane, &carrier_value, rest);
    if made["type"] == "content_block_delta" {
        // What carried it last may have been the beginning of the block, which is an event of another name.
        return Some(Bytes::from(format!(
            "event: content_block_delta\ndata: {made}\n\n"
        )));
    }
    Some(sse::with_data(carrier, &made.to_string()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use palisade_redaction::Scanner;
    use serde_json::json;

    use super::*;

    /// What comes out of a stream of JSON, and how much was found. With `forms` or without.
    fn cleaned(events: &[String], forms: bool) -> (Vec<Value>, super::super::Tally, u32) {
        let mut stream = EventStream::new(Redaction::new(Arc::new(Scanner::new())), false);
        let mut out = Vec::new();
        let mut of_known_form = 0;
        for event in events {
            if !forms {
                stream.known = None;
            }
            let unused = stream.unused;
            stream.push(&Bytes::from(event.clone())).unwrap();
            of_known_form += u32::from(stream.unused == 0 && stream.known.is_some());
            stream.unused = if forms { stream.unused } else { unused };
            out.extend(std::iter::from_fn(|| stream.pop()));
        }
        stream.finish().unwrap();
        out.extend(std::iter::from_fn(|| stream.pop()));
        let values = out.iter().map(|event| {
            let data = sse::data(event).unwrap();
            serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data}"))
        });
        (values.collect(), stream.redaction.found, of_known_form)
    }

    /// Makes the event at a place with a piece of the text.
    type Make<'f> = &'f dyn Fn(usize, &str) -> Value;

    #[test]
    fn an_event_of_a_known_form_is_judged_like_any_other() {
        const TEXT: &str = "Dear \"Jane\",\n\u{1}write to jane\\@x or jane.doe@mail.example, or é to 192.0.2.7. Use \
                            ghp_012345678901234567890123456789abcdef01 and go on, as you please.";
        let chunk = |piece: &str, more: Value| {
            let mut chunk = json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]});
            chunk
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            chunk
        };
        for size in 1..9 {
            let pieces: Vec<String> = TEXT
                .chars()
                .collect::<Vec<_>>()
                .chunks(size)
                .map(|piece| piece.iter().collect())
                .collect();
            let forms: [Make<'_>; 6] = [
                &|_, piece| chunk(piece, json!({})),
                &|_, piece| chunk(piece, json!({"obfuscation": "x".repeat(piece.len() % 3)})),
                &|at, piece| {
                    let pad = if at % 5 == 3 {
                        "mail a.b@mail.example"
                    } else {
                        ""
                    };
                    chunk(piece, json!({"obfuscation": pad}))
                },
                &|at, piece| chunk(piece, json!({"created": at / 3})),
                &|_, piece| json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": piece}}),
                &|at, piece| {
                    json!({"choices": [{"index": at % 2, "delta": {"tool_calls": [
                    {"index": 0, "function": {"arguments": piece}}]}}]})
                },
            ];
            for form in forms {
                let events: Vec<String> = (pieces.iter().enumerate())
                    .map(|(at, piece)| format!("data: {}\n\n", form(at, piece)))
                    .collect();
                let (known, found, used) = cleaned(&events, true);
                let (read, found_reading, _) = cleaned(&events, false);
                assert_eq!(
                    (&known, found),
                    (&read, found_reading),
                    "{size}: {}",
                    events[0]
                );
                assert!(
                    used > 0 || events[0].contains("tool_calls"),
                    "{}",
                    events[0]
                );
            }
        }
    }

    #[test]
    fn an_event_that_asks_for_more_than_judging_texts_has_no_form_to_go_by() {
        let stream = EventStream::new(Redaction::new(Arc::new(Scanner::new())), false);
        for event in [
            r#"{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#,
            r#"{"choices":[{"delta":{"content":"x"},"logprobs":{"content":[]}}]}"#,
            r#"{"choices":[{"delta":{"content":"x","reasoning":"y"}}]}"#,
            r#"{"choices":[{"delta":{"content":"x","content":null}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"arguments":"x"}}]}}]}"#,
            r#"{"choices":[{"delta":{"content":"x"}}],"seen":"jane.doe@mail.example"}"#,
            r#"{"choices":[{"delta":{"content":"x"}}],"input":{"text":"y"}}"#,
            r#"{"content":"x"}"#,
            r#"{"choices":[{"delta":{"content":"x"}}]"#,
        ] {
            for event in [
                format!("data: {event}\n\n"),
                format!("data: x\ndata: {event}\n\n"),
            ] {
                assert!(
                    stream.learn(&Bytes::from(event.clone())).is_none(),
                    "{event}"
                );
            }
        }
        let known = r#"{"choices":[{"delta":{"content":"x"}}],"text":"y"}"#;
        for (comment, is_known) in [("", true), (": c\n", false)] {
            let event = Bytes::from(format!("{comment}data: {known}\n\n"));
            assert_eq!(stream.learn(&event).is_some(), is_known);
        }
    }
}
