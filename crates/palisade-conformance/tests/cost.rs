//! The rules are tested too: an honest ledger passes all of them, and every lie is caught.

mod common;

use std::{
    collections::BTreeMap,
    future::{Ready, ready},
    sync::{Mutex, MutexGuard, PoisonError},
};

use palisade_conformance::{Verdict, block_on, cost};
use palisade_core::{Dimension, Key, Money, StoreError, StoreErrorKind, Timestamp, Tokens};
use palisade_cost::{
    CostLedger, GroupBy, InMemory, RecordId, Recorded, Report, ReportOrder, ReportQuery, Totals,
    UsageRecord,
};

use common::{
    Suspect, each_breaks_the_rule_made_for_it, keeps_every_rule, random_play_finds, tells_its_seed,
    yield_once,
};

/// The ways in which a ledger may be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    /// Says that it is kept, and keeps nothing.
    Forgets,
    /// Keeps a handful, and lets the first go for each one more.
    KeepsFew,
    /// Counts a repeated record twice.
    CountsTwice,
    /// A repeated record replaces the first.
    LastStands,
    /// Says of a repeated record that it was new.
    AlwaysNew,
    /// Looks, waits, and adds what was not there when it looked.
    ChecksThenActs,
    /// Upper and lower case are one, in ids.
    FoldsIds,
    /// Upper and lower case are one, in subjects.
    FoldsSubjects,
    /// Users are summed by their own name alone, whosever they are.
    MixesTenants,
    /// A narrowed report holds everybody.
    IgnoresWithin,
    /// A report is narrowed by the first part only.
    NarrowsByFirst,
    /// What has no known cost is left out.
    LosesUnpriced,
    /// What has no known cost has cost nothing.
    UnpricedIsFree,
    /// What belongs to nobody is left out.
    LosesNobody,
    /// A report on nothing has a row of nothing, as a sum without groups does in SQL.
    RowOfNothing,
    /// A span of time that ends before it begins is turned around.
    TurnsSpans,
    /// The page begins with the last group of the page before.
    PageOverlaps,
    /// Every page is the first.
    PageStandsStill,
    /// The page after also leaves out a group.
    PageSkips,
    /// A full page always has more after it.
    FullMeansMore,
    /// There is never more.
    NeverMore,
    /// The total is that of the page.
    TotalOfPage,
    /// The end belongs to the report.
    EndsLate,
    /// The start does not belong to the report.
    StartsLate,
    /// Days before 1970 are rounded towards it.
    RoundsDays,
    /// Money is kept in whole nano-dollars.
    RoundsMoney,
    /// Money is summed in 64 bits that wrap.
    WrapsMoney,
    /// Sums stop at the largest number.
    Saturates,
    /// Of the counts, one is left out.
    LosesCitations,
    /// The cheapest come first.
    CheapestFirst,
    /// Equal costs come in reverse.
    TiesReversed,
}

struct Liar {
    lie: Lie,
    records: Mutex<Vec<UsageRecord>>,
}

