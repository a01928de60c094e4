//! The rules for traces are tested themselves: stores that keep every promise break none of them, and every lie is caught.

mod common;

use std::{
    cmp::Reverse,
    future::{Ready, ready},
    sync::{Mutex, MutexGuard, PoisonError},
};

use palisade_conformance::{
    Verdict, block_on,
    trace::{self, Setup, Store},
};
use palisade_core::{Key, StoreError, Timestamp};
use palisade_trace::{
    Counters, Cursor, InMemory, Loss, Losses, Page, Summary, Trace, TraceId, TraceQuery, TraceSink,
    TraceStore,
};

use common::{
    Suspect, each_breaks_the_rule_made_for_it, keeps_every_rule, random_play_finds, tells_its_seed,
};

/// The ways in which a store of traces can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    /// Keeps nine of ten.
    Forgets,
    /// Keeps the summaries.
    DropsSteps,
    /// Its clock knows whole microseconds.
    RoundsStarts,
    /// Its index knows whole microseconds.
    OrdersByMicros,
    /// Takes what was before 1970 for what comes last.
    OrdersUnsigned,
    /// Looks a trace up for whoever knows its id.
    MixesTenantsInGet,
    /// Lists everybody's.
    MixesTenantsInList,
    /// Takes a principal for another that begins like it.
    TenantsByPrefix,
    /// Upper and lower case are one.
    FoldsCase,
    /// Looks at the first part of what it is asked within.
    NarrowsByFirst,
    /// Shows only what belongs to exactly the key it is asked within.
    WithinIsWhole,
    /// What belongs to nobody is shown to nobody.
    HidesNobodys,
    /// A page begins with the last trace of the one before.
    RepeatsAcrossPages,
    /// A page begins with the next start, past all that began with the last trace.
    SkipsTies,
    /// A page begins where a count says.
    PagesByOffset,
    /// Announces a page after the last.
    AnnouncesOneMore,
    /// A cursor brings its own tenant along.
    CursorIsPermission,
    /// Begins anew if the trace at a cursor is not there.
    CursorNeedsItsTrace,
    /// A cursor stands for the end of the time asked for.
    CursorBeatsEnd,
    IgnoresFrom,
    EndIsIncluded,
    IgnoresStatus,
    /// Compares the model without its provider.
    IgnoresProvider,
    /// Filters on the first page only.
    FiltersOnce,
    OldestFirst,
    /// What began at the same time comes as it arrived.
    TiesAsTheyArrived,
    /// What began at the same time comes by its span.
    TiesBySpan,
    /// The requests of one trace come newest first.
    GetsNewestFirst,
    GetsWithoutEnd,
    /// Answers with the trace after one that is not there.
    GetsTheNext,
    /// Keeps what is repeated.
    KeepsTwins,
    /// The last of two that have the same ids stays.
    TwinReplaces,
    /// Takes two requests of one trace for the same.
    OneSpanATrace,
    /// Looks for what is repeated among what was written before, not among what is written with it.
    KeepsTwinsOfABatch,
    /// Two tenants may have the same ids.
    TwinsByTenant,
    /// Counts a trace as accepted when it is written.
    AcceptsLate,
    /// Makes room and tells nobody.
    LosesSilently,
    /// Counts what it lost twice.
    CountsTwice,
    /// Empties the room for what can never fit.
    EvictsForTheTooLarge,
    /// Loses what is written together with what can never fit.
    DropsTheBatch,
}

/// A naive store, which writes behind like a real one.
struct Liar {
    lie: Lie,
    bytes_max: usize,
    counters: Counters,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Trace>,
    kept: Vec<Trace>,
    /// How many of them were there before this batch.
    before: usize,
    seen: usize,
    /// How many traces were listed before a cursor, and within what, by the last list.
    walked: usize,
    last_within: Option<Key>,
}

