//! Redacts a stream of server-sent events, text by text.

use std::{collections::BTreeMap, collections::VecDeque};

use bytes::Bytes;
use serde_json::Value;

use super::{
    Redaction,
    slots::{self, Ends, Lane},
};
use crate::sse::{self, Splitter};

/// The most texts that may be open at once. A stream with more is broken off: each costs memory.
const LANES_MAX: usize = 512;

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
}

/// One text under way.
struct Open {
    redactor: palisade_redaction::Redactor,
    /// The last event that carried the lane: the form of the event that is made for what is left.
    carrier: Bytes,
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
            self.event(rest)?;
        }
        self.end_lanes(|_| true);
        Ok(())
    }

    fn event(&mut self, event: Bytes) -> Result<(), Unjudgeable> {
        let Some(data) = sse::data(&event) else {
            // A comment or a bare field: no data, no text.
            if event.windows(5).any(|window| window == b"data:") {
                // Data that is not UTF-8 cannot be judged, and no event stream may carry it.
                return Ok(());
            }
            self.out.push_back(event);
            return Ok(());
        };
        if data.trim() == "[DONE]" {
            self.end_lanes(|_| true);
            self.out.push_back(event);
            return Ok(());
        }
        let Ok(mut value) = serde_json::from_str::<Value>(&data) else {
            // Not JSON: the data is a text of its own.
            let clean = self.redaction.whole(&data);
            let event = clean.map_or_else(|| event.clone(), |clean| sse::with_data(&event, &clean));
            self.out.push_back(event);
            return Ok(());
        };
        if self.without_usage && slots::is_usage_alone(&value) {
            return Ok(());
        }
        let (changed, ends) = self.redact(&mut value, &event)?;
        for end in ends {
            if let Ends::Index(index) = end {
                self.end_lanes(|lane| lane.index == index);
            }
        }
        let event = if changed {
            sse::with_data(&event, &value.to_string())
        } else {
            event
        };
        self.out.push_back(event);
        Ok(())
    }

    /// Passes the texts of an event through their redactors. Whether anything is different now, and what ends.
    fn redact(
        &mut self,
        value: &mut Value,
        event: &Bytes,
    ) -> Result<(bool, Vec<Ends>), Unjudgeable> {
        let mut changed = false;
        let mut full = false;
        let Self {
            lanes, redaction, ..
        } = self;
        let ends = slots::of_event(value, &mut |lane, text| {
            if lanes.len() >= LANES_MAX && !lanes.contains_key(&lane) {
                full = true;
                return;
            }
            let open = lanes.entry(lane).or_insert_with(|| Open {
                redactor: redaction.redactor(),
                carrier: Bytes::new(),
            });
            let mut clean = String::with_capacity(text.len());
            open.redactor.push(text, &mut clean);
            redaction.count(&open.redactor.take_findings());
            open.carrier = event.clone();
            if clean != *text {
                changed = true;
                *text = clean;
            }
        });
        if full {
            return Err(Unjudgeable::TooManyLanes);
        }
        let ends = ends.unwrap_or_else(|| {
            // Of a kind that is not known: each of its texts is judged alone.
            slots::of_whole(value, &mut |text| {
                if let Some(clean) = redaction.whole(text) {
                    changed = true;
                    *text = clean;
                }
            });
            Vec::new()
        });
        Ok((changed, ends))
    }

    /// Ends the lanes that `which` names, and hands on what they still held.
    fn end_lanes(&mut self, which: impl Fn(&Lane) -> bool) {
        let ended: Vec<Lane> = self
            .lanes
            .keys()
            .copied()
            .filter(|lane| which(lane))
            .collect();
        for lane in ended {
            let Some(open) = self.lanes.remove(&lane) else {
                continue;
            };
            let mut rest = String::new();
            let findings = open.redactor.finish_with_findings(&mut rest);
            self.redaction.count(&findings);
            if !rest.is_empty() {
                self.out.extend(made_for(lane, &open.carrier, &rest));
            }
        }
    }
}

/// An event that carries `rest` in `lane` and no other text, in the form of `carrier`.
fn made_for(lane: Lane, carrier: &[u8], rest: &str) -> Option<Bytes> {
    let mut value: Value = serde_json::from_str(&sse::data(carrier)?).ok()?;
    slots::of_event(&mut value, &mut |slot, text| {
        text.clear();
        if slot == lane {
            text.push_str(rest);
        }
    });
    Some(sse::with_data(carrier, &value.to_string()))
}