impl Liar {
    fn lock(&self) -> MutexGuard<'_, Vec<UsageRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bend_record(&self, mut record: UsageRecord) -> UsageRecord {
        match self.lie {
            Lie::FoldsIds => {
                let folded = record.id.as_str().to_lowercase();
                record.id = RecordId::new(&folded).expect("a name that was one before");
            }
            Lie::FoldsSubjects => record.subject = folded(&record.subject),
            Lie::UnpricedIsFree => record.cost = record.cost.or(Some(Money::ZERO)),
            Lie::RoundsDays => {
                let nanos = record.at.as_nanos();
                let midnight = nanos / 86_400_000_000_000 * 86_400_000_000_000;
                if nanos < 0 {
                    record.at = Timestamp::from_nanos(midnight);
                }
            }
            Lie::RoundsMoney => {
                record.cost = record
                    .cost
                    .map(|cost| cost.round_up_to_nano().unwrap_or(cost));
            }
            Lie::LosesCitations => record.usage.citation = Tokens::ZERO,
            _ => {}
        }
        record
    }

    fn bend_query(&self, query: &ReportQuery) -> ReportQuery {
        let mut query = query.clone();
        match self.lie {
            Lie::FoldsSubjects => query.within = folded(&query.within),
            Lie::IgnoresWithin => query.within = Key::global(),
            Lie::NarrowsByFirst => {
                let first = query.within.parts().next();
                if let Some((dimension, value)) = first {
                    query.within = Key::new(dimension, value).expect("a part of a key");
                }
            }
            Lie::EndsLate => query.until = Timestamp::from_nanos(next(query.until)),
            Lie::StartsLate => query.from = Timestamp::from_nanos(next(query.from)),
            Lie::TurnsSpans if query.until < query.from => {
                (query.from, query.until) = (query.until, query.from);
            }
            Lie::PageStandsStill => query.after = None,
            _ => {}
        }
        query
    }

    fn group(&self, by: GroupBy, record: &UsageRecord) -> Key {
        let group = by.group_of(record);
        if self.lie == Lie::MixesTenants
            && let Some(user) = group.value(&Dimension::User)
        {
            return Key::new(Dimension::User, user).expect("a part of a key");
        }
        group
    }

    fn keep(&self, records: &mut Vec<UsageRecord>, record: UsageRecord) -> Recorded {
        let record = self.bend_record(record);
        let known = records.iter_mut().find(|known| known.id == record.id);
        match (self.lie, known) {
            (Lie::Forgets, _) => Recorded::New,
            (Lie::CountsTwice, Some(_)) => {
                records.push(record);
                Recorded::Before
            }
            (Lie::LastStands, Some(known)) => {
                *known = record;
                Recorded::Before
            }
            (Lie::AlwaysNew, Some(_)) => Recorded::New,
            (_, Some(_)) => Recorded::Before,
            (lie, None) => {
                if lie == Lie::KeepsFew && records.len() == 8 {
                    records.remove(0);
                }
                records.push(record);
                Recorded::New
            }
        }
    }

    fn sum(&self, sum: &mut Totals, of: &UsageRecord) -> Result<(), StoreError> {
        let overflow =
            |error| StoreError::new(StoreErrorKind::Invalid, "summing usage").with_source(error);
        let mut record = Totals::of(of);
        match self.lie {
            Lie::WrapsMoney => {
                let (a, b) = (sum.cost.as_pico_usd(), record.cost.as_pico_usd());
                sum.cost = Money::from_pico_usd(i128::from((a as i64).wrapping_add(b as i64)));
                record.cost = Money::ZERO;
            }
            Lie::Saturates if sum.clone().add(&record).is_err() => return Ok(()),
            _ => {}
        }
        sum.add(&record).map_err(overflow)
    }

    fn answer(&self, query: &ReportQuery) -> Result<Report, StoreError> {
        let query = self.bend_query(query);
        let mut groups: BTreeMap<Key, Totals> = BTreeMap::new();
        let mut total = Totals::default();
        for record in self.lock().iter().filter(|record| query.matches(record)) {
            let group = self.group(query.group_by, record);
            let lost = match self.lie {
                Lie::LosesUnpriced => record.cost.is_none(),
                Lie::LosesNobody => group == Key::global(),
                _ => false,
            };
            if !lost {
                self.sum(groups.entry(group).or_default(), record)?;
                self.sum(&mut total, record)?;
            }
        }
        let by_cost = query.order == ReportOrder::Cost;
        let after = query.after.as_ref().filter(|_| !by_cost);
        let mut rows: Vec<_> = groups
            .into_iter()
            .filter(|(group, _)| match (self.lie, after) {
                (Lie::PageOverlaps, Some(after)) => group >= after,
                (_, Some(after)) => group > after,
                (_, None) => true,
            })
            .map(|(group, totals)| palisade_cost::ReportRow::new(group, totals))
            .collect();
        if self.lie == Lie::PageSkips && after.is_some() && !rows.is_empty() {
            rows.remove(0);
        }
        if by_cost {
            if self.lie == Lie::TiesReversed {
                rows.reverse();
            }
            rows.sort_by_key(|row| std::cmp::Reverse(row.totals.cost));
            if self.lie == Lie::CheapestFirst {
                rows.reverse();
            }
        }
        if self.lie == Lie::RowOfNothing && rows.is_empty() {
            let nothing = Totals::default();
            rows.push(palisade_cost::ReportRow::new(Key::global(), nothing));
        }
        let mut more = rows.len() > query.limit;
        rows.truncate(query.limit);
        match self.lie {
            Lie::FullMeansMore => more = rows.len() == query.limit,
            Lie::NeverMore => more = false,
            Lie::TotalOfPage => {
                total = Totals::default();
                for row in &rows {
                    total.add(&row.totals).expect("less than the whole");
                }
            }
            _ => {}
        }
        Ok(Report::new(rows, total, more))
    }
}

impl CostLedger for Liar {
    async fn record(&self, record: UsageRecord) -> Result<Recorded, StoreError> {
        if self.lie == Lie::ChecksThenActs {
            let known = self.lock().iter().any(|known| known.id == record.id);
            yield_once().await;
            if known {
                return Ok(Recorded::Before);
            }
            self.lock().push(record);
            return Ok(Recorded::New);
        }
        Ok(self.keep(&mut self.lock(), record))
    }

    async fn report(&self, query: ReportQuery) -> Result<Report, StoreError> {
        self.answer(&query)
    }
}

fn next(at: Timestamp) -> i64 {
    at.as_nanos().saturating_add(1)
}

fn folded(key: &Key) -> Key {
    key.parts()
        .fold(Key::global(), |folded, (dimension, value)| {
            folded
                .with(dimension, value.to_ascii_lowercase())
                .expect("the parts of a key")
        })
}

fn make(lie: Lie) -> Ready<Liar> {
    ready(Liar {
        lie,
        records: Mutex::default(),
    })
}