impl Liar {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, state: &mut State, mut trace: Trace) {
        state.seen += 1;
        match self.lie {
            Lie::Forgets if state.seen.is_multiple_of(10) => return,
            Lie::DropsSteps => trace.steps.clear(),
            Lie::RoundsStarts => {
                let micros = trace.summary.started.as_nanos().div_euclid(1_000);
                trace.summary.started = Timestamp::from_nanos(micros * 1_000);
            }
            _ => {}
        }
        let size = trace.size_bytes();
        if size > self.bytes_max {
            self.counters.lose(Loss::TooLarge, 1);
            if self.lie == Lie::EvictsForTheTooLarge {
                self.counters.lose(Loss::Evicted, state.kept.len() as u64);
                state.kept.clear();
            }
            return;
        }
        let known = match self.lie {
            Lie::KeepsTwinsOfABatch => state.before.min(state.kept.len()),
            _ => state.kept.len(),
        };
        let twin = state.kept[..known].iter().position(|kept| {
            let (kept, new) = (&kept.summary, &trace.summary);
            kept.id == new.id
                && (kept.span == new.span || self.lie == Lie::OneSpanATrace)
                && (kept.principal == new.principal || self.lie != Lie::TwinsByTenant)
        });
        match (twin, self.lie) {
            (Some(_), Lie::KeepsTwins) | (None, _) => {}
            (Some(twin), lie) => {
                self.counters.lose(Loss::Duplicate, 1);
                if lie == Lie::TwinReplaces {
                    state.kept[twin] = trace;
                }
                return;
            }
        }
        let mut bytes: usize = state.kept.iter().map(Trace::size_bytes).sum();
        while bytes + size > self.bytes_max {
            bytes -= state.kept.remove(0).size_bytes();
            match self.lie {
                Lie::LosesSilently => {}
                Lie::CountsTwice => self.counters.lose(Loss::Evicted, 2),
                _ => self.counters.lose(Loss::Evicted, 1),
            }
        }
        state.kept.push(trace);
    }

    fn is_within(&self, summary: &Summary, within: &Key) -> bool {
        let (principal, asked) = (summary.principal.as_str(), within.as_str());
        match self.lie {
            Lie::TenantsByPrefix => {
                asked.split('/').all(|part| principal.contains(part)) || summary.is_within(within)
            }
            Lie::FoldsCase => {
                let mut folded = summary.clone();
                let fold = |key: &str| Key::parse(&key.to_lowercase());
                // An escape in lower case is no key.
                let (Ok(principal), Ok(asked)) = (fold(principal), fold(asked)) else {
                    return summary.is_within(within);
                };
                folded.principal = principal;
                folded.is_within(&asked)
            }
            Lie::NarrowsByFirst => {
                let first = asked.split('/').next().unwrap_or_default();
                summary.is_within(&Key::parse(first).expect("a part of a key"))
            }
            Lie::WithinIsWhole => asked.is_empty() || principal == asked,
            Lie::HidesNobodys => !principal.is_empty() && summary.is_within(within),
            _ => summary.is_within(within),
        }
    }

    fn matches(&self, summary: &Summary, query: &TraceQuery, within: &Key) -> bool {
        let mut bent = query.clone();
        bent.within = Key::global();
        let mut told = summary.clone();
        match self.lie {
            Lie::IgnoresFrom => bent.from = None,
            Lie::IgnoresStatus => bent.status = None,
            Lie::FiltersOnce if query.after.is_some() => (bent.status, bent.model) = (None, None),
            Lie::CursorBeatsEnd if query.after.is_some() => bent.to = None,
            Lie::EndIsIncluded if query.to == Some(summary.started) => bent.to = None,
            Lie::IgnoresProvider => {
                let name = |model: &palisade_core::ModelId| model.model().to_owned();
                if told.model.as_ref().map(name) == query.model.as_ref().map(name) {
                    told.model.clone_from(&query.model);
                }
            }
            _ => {}
        }
        let shown = self.lie == Lie::MixesTenantsInList || self.is_within(summary, within);
        shown && bent.matches(&told)
    }
}

impl TraceSink for Liar {
    fn record(&self, trace: Trace) {
        if self.lie != Lie::AcceptsLate {
            self.counters.accept();
        }
        self.lock().waiting.push(trace);
    }

    fn losses(&self) -> Losses {
        self.counters.losses()
    }
}

impl TraceStore for Liar {
    async fn get(&self, id: TraceId, within: &Key) -> Result<Vec<Trace>, StoreError> {
        let state = self.lock();
        let mut id = id;
        if self.lie == Lie::GetsTheNext {
            let ids = state.kept.iter().map(|trace| trace.summary.id);
            id = ids.filter(|kept| *kept >= id).min().unwrap_or(id);
        }
        let mut found: Vec<Trace> = state
            .kept
            .iter()
            .filter(|trace| trace.summary.id == id)
            .filter(|trace| {
                self.lie == Lie::MixesTenantsInGet || self.is_within(&trace.summary, within)
            })
            .cloned()
            .collect();
        found.sort_by_key(|trace| Cursor::of(&trace.summary));
        if self.lie == Lie::GetsNewestFirst {
            found.reverse();
        }
        if self.lie != Lie::GetsWithoutEnd {
            found.truncate(TraceQuery::LIMIT_MAX);
        }
        Ok(found)
    }

