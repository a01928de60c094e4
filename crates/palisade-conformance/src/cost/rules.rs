//! The rules, one function each, named after the promise.

#![expect(
    clippy::missing_errors_doc,
    reason = "a rule's one error is that the promise it is named after is broken"
)]

use palisade_core::{Key, ModelId, Money, StoreErrorKind, Timestamp, Tokens};
use palisade_cost::{
    CostLedger, CostStatus, GroupBy, Layer, Recorded, Report, ReportOrder, ReportQuery, Totals,
};

use super::{
    Make,
    bench::{NOON, always, bench, key, plain, record},
};
use crate::{Broken, Verdict, join_all, verdict::ensure};

/// Nothing recorded, or nothing in the time asked for, is a report without groups and a total of nothing.
pub async fn an_empty_ledger_reports_nothing<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let nothing = |found: &Report| *found == Report::default();
    for by in GroupBy::ALL {
        let found = bench.report(always(by)).await?;
        ensure!(
            nothing(&found),
            "expected nothing by {by:?}, found {found:?}"
        );
    }
    bench.keep(record("a", "org=acme")?).await?;
    let backwards = ReportQuery::new(Timestamp::MAX, Timestamp::MIN, GroupBy::Org);
    let found = bench.report(backwards).await?;
    ensure!(nothing(&found), "no time at all held {found:?}");
    Ok(())
}

/// Once `record` has answered, every report holds the record; nothing is put off and nothing dropped.
pub async fn what_was_recorded_is_in_the_next_report<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    for count in 1..=60_u64 {
        bench
            .keep(record(&format!("r{count}"), "org=acme")?)
            .await?;
        let total = bench.report(always(GroupBy::Org)).await?.total;
        ensure!(
            total.calls == count && total.cost == Money::from_pico_usd(1_000 * i128::from(count)),
            "after {count} records found {total:?}"
        );
    }
    Ok(())
}

/// An id that comes again is answered as such and changes nothing, however the rest of the record differs.
pub async fn a_record_counts_once_and_the_first_one_stands<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let first = record("a", "org=acme")?;
    bench.keep(first.clone()).await?;
    bench.keep(record("b", "org=acme")?).await?;
    let before = bench.report(always(GroupBy::Org)).await?;
    let mut other = record("a", "org=other")?;
    other.at = Timestamp::from_secs(0);
    other.usage.input = Tokens::new(7);
    let dearer = first
        .clone()
        .with_cost(Some(Money::from_usd(9)), CostStatus::Priced);
    let unpriced = first.clone().with_cost(None, CostStatus::UsageMissing);
    for again in [first, other, dearer, unpriced] {
        let answer = bench.ledger.record(again.clone()).await?;
        ensure!(
            answer == Recorded::Before,
            "{again:?} had come before, found {answer:?}"
        );
        let after = bench.report(always(GroupBy::Org)).await?;
        ensure!(
            after == before,
            "a repeated record made {after:?} of {before:?}"
        );
    }
    Ok(())
}

/// An id is what it is, byte by byte.
pub async fn ids_that_look_alike_are_two_records<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let long = "r".repeat(127);
    let ids = [
        "a", "A", "a#1", "a#2", "a#10", "1", "01", "1.0", "a%", "a_", "ab", "'", "''", "null",
    ];
    let ends = [format!("{long}1"), format!("{long}2")];
    for id in ids.into_iter().chain(ends.iter().map(String::as_str)) {
        bench.keep(record(id, "")?).await?;
    }
    let calls = bench.report(always(GroupBy::Org)).await?.total.calls;
    ensure!(calls == 16, "expected 16 records, found {calls}");
    Ok(())
}