impl Suspect for Lie {
    fn ask(self) -> Vec<(&'static str, Verdict)> {
        block_on(cost::all(&move || make(self)))
    }

    fn play(self, seed: u64) -> Verdict {
        let make = move || make(self);
        block_on(cost::agrees_with_the_model(&make, seed))
    }
}

mod honest {
    use super::{Liar, Lie, Ready};

    fn make() -> Ready<Liar> {
        super::make(Lie::None)
    }

    palisade_conformance::cost_ledger_suite!(make);
}

#[test]
fn the_ledger_in_memory_keeps_every_rule() {
    let make = || ready(InMemory::new(10_000));
    keeps_every_rule(block_on(cost::all(&make)));
    for seed in 0..50 {
        palisade_conformance::suite::hold(block_on(cost::agrees_with_the_model(&make, seed)));
    }
}

#[test]
fn every_liar_breaks_the_rule_made_for_it() {
    const ONCE: &str = "a_record_counts_once_and_the_first_one_stands";
    const NARROW: &str = "a_report_is_narrowed_by_every_part_given";
    const UNKNOWN: &str = "an_unknown_cost_is_counted_and_never_summed_as_zero";
    const PAGES: &str = "pages_hold_each_group_once_in_the_order_of_their_text";
    const SPAN: &str = "a_report_begins_with_its_start_and_ends_before_its_end";
    const DEAREST: &str = "the_dearest_come_first_and_equals_by_their_keys";
    each_breaks_the_rule_made_for_it(&[
        (Lie::Forgets, "what_was_recorded_is_in_the_next_report"),
        (Lie::KeepsFew, "what_was_recorded_is_in_the_next_report"),
        (Lie::CountsTwice, ONCE),
        (Lie::LastStands, ONCE),
        (Lie::AlwaysNew, ONCE),
        (Lie::ChecksThenActs, "racers_with_one_id_count_once"),
        (Lie::FoldsIds, "ids_that_look_alike_are_two_records"),
        (Lie::FoldsSubjects, "keys_that_look_alike_stay_apart"),
        (Lie::MixesTenants, "users_of_two_tenants_stay_apart"),
        (Lie::IgnoresWithin, "users_of_two_tenants_stay_apart"),
        (Lie::IgnoresWithin, NARROW),
        (Lie::NarrowsByFirst, NARROW),
        (Lie::LosesUnpriced, UNKNOWN),
        (Lie::UnpricedIsFree, UNKNOWN),
        (Lie::LosesNobody, "what_belongs_to_nobody_is_a_group"),
        (Lie::RowOfNothing, "an_empty_ledger_reports_nothing"),
        (Lie::TurnsSpans, "an_empty_ledger_reports_nothing"),
        (Lie::PageOverlaps, PAGES),
        (Lie::PageStandsStill, PAGES),
        (Lie::PageSkips, PAGES),
        (Lie::FullMeansMore, PAGES),
        (Lie::NeverMore, PAGES),
        (Lie::NeverMore, "the_largest_page_is_served"),
        (Lie::TotalOfPage, "the_total_is_that_of_all_pages"),
        (Lie::EndsLate, SPAN),
        (Lie::StartsLate, SPAN),
        (Lie::RoundsDays, "days_are_those_of_utc_also_before_1970"),
        (Lie::RoundsMoney, "the_finest_amounts_add_up_exactly"),
        (Lie::WrapsMoney, "the_finest_amounts_add_up_exactly"),
        (
            Lie::Saturates,
            "a_sum_that_does_not_fit_is_refused_and_never_wraps",
        ),
        (Lie::LosesCitations, "every_count_is_summed"),
        (Lie::CheapestFirst, DEAREST),
        (Lie::TiesReversed, DEAREST),
    ]);
}

#[test]
fn random_play_finds_the_liars_that_need_no_race_and_no_absurd_sum() {
    random_play_finds(&[
        Lie::Forgets,
        Lie::KeepsFew,
        Lie::CountsTwice,
        Lie::LastStands,
        Lie::AlwaysNew,
        Lie::FoldsSubjects,
        Lie::MixesTenants,
        Lie::IgnoresWithin,
        Lie::NarrowsByFirst,
        Lie::LosesUnpriced,
        Lie::UnpricedIsFree,
        Lie::LosesNobody,
        Lie::RowOfNothing,
        Lie::PageOverlaps,
        Lie::PageStandsStill,
        Lie::PageSkips,
        Lie::FullMeansMore,
        Lie::NeverMore,
        Lie::TotalOfPage,
        Lie::EndsLate,
        Lie::StartsLate,
        Lie::RoundsDays,
        Lie::RoundsMoney,
        Lie::WrapsMoney,
        Lie::LosesCitations,
        Lie::CheapestFirst,
        Lie::TiesReversed,
    ]);
}

#[test]
fn a_broken_promise_says_how_to_play_it_again() {
    tells_its_seed(Lie::Forgets);
}