    async fn list(&self, query: &TraceQuery) -> Result<Page, StoreError> {
        let mut state = self.lock();
        let within = match (self.lie, query.after, &state.last_within) {
            (Lie::CursorIsPermission, Some(_), Some(within)) => within.clone(),
            _ => query.within.clone(),
        };
        let summaries = state.kept.iter().map(|trace| &trace.summary);
        let mut items: Vec<Summary> = summaries
            .filter(|summary| self.matches(summary, query, &within))
            .cloned()
            .collect();
        match self.lie {
            Lie::OldestFirst => items.sort_by_key(Cursor::of),
            Lie::OrdersByMicros => items.sort_by_key(|summary| {
                let micros = summary.started.as_nanos().div_euclid(1_000);
                Reverse((micros, summary.id, summary.span))
            }),
            Lie::OrdersUnsigned => items.sort_by_key(|summary| {
                let unsigned = summary.started.as_nanos() ^ i64::MIN;
                Reverse((unsigned, summary.id, summary.span))
            }),
            Lie::TiesBySpan => {
                items.sort_by_key(|summary| Reverse((summary.started, summary.span, summary.id)));
            }
            Lie::TiesAsTheyArrived => items.sort_by_key(|summary| Reverse(summary.started)),
            _ => items.sort_by_key(|summary| Reverse(Cursor::of(summary))),
        }
        let is_there = |after: &Cursor| {
            self.lie != Lie::CursorNeedsItsTrace
                || items.iter().any(|summary| Cursor::of(summary) == *after)
        };
        if let Some(after) = query.after.filter(is_there) {
            let walked = state.walked;
            let mut place = 0;
            items.retain(|summary| {
                place += 1;
                match self.lie {
                    Lie::PagesByOffset => place > walked,
                    Lie::RepeatsAcrossPages => Cursor::of(summary) <= after,
                    Lie::SkipsTies => summary.started < after.started(),
                    Lie::OldestFirst => Cursor::of(summary) > after,
                    Lie::TiesAsTheyArrived => summary.started <= after.started(),
                    _ => Cursor::of(summary) < after,
                }
            });
        } else {
            state.walked = 0;
        }
        let mut page = Page::of(items, query.limit);
        if self.lie == Lie::AnnouncesOneMore {
            page.next = page.items.last().map(Cursor::of);
        }
        state.walked += page.items.len();
        state.last_within = Some(within);
        Ok(page)
    }
}

impl Store for Liar {
    async fn flush(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.before = state.kept.len();
        let mut batch = std::mem::take(&mut state.waiting);
        if self.lie == Lie::AcceptsLate {
            batch.iter().for_each(|_| self.counters.accept());
        }
        let sizes = batch.iter().map(Trace::size_bytes);
        if self.lie == Lie::DropsTheBatch && sizes.max() > Some(self.bytes_max) {
            self.counters.lose(Loss::TooLarge, batch.len() as u64);
            batch.clear();
        }
        for trace in batch {
            self.keep(&mut state, trace);
        }
        Ok(())
    }
}

fn make(lie: Lie, setup: &Setup) -> Ready<Liar> {
    ready(Liar {
        lie,
        bytes_max: setup.bytes_max,
        counters: Counters::default(),
        state: Mutex::default(),
    })
}

impl Suspect for Lie {
    fn ask(self) -> Vec<(&'static str, Verdict)> {
        block_on(trace::all(&move |setup| make(self, &setup)))
    }

    fn play(self, seed: u64) -> Verdict {
        let make = move |setup| make(self, &setup);
        block_on(trace::agrees_with_the_oracle(&make, seed))
    }
}

mod honest {
    use super::{Liar, Lie, Ready, Setup};

    fn make(setup: Setup) -> Ready<Liar> {
        super::make(Lie::None, &setup)
    }

    palisade_conformance::trace_store_suite!(make);
}

#[test]
fn the_store_in_memory_keeps_every_rule() {
    let make = |setup: Setup| ready(InMemory::new(setup.bytes_max));
    keeps_every_rule(block_on(trace::all(&make)));
    for seed in 0..20 {
        palisade_conformance::suite::hold(block_on(trace::agrees_with_the_oracle(&make, seed)));
    }
}