/// Who cannot be priced is no one who pays nothing: the call and its tokens are in the report, and the report says that
/// its cost is a lower bound. A cost of zero is a known one.
pub async fn an_unknown_cost_is_counted_and_never_summed_as_zero<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let unknown = [
        CostStatus::UsagePartial,
        CostStatus::UsageMissing,
        CostStatus::InvalidUsage,
        CostStatus::UnknownModel,
    ];
    bench.keep(record("known", "org=acme")?).await?;
    let free = record("free", "org=acme")?.with_cost(Some(Money::ZERO), CostStatus::NotBilled);
    bench.keep(free).await?;
    for status in unknown {
        let lost = record(status.as_str(), "org=acme")?.with_cost(None, status);
        bench.keep(lost).await?;
    }
    let only = record("only", "org=unpriced")?.with_cost(None, CostStatus::UnknownModel);
    bench.keep(only).await?;
    let report = bench.report(always(GroupBy::Org)).await?;
    let of = |totals: &Totals| {
        let (calls, unknown) = (totals.calls, totals.calls_of_unknown_cost);
        (
            calls,
            unknown,
            totals.usage.input.get(),
            totals.cost.as_pico_usd(),
        )
    };
    let found: Vec<_> = report.rows.iter().map(|row| of(&row.totals)).collect();
    let expected = [(6, 4, 6_000, 1_000), (1, 1, 1_000, 0)];
    ensure!(
        found == expected && of(&report.total) == (7, 5, 7_000, 1_000),
        "calls, of unknown cost, input, pico-dollars: expected {expected:?}, found {report:?}"
    );
    Ok(())
}

/// None of the fourteen counts is left out or taken for another.
pub async fn every_count_is_summed<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let mut expected = record("sum", "")?.usage;
    expected.input = Tokens::ZERO;
    expected.output = Tokens::ZERO;
    for round in 0..3_u64 {
        let mut record = record(&format!("r{round}"), "")?;
        let usage = &mut record.usage;
        let tokens = [
            &mut usage.input,
            &mut usage.output,
            &mut usage.cache_read,
            &mut usage.cache_write_5m,
            &mut usage.cache_write_1h,
            &mut usage.reasoning,
            &mut usage.input_audio,
            &mut usage.output_audio,
            &mut usage.cache_read_audio,
            &mut usage.input_image,
            &mut usage.input_video,
            &mut usage.citation,
        ];
        // Each count has digits of its own, so that no two sums are the same.
        for (place, count) in (1_u64..).zip(tokens) {
            *count = Tokens::new(place * 1_000 + round);
        }
        (usage.web_search_requests, usage.search_units) = (13_000 + round, 14_000 + round);
        expected = plain(expected.checked_add(usage))?;
        bench.keep(record).await?;
    }
    let found = bench.report(always(GroupBy::Model)).await?.total.usage;
    ensure!(found == expected, "expected {expected:?}, found {found:?}");
    Ok(())
}

/// A pico-dollar beside billions of dollars is still there, and what is given back is taken off.
pub async fn the_finest_amounts_add_up_exactly<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let mut expected: i128 = 0;
    let amounts = [
        1,
        1,
        999,
        -3,
        i128::from(i64::MAX),
        i128::from(i64::MAX),
        i128::from(i64::MIN),
        10_i128.pow(24) + 1,
        1 << 53,
        1,
    ];
    for (place, pico) in amounts.into_iter().enumerate() {
        let cost = Some(Money::from_pico_usd(pico));
        let exact = record(&format!("r{place}"), "")?.with_cost(cost, CostStatus::Priced);
        bench.keep(exact).await?;
        expected += pico;
        let found = bench.report(always(GroupBy::Org)).await?.total.cost;
        ensure!(
            found.as_pico_usd() == expected,
            "expected {expected} pico-dollars, found {}",
            found.as_pico_usd()
        );
    }
    Ok(())
}

/// The largest sum that fits is told, and one more is an error, for counts as for money. What does not hold the large
/// ones can still be asked for.
pub async fn a_sum_that_does_not_fit_is_refused_and_never_wraps<M: Make>(make: &M) -> Verdict {
    for of_money in [true, false] {
        let bench = bench(make).await;
        let mut largest = record("largest", "org=acme")?;
        let mut one = record("one", "org=acme")?;
        if of_money {
            largest.cost = Some(Money::from_pico_usd(i128::MAX - 1_000));
        } else {
            largest.usage.input = Tokens::new(u64::MAX - 1_000);
            one.usage.input = Tokens::new(1_000);
        }
        bench.keep(largest).await?;
        bench.keep(one).await?;
        let total = bench.report(always(GroupBy::Org)).await?.total;
        ensure!(
            if of_money {
                total.cost == Money::MAX
            } else {
                total.usage.input.get() == u64::MAX
            },
            "the largest sum that fits was told as {total:?}"
        );
        // Of another group, so that only the total is too large.
        bench.keep(record("over", "org=other")?).await?;
        match bench.ledger.report(always(GroupBy::Org)).await {
            Err(error) if error.kind() == StoreErrorKind::Invalid => {}
            found => {
                return Err(Broken::new(format!(
                    "a sum that does not fit: expected an error of kind Invalid, found {found:?}"
                )));
            }
        }
        let other = plain(always(GroupBy::Org).with_within(key("org=other")?))?;
        bench.has(other, &["org=other: 1"]).await?;
    }
    Ok(())
}

