use std::cmp::Reverse;

use palisade_core::{Key, Timestamp};
use palisade_trace::{SpanId, Summary, Trace, TraceId, TraceQuery};

/// The most naive store there can be: a list, searched from end to end.
#[derive(Default)]
pub(super) struct Oracle(Vec<Trace>);

impl Oracle {
    /// Keeps a trace; `false` if its ids are there already.
    pub(super) fn record(&mut self, trace: Trace) -> bool {
        let is_new = self.0.iter().all(|kept| place(kept) != place(&trace));
        if is_new {
            self.0.push(trace);
        }
        is_new
    }

    pub(super) fn get(&self, id: TraceId, within: &Key) -> Vec<Trace> {
        let mut found: Vec<Trace> = self
            .0
            .iter()
            .filter(|trace| trace.summary.id == id && is_within(&trace.summary, within))
            .cloned()
            .collect();
        found.sort_by_key(|trace| (trace.summary.started, trace.summary.span));
        found.truncate(TraceQuery::LIMIT_MAX);
        found
    }

    /// All that `query` asks for, on one page of any length.
    pub(super) fn list(&self, query: &TraceQuery) -> Vec<Summary> {
        let summaries = self.0.iter().map(|trace| &trace.summary);
        let mut found: Vec<Summary> = summaries
            .filter(|summary| {
                is_within(summary, &query.within)
                    && query.from.is_none_or(|from| summary.started >= from)
                    && query.to.is_none_or(|to| summary.started < to)
                    && query.status.is_none_or(|status| summary.status == status)
                    && (query.model.is_none() || summary.model == query.model)
                    && query.after.is_none_or(|after| {
                        order(summary) < (after.started(), after.id(), after.span())
                    })
            })
            .cloned()
            .collect();
        found.sort_by_key(|summary| Reverse(order(summary)));
        found
    }
}

fn order(summary: &Summary) -> (Timestamp, TraceId, SpanId) {
    (summary.started, summary.id, summary.span)
}

fn place(trace: &Trace) -> (TraceId, SpanId) {
    (trace.summary.id, trace.summary.span)
}

fn is_within(summary: &Summary, within: &Key) -> bool {
    within
        .parts()
        .all(|part| summary.principal.parts().any(|present| present == part))
}