#[test]
fn every_liar_breaks_the_rule_made_for_it() {
    const WHOLE: &str = "a_trace_comes_back_as_it_went_in";
    const TOGETHER: &str = "requests_of_one_trace_come_together_the_oldest_first";
    const NEWEST: &str = "the_newest_come_first";
    const TENANTS: &str = "no_tenant_is_shown_anothers_traces";
    const ALIKE: &str = "principals_that_look_alike_stay_apart";
    const PAGES: &str = "pages_have_no_gap_and_no_duplicate";
    const NOWHERE: &str = "a_page_may_begin_where_no_trace_is";
    const FILTER: &str = "every_filter_holds_alone";
    const REPEATED: &str = "a_repeated_trace_counts_once";
    const SUM: &str = "what_is_kept_and_what_is_lost_add_up";
    const TOO_LARGE: &str = "a_trace_too_large_takes_no_other_with_it";
    each_breaks_the_rule_made_for_it(&[
        (Lie::Forgets, "recorders_at_once_lose_nothing"),
        (Lie::DropsSteps, WHOLE),
        (Lie::RoundsStarts, WHOLE),
        (Lie::RoundsStarts, NEWEST),
        (Lie::OrdersByMicros, NEWEST),
        (Lie::OrdersUnsigned, NEWEST),
        (Lie::OldestFirst, NEWEST),
        (Lie::TiesAsTheyArrived, NEWEST),
        (Lie::TiesBySpan, NEWEST),
        (Lie::GetsTheNext, "an_unknown_trace_is_an_empty_answer"),
        (Lie::GetsNewestFirst, TOGETHER),
        (Lie::OneSpanATrace, TOGETHER),
        (
            Lie::GetsWithoutEnd,
            "one_trace_shows_no_more_requests_than_a_page_may_hold",
        ),
        (Lie::MixesTenantsInGet, TENANTS),
        (Lie::MixesTenantsInList, TENANTS),
        (Lie::NarrowsByFirst, TENANTS),
        (Lie::WithinIsWhole, TENANTS),
        (Lie::HidesNobodys, TENANTS),
        (Lie::TenantsByPrefix, ALIKE),
        (Lie::FoldsCase, ALIKE),
        (Lie::RepeatsAcrossPages, PAGES),
        (Lie::SkipsTies, PAGES),
        (Lie::AnnouncesOneMore, PAGES),
        (Lie::PagesByOffset, "pages_stay_whole_while_others_record"),
        (
            Lie::CursorIsPermission,
            "a_cursor_shows_nothing_that_the_query_would_not",
        ),
        (Lie::CursorNeedsItsTrace, NOWHERE),
        (Lie::CursorBeatsEnd, NOWHERE),
        (Lie::IgnoresFrom, FILTER),
        (Lie::EndIsIncluded, FILTER),
        (Lie::IgnoresStatus, FILTER),
        (Lie::IgnoresProvider, FILTER),
        (Lie::FiltersOnce, "filters_hold_together"),
        (Lie::KeepsTwins, REPEATED),
        (Lie::KeepsTwinsOfABatch, REPEATED),
        (Lie::TwinReplaces, REPEATED),
        (Lie::TwinsByTenant, REPEATED),
        (Lie::AcceptsLate, SUM),
        (Lie::LosesSilently, SUM),
        (Lie::CountsTwice, SUM),
        (Lie::EvictsForTheTooLarge, TOO_LARGE),
        (Lie::DropsTheBatch, TOO_LARGE),
    ]);
}

#[test]
fn random_play_finds_the_liars_that_need_no_special_trace() {
    random_play_finds(&[
        Lie::Forgets,
        Lie::RoundsStarts,
        Lie::OrdersByMicros,
        Lie::OrdersUnsigned,
        Lie::OldestFirst,
        Lie::TiesAsTheyArrived,
        Lie::TiesBySpan,
        Lie::GetsNewestFirst,
        Lie::GetsTheNext,
        Lie::OneSpanATrace,
        Lie::MixesTenantsInGet,
        Lie::MixesTenantsInList,
        Lie::NarrowsByFirst,
        Lie::WithinIsWhole,
        Lie::HidesNobodys,
        Lie::TenantsByPrefix,
        Lie::RepeatsAcrossPages,
        Lie::SkipsTies,
        Lie::PagesByOffset,
        Lie::AnnouncesOneMore,
        Lie::CursorIsPermission,
        Lie::CursorNeedsItsTrace,
        Lie::CursorBeatsEnd,
        Lie::IgnoresFrom,
        Lie::EndIsIncluded,
        Lie::IgnoresStatus,
        Lie::IgnoresProvider,
        Lie::FiltersOnce,
        Lie::KeepsTwins,
        Lie::KeepsTwinsOfABatch,
        Lie::TwinReplaces,
        Lie::TwinsByTenant,
    ]);
}

#[test]
fn a_broken_promise_says_how_to_play_it_again() {
    tells_its_seed(Lie::Forgets);
}