/// Two reports that follow each other hold each record once: the start belongs to a report and the end does not.
pub async fn a_report_begins_with_its_start_and_ends_before_its_end<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let times = [-1, 0, 1, 999_999_999, 1_000_000_000, 1_000_000_001];
    for (place, nanos) in times.into_iter().enumerate() {
        let mut at = record(&format!("r{place}"), "")?;
        at.at = Timestamp::from_nanos(NOON.as_nanos() + nanos);
        bench.keep(at).await?;
    }
    for (from, until, expected) in [
        (0, 1_000_000_000, 3),
        (1_000_000_000, 2_000_000_000, 2),
        (-1, 0, 1),
        (1, 2, 1),
        (2, 3, 0),
        (0, 0, 0),
    ] {
        let at = |nanos| Timestamp::from_nanos(NOON.as_nanos() + nanos);
        let query = ReportQuery::new(at(from), at(until), GroupBy::Day);
        let calls = bench.report(query).await?.total.calls;
        ensure!(
            calls == expected,
            "from {from} until {until} ns: expected {expected} records, found {calls}"
        );
    }
    Ok(())
}

/// A day begins at midnight UTC to the nanosecond, and those before 1970 are no exception.
pub async fn days_are_those_of_utc_also_before_1970<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let day = 86_400_000_000_000;
    let leap = 1_709_164_800_000_000_000;
    let times = [-day - 1, -day, -1, 0, day - 1, day, leap, leap + day - 1];
    for (place, nanos) in times.into_iter().enumerate() {
        let mut at = record(&format!("r{place}"), "")?;
        at.at = Timestamp::from_nanos(nanos);
        bench.keep(at).await?;
    }
    let expected = [
        "day=1969-12-30: 1",
        "day=1969-12-31: 2",
        "day=1970-01-01: 2",
        "day=1970-01-02: 1",
        "day=2024-02-29: 2",
    ];
    bench.has(always(GroupBy::Day), &expected).await
}

/// The names of groups are the room's, whichever way they are formed.
pub async fn every_way_to_group_names_its_groups<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let mut routed = record("routed", "org=acme/project=p/user=8/api_key=k/ip=1.2.3.4")?
        .with_layer(plain(Layer::new("router"))?)
        .with_cost(None, CostStatus::UnknownModel);
    routed.model = plain(ModelId::new("groq", "openai/gpt-oss-20b"))?;
    bench.keep(routed).await?;
    for id in ["a", "b"] {
        bench.keep(record(id, "org=acme/user=7")?).await?;
    }
    for (by, first, second) in [
        (
            GroupBy::Model,
            "provider=groq/model=openai%2Fgpt-oss-20b: 1",
            "provider=openai/model=gpt-4o: 2",
        ),
        (GroupBy::Project, "org=acme: 2", "org=acme/project=p: 1"),
        (GroupBy::User, "org=acme/user=7: 2", "org=acme/user=8: 1"),
        (GroupBy::Layer, "layer=answer: 2", "layer=router: 1"),
        (
            GroupBy::Status,
            "status=priced: 2",
            "status=unknown_model: 1",
        ),
    ] {
        bench.has(always(by), &[first, second]).await?;
    }
    bench.has(always(GroupBy::Org), &["org=acme: 3"]).await?;
    bench
        .has(always(GroupBy::Day), &["day=2026-03-02: 3"])
        .await
}

/// Records that name nobody are summed under the key without parts, and none of them goes missing.
pub async fn what_belongs_to_nobody_is_a_group<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    bench.keep(record("a", "")?).await?;
    bench.keep(record("b", "ip=1.2.3.4")?).await?;
    bench.keep(record("c", "org=acme")?).await?;
    bench.keep(record("d", "user=7")?).await?;
    bench
        .has(always(GroupBy::Org), &[": 3", "org=acme: 1"])
        .await?;
    let users = [": 2", "org=acme: 1", "user=7: 1"];
    bench.has(always(GroupBy::User), &users).await
}

/// Two tenants may both have a user 7 and a project p: nobody sees, or pays for, what the other's did.
pub async fn users_of_two_tenants_stay_apart<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    for (place, subject) in [
        "org=acme/project=p/user=7",
        "org=acme/project=p/user=7",
        "org=other/project=p/user=7",
        "project=p/user=7",
    ]
    .into_iter()
    .enumerate()
    {
        bench.keep(record(&format!("r{place}"), subject)?).await?;
    }
    let users = ["org=acme/user=7: 2", "org=other/user=7: 1", "user=7: 1"];
    bench.has(always(GroupBy::User), &users).await?;
    let projects = [
        "org=acme/project=p: 2",
        "org=other/project=p: 1",
        "project=p: 1",
    ];
    bench.has(always(GroupBy::Project), &projects).await?;
    let other = plain(always(GroupBy::User).with_within(key("org=other")?))?;
    let report = bench.report(other.clone()).await?;
    ensure!(
        report.total.calls == 1,
        "a tenant of one record was told of {:?}",
        report.total
    );
    bench.has(other, &["org=other/user=7: 1"]).await
}

/// Case, wildcards, escapes and quotes are part of a name: what only looks like somebody is somebody else.
pub async fn keys_that_look_alike_stay_apart<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    // In the order of their bytes. Each of them alone is asked for below.
    let subjects: Vec<Key> = ["%", "'", "_", "a", "A", "a ", "ab", "acme/user=7", "\u{e4}"]
        .into_iter()
        .map(|org| plain(Key::new(palisade_core::Dimension::Org, org)))
        .collect::<Result<_, _>>()?;
    for (place, subject) in subjects.iter().enumerate() {
        let mut own = record(&format!("r{place}"), "")?;
        own.subject = subject.clone();
        bench.keep(own).await?;
    }
    let groups = bench.report(always(GroupBy::Org)).await?.rows.len();
    ensure!(
        groups == subjects.len(),
        "{} tenants became {groups}",
        subjects.len()
    );
    for subject in &subjects {
        let own = plain(always(GroupBy::Org).with_within(subject.clone()))?;
        bench.has(own, &[&format!("{subject}: 1")]).await?;
    }
    Ok(())
}

/// Organisation, project, user and API key narrow a report, each and together, and the total with it.
pub async fn a_report_is_narrowed_by_every_part_given<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    for (id, subject) in [
        ("a", "org=acme/project=p/user=7/api_key=k"),
        ("b", "org=acme/project=p/user=8/api_key=k"),
        ("c", "org=acme/project=q/user=7/api_key=l"),
        ("d", "org=other/project=p/user=7/api_key=m"),
        ("e", "user=7"),
        ("f", ""),
    ] {
        bench.keep(record(id, subject)?).await?;
    }
    for (within, expected) in [
        ("", 6),
        ("org=acme", 3),
        ("project=p", 3),
        ("user=7", 4),
        ("api_key=k", 2),
        ("org=acme/user=7", 2),
        ("org=acme/project=p/user=7", 1),
        ("org=acme/project=p/user=7/api_key=l", 0),
        ("org=nobody", 0),
    ] {
        for by in GroupBy::ALL {
            let report = bench
                .report(plain(always(by).with_within(key(within)?))?)
                .await?;
            let in_rows: u64 = report.rows.iter().map(|row| row.totals.calls).sum();
            ensure!(
                report.total.calls == expected && in_rows == expected,
                "within {within:?} by {by:?}: expected {expected} records, found {report:?}"
            );
        }
    }
    Ok(())
}

/// Whoever asks for the page after the last group, until there is no more, sees every group once, in order.
pub async fn pages_hold_each_group_once_in_the_order_of_their_text<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let mut expected = Vec::new();
    for user in 0..12 {
        let subject = format!("org=acme/user={user}");
        bench
            .keep(record(&subject.replace('/', "."), &subject)?)
            .await?;
        expected.push(subject);
    }
    expected.sort();
    for limit in [1, 4, 5, 11, 12, 13] {
        let mut query = plain(always(GroupBy::User).with_limit(limit))?;
        let mut found = Vec::new();
        // One page more than there are groups: a ledger that never ends must not keep the test.
        for page in 0..=expected.len() {
            let report = bench.report(query.clone()).await?;
            found.extend(report.rows.iter().map(|row| row.group.to_string()));
            let more = found.len() < expected.len();
            ensure!(
                report.more == more && report.rows.len() <= limit,
                "page {page} of at most {limit} groups: expected more = {more}, found {report:?}"
            );
            match report.rows.last() {
                Some(last) if report.more => query = query.with_after(last.group.clone()),
                _ => break,
            }
        }
        ensure!(
            found == expected,
            "pages of {limit}: expected {expected:?}, found {found:?}"
        );
    }
    // A page may begin after a group that is not there.
    let after = always(GroupBy::User).with_after(key("org=acme/user=70")?);
    let rest = ["org=acme/user=8: 1", "org=acme/user=9: 1"];
    bench.has(after, &rest).await
}

/// A page tells what all groups come to, also those before it and after it.
pub async fn the_total_is_that_of_all_pages<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    for user in 0..7 {
        bench
            .keep(record(
                &format!("r{user}"),
                &format!("org=acme/user={user}"),
            )?)
            .await?;
    }
    let whole = bench.report(always(GroupBy::User)).await?.total;
    ensure!(whole.calls == 7, "expected seven calls, found {whole:?}");
    for order in [ReportOrder::Group, ReportOrder::Cost] {
        for after in ["", "org=acme/user=3", "org=acme/user=6", "user=z"] {
            let query = always(GroupBy::User).with_order(order);
            let query = plain(query.with_after(key(after)?).with_limit(2))?;
            let total = bench.report(query).await?.total;
            ensure!(
                total == whole,
                "the page after {after:?}, ordered by {order:?}, has the total {total:?}"
            );
        }
    }
    Ok(())
}

/// Ordered by cost, the greatest come first, equal ones by their keys, and those that cannot be priced count as what is
/// known of them. There is one page, wherever it is asked to begin.
pub async fn the_dearest_come_first_and_equals_by_their_keys<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    for (org, pico) in [
        ("e", Some(5)),
        ("d", Some(1)),
        ("b", Some(1)),
        ("a", Some(-1)),
        ("c", Some(10_i128.pow(20))),
        ("f", None),
    ] {
        let cost = pico.map(Money::from_pico_usd);
        let priced = record(org, &format!("org={org}"))?.with_cost(cost, CostStatus::Priced);
        bench.keep(priced).await?;
    }
    let query = always(GroupBy::Org).with_order(ReportOrder::Cost);
    let all = [
        "org=c: 1", "org=e: 1", "org=b: 1", "org=d: 1", "org=f: 1", "org=a: 1",
    ];
    bench.has(query.clone(), &all).await?;
    bench
        .has(query.clone().with_after(key("org=e")?), &all)
        .await?;
    for (limit, more) in [(3, true), (5, true), (6, false)] {
        let page = plain(query.clone().with_limit(limit))?;
        bench.has(page.clone(), &all[..limit]).await?;
        let found = bench.report(page).await?.more;
        ensure!(
            found == more,
            "the {limit} dearest of six: expected more = {more}, found {found}"
        );
    }
    Ok(())
}

/// A page of the most groups there may be comes whole, and says that there is one group more.
pub async fn the_largest_page_is_served<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let users: Vec<usize> = (0..=ReportQuery::LIMIT_MAX).collect();
    for some in users.chunks(50) {
        let each = some.iter().map(async |user| {
            bench
                .keep(record(&format!("r{user}"), &format!("user={user}"))?)
                .await
        });
        join_all(each).await.into_iter().collect::<Verdict>()?;
    }
    let query = plain(always(GroupBy::User).with_limit(ReportQuery::LIMIT_MAX))?;
    let report = bench.report(query).await?;
    let (rows, calls) = (report.rows.len(), report.total.calls);
    ensure!(
        rows == 1_000 && calls == 1_001 && report.more,
        "expected 1,000 of 1,001 groups and more, found {rows} of {calls}, more = {}",
        report.more
    );
    Ok(())
}

/// Of many who record one id at once, one is told that it was new, and it counts once.
pub async fn racers_with_one_id_count_once<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    for round in 0..5_u64 {
        let id = format!("r{round}");
        let racers = (0..30).map(async |_| -> Result<Recorded, Broken> {
            Ok(bench.ledger.record(record(&id, "org=acme")?).await?)
        });
        let mut new = 0;
        for answer in join_all(racers).await {
            new += u64::from(answer? == Recorded::New);
        }
        let calls = bench.report(always(GroupBy::Org)).await?.total.calls;
        ensure!(
            new == 1 && calls == round + 1,
            "round {round}: new to {new} of 30, {calls} records in the report"
        );
    }
    Ok(())
}
