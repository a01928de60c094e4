//! The rules, one function each, named after the promise.

#![expect(
    clippy::missing_errors_doc,
    reason = "a rule's one error is that the promise it is named after is broken"
)]

use palisade_core::{Key, Timestamp};
use palisade_trace::{Cursor, Loss, Trace, TraceQuery, TraceSink, TraceStatus, TraceStore};

use super::{
    Make, Store,
    bench::{
        Bench, NARROW, at, bench, full, id, key, large, model, narrow_bench, number, numbers,
        pages_of, request, span,
    },
};
use crate::{Broken, Random, Verdict, verdict::ensure};

/// Every field of every kind of step reads back as it was, to the nanosecond and the last digit, and so does a bare trace.
pub async fn a_trace_comes_back_as_it_went_in<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let before_1970 = Timestamp::from_nanos(-5);
    let traces = [full(2)?, request(1, before_1970, &Key::global())?];
    bench.record(traces.clone()).await?;
    for trace in &traces {
        let found = bench.store.get(trace.summary.id, &Key::global()).await?;
        ensure!(
            found == std::slice::from_ref(trace),
            "expected {trace:?}, found {found:?}"
        );
    }
    let listed = bench.walk(&TraceQuery::new(Key::global())).await?;
    let expected = traces.map(|trace| trace.summary);
    ensure!(
        listed == expected,
        "expected {expected:?}, found {listed:?}"
    );
    Ok(())
}

/// Nothing is there until something was recorded, and no other trace stands in for one that is not.
pub async fn an_unknown_trace_is_an_empty_answer<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let everybody = TraceQuery::new(Key::global());
    bench.shows(&everybody, &[]).await?;
    bench
        .record([request(1, at(0), &key("org=acme")?)?])
        .await?;
    for unknown in [0, 2] {
        let found = bench.store.get(id(unknown)?, &Key::global()).await?;
        ensure!(found.is_empty(), "expected nothing, found {found:?}");
    }
    bench.shows(&everybody, &[1]).await
}

/// Requests that share a trace are told apart by their spans and come in the order in which they began.
pub async fn requests_of_one_trace_come_together_the_oldest_first<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (bench(make).await, key("org=acme")?);
    let mut traces = vec![request(9, at(2), &acme)?];
    for (number, secs) in [(3, 5), (0, 1), (2, 3), (1, 3), (4, 0)] {
        let mut trace = request(number, at(secs), &acme)?;
        trace.summary.id = id(7)?;
        traces.push(trace);
    }
    bench.record(traces).await?;
    let found = answer(&bench, 7, &acme).await?;
    ensure!(
        found == [4, 0, 1, 2, 3],
        "expected [4, 0, 1, 2, 3], found {found:?}"
    );
    Ok(())
}

/// However many requests share a trace, an answer holds the oldest of them, as many as fit on the largest page.
pub async fn one_trace_shows_no_more_requests_than_a_page_may_hold<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (bench(make).await, key("org=acme")?);
    let most = TraceQuery::LIMIT_MAX as u64;
    let mut traces = Vec::new();
    for number in 0..most + 2 {
        let secs = i64::try_from(number).unwrap_or(0);
        let mut trace = request(number, at(secs), &acme)?;
        trace.summary.id = id(7)?;
        traces.push(trace);
    }
    traces.reverse();
    bench.record(traces).await?;
    let found = answer(&bench, 7, &acme).await?;
    ensure!(
        found == (0..most).collect::<Vec<_>>(),
        "expected the oldest {most}, found {found:?}"
    );
    let query = pages_of(TraceQuery::new(acme), TraceQuery::LIMIT_MAX)?;
    bench
        .shows(&query, &(0..most + 2).rev().collect::<Vec<_>>())
        .await
}

/// By start, to the nanosecond, then by the ids, and never by arrival.
pub async fn the_newest_come_first<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (bench(make).await, key("org=acme")?);
    let noon = at(0).as_nanos();
    let mut traces = Vec::new();
    for (number, nanos) in [(6, -1), (1, 2), (2, 1)] {
        traces.push(request(number, Timestamp::from_nanos(noon + nanos), &acme)?);
    }
    // By the trace before the span.
    for (number, trace) in [(4, 16), (3, 17), (5, 15), (9, 17)] {
        let mut at_noon = request(number, at(0), &acme)?;
        at_noon.summary.id = id(trace)?;
        traces.push(at_noon);
    }
    traces.push(request(7, Timestamp::from_nanos(-1), &acme)?);
    traces.push(request(8, Timestamp::from_nanos(1), &acme)?);
    bench.record(traces).await?;
    let expected = [1, 2, 9, 3, 4, 5, 6, 8, 7];
    bench.shows(&TraceQuery::new(acme), &expected).await
}

/// Who asks within a key is shown what every part of it is true of, by either question, and nothing else.
pub async fn no_tenant_is_shown_anothers_traces<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let principals = [
        "",
        "org=acme",
        "org=acme/user=ann",
        "org=bolt",
        "org=bolt/user=ann",
        "org=acme/project=p/user=ann",
    ];
    record_for(&bench, &principals).await?;
    for (within, expected) in [
        ("", &[0, 1, 2, 3, 4, 5][..]),
        ("org=acme", &[1, 2, 5]),
        ("org=bolt", &[3, 4]),
        ("user=ann", &[2, 4, 5]),
        ("org=acme/user=ann", &[2, 5]),
        ("project=p", &[5]),
        ("org=acme/user=bob", &[]),
        ("org=corp", &[]),
    ] {
        sees(&bench, within, expected).await?;
    }
    Ok(())
}

/// Neither case nor a prefix, neither a wildcard of a search nor an escape makes one principal another.
pub async fn principals_that_look_alike_stay_apart<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let principals = [
        "org=acme",
        "org=ACME",
        "org=acme2",
        "user=acme",
        "org=ac%25",
        "org=ac_e",
        "org=acme%2Fuser%3Dann",
        "org=acme/user=ann",
        "org=ac",
        "org=x/user=ann2",
    ];
    record_for(&bench, &principals).await?;
    for (within, expected) in [
        ("org=acme", &[0, 7][..]),
        ("org=ACME", &[1]),
        ("org=acme2", &[2]),
        ("user=acme", &[3]),
        ("org=ac%25", &[4]),
        ("org=ac_e", &[5]),
        ("org=acme%2Fuser%3Dann", &[6]),
        ("user=ann", &[7]),
        ("org=ac", &[8]),
        ("user=ann2", &[9]),
        ("user=ann%25", &[]),
    ] {
        sees(&bench, within, expected).await?;
    }
    Ok(())
}

/// Every trace is on exactly one page, whatever the size of the pages, also where several began at the same time.
pub async fn pages_have_no_gap_and_no_duplicate<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (bench(make).await, key("org=acme")?);
    let mut traces = Vec::new();
    for number in 0..24 {
        // Six to a second.
        let secs = i64::try_from(number / 6).unwrap_or(0);
        traces.push(request(number, at(secs), &acme)?);
    }
    bench.record(traces).await?;
    let expected: Vec<u64> = (0..24).rev().collect();
    for limit in [1, 2, 3, 5, 6, 7, 12, 23, 24, 25, TraceQuery::LIMIT_MAX] {
        let query = pages_of(TraceQuery::new(acme.clone()), limit)?;
        bench.shows(&query, &expected).await?;
    }
    Ok(())
}

/// Traces that come while somebody reads, newer or older, move nothing that was there.
pub async fn pages_stay_whole_while_others_record<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (bench(make).await, key("org=acme")?);
    for number in 0..20 {
        let secs = i64::try_from(number).unwrap_or(0);
        bench
            .record([request(number, at(10 * secs), &acme)?])
            .await?;
    }
    let mut query = pages_of(TraceQuery::new(acme.clone()), 3)?;
    let (mut found, mut others) = (Vec::new(), 100);
    let mut pages = 0;
    loop {
        pages += 1;
        ensure!(pages <= 100, "the walk comes to no end, found {found:?}");
        let page = bench.store.list(&query).await?;
        found.extend(numbers(&page.items).into_iter().filter(|n| *n < 100));
        let Some(next) = page.next else { break };
        query = query.with_after(next);
        // While the walk is not much longer than it should be.
        if others < 130 {
            let newest = request(others, at(1_000), &acme)?;
            let close = request(others + 1, at(10 * 5 + 1), &acme)?;
            bench.record([newest, close]).await?;
            others += 2;
        }
        ensure!(found.len() <= 20, "found more than there were: {found:?}");
    }
    let expected: Vec<u64> = (0..20).rev().collect();
    ensure!(found == expected, "expected {expected:?}, found {found:?}");
    Ok(())
}

/// A cursor is a place: with one from another tenant's page, a query still shows its own traces only.
pub async fn a_cursor_shows_nothing_that_the_query_would_not<M: Make>(make: &M) -> Verdict {
    let (bench, acme, bolt) = (bench(make).await, key("org=acme")?, key("org=bolt")?);
    for number in 0..8 {
        let who = if number % 2 == 0 { &acme } else { &bolt };
        let secs = i64::try_from(number).unwrap_or(0);
        bench.record([request(number, at(secs), who)?]).await?;
    }
    let first = pages_of(TraceQuery::new(acme), 2)?;
    let page = bench.store.list(&first).await?;
    let Some(cursor) = page.next else {
        return Err(Broken::new(format!("expected a next page, found {page:?}")));
    };
    bench
        .shows(&TraceQuery::new(bolt).with_after(cursor), &[3, 1])
        .await
}

/// A cursor is a place: nothing needs to be there, and the bounds of the query hold on either side of it.
pub async fn a_page_may_begin_where_no_trace_is<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (bench(make).await, key("org=acme")?);
    for number in [0, 2, 4, 6] {
        // Two at a time.
        let secs = i64::try_from(number / 4).unwrap_or(0);
        bench.record([request(number, at(secs), &acme)?]).await?;
    }
    let everything = TraceQuery::new(acme.clone());
    for (number, secs, expected) in [
        (9, 9, &[6, 4, 2, 0][..]),
        (7, 1, &[6, 4, 2, 0]),
        (5, 1, &[4, 2, 0]),
        (3, 1, &[2, 0]),
        (1, 0, &[0]),
        (9, -9, &[]),
    ] {
        let nowhere = request(number, at(secs), &acme)?.summary;
        let query = everything.clone().with_after(Cursor::of(&nowhere));
        bench.shows(&query, expected).await?;
        bench.shows(&pages_of(query, 1)?, expected).await?;
    }
    let newest = Cursor::of(&request(6, at(1), &acme)?.summary);
    let query = everything.with_after(newest);
    bench.shows(&query.clone().with_to(at(1)), &[2, 0]).await?;
    bench.shows(&query.clone().with_from(at(1)), &[4]).await?;
    bench.shows(&query.with_from(at(2)), &[]).await
}

/// The beginning of a time is in it and the end is not; a status and a model are themselves and nothing like them.
pub async fn every_filter_holds_alone<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (bench(make).await, key("org=acme")?);
    bench.record(varied(&acme)?).await?;
    let everything = TraceQuery::new(acme);
    let all = || everything.clone();
    let tick = |nanos| Timestamp::from_nanos(at(4).as_nanos() + nanos);
    bench
        .shows(&all().with_from(tick(0)), &[7, 6, 5, 4])
        .await?;
    bench.shows(&all().with_from(tick(1)), &[7, 6, 5]).await?;
    bench.shows(&all().with_to(tick(0)), &[3, 2, 1, 0]).await?;
    bench
        .shows(&all().with_to(tick(1)), &[4, 3, 2, 1, 0])
        .await?;
    for (status, expected) in [
        (TraceStatus::Ok, [4, 0]),
        (TraceStatus::Refused, [5, 1]),
        (TraceStatus::Failed, [6, 2]),
        (TraceStatus::Abandoned, [7, 3]),
    ] {
        bench.shows(&all().with_status(status), &expected).await?;
    }
    for (provider, name, expected) in [
        ("openai", "small", &[5, 0][..]),
        ("azure", "small", &[1]),
        ("openai", "smaller", &[2]),
        ("openai", "Small", &[3]),
        ("openai", "sm%", &[]),
    ] {
        let query = all().with_model(model(provider, name)?);
        bench.shows(&query, expected).await?;
    }
    Ok(())
}

/// All filters of a query hold, and they hold on every page.
pub async fn filters_hold_together<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (bench(make).await, key("org=acme")?);
    let mut traces = varied(&acme)?;
    for number in 20..40 {
        let mut trace = request(number, at(5), &acme)?;
        trace.summary.model = Some(model("openai", "small")?);
        trace.summary.status = if number % 2 == 0 {
            TraceStatus::Refused
        } else {
            TraceStatus::Ok
        };
        traces.push(trace);
    }
    traces.push(request(50, at(5), &key("org=bolt")?)?);
    bench.record(traces).await?;
    let query = TraceQuery::new(acme)
        .with_from(at(5))
        .with_to(at(6))
        .with_status(TraceStatus::Refused)
        .with_model(model("openai", "small")?);
    let mut expected: Vec<u64> = (20..40).rev().filter(|number| number % 2 == 0).collect();
    expected.push(5);
    for limit in [1, 4, 11, 50] {
        bench
            .shows(&pages_of(query.clone(), limit)?, &expected)
            .await?;
    }
    bench.shows(&query.with_from(at(6)), &[]).await
}

/// A trace with ids that are there already is counted as a duplicate and changes nothing, whatever else it says; one
/// that shares only one of the two ids is another.
pub async fn a_repeated_trace_counts_once<M: Make>(make: &M) -> Verdict {
    let (bench, acme, bolt) = (bench(make).await, key("org=acme")?, key("org=bolt")?);
    let first = request(1, at(1), &acme)?;
    let (later, elsewhere) = (request(1, at(9), &acme)?, request(1, at(1), &bolt)?);
    // At once, and after it was written.
    bench.record([first.clone(), first.clone()]).await?;
    bench.record([first.clone(), later, elsewhere]).await?;
    let (mut other_span, mut other_trace) = (first.clone(), first.clone());
    other_span.summary.span = span(2)?;
    other_trace.summary.id = id(2)?;
    bench.record([other_span, other_trace]).await?;

    let losses = bench.store.losses();
    ensure!(
        losses.accepted() == 7 && losses.by(Loss::Duplicate) == 4 && losses.total() == 4,
        "expected 7 accepted and 4 duplicates, found {losses:?}"
    );
    let found = bench.store.get(id(1)?, &acme).await?;
    ensure!(
        found.first() == Some(&first) && found.len() == 2,
        "expected the first and another span, found {found:?}"
    );
    bench.shows(&TraceQuery::new(acme), &[1, 2, 1]).await?;
    bench.shows(&TraceQuery::new(bolt), &[]).await
}

/// Threads that record at the same time find every trace kept and counted.
pub async fn recorders_at_once_lose_nothing<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (bench(make).await, key("org=acme")?);
    let mut shares: Vec<Vec<Trace>> = vec![Vec::new(); 4];
    for number in 0..400 {
        let secs = i64::try_from(number % 40).unwrap_or(0);
        if let Some(share) = shares.get_mut(usize::try_from(number % 4).unwrap_or(0)) {
            share.push(request(number, at(secs), &acme)?);
        }
    }
    std::thread::scope(|scope| {
        for share in shares {
            let store = &bench.store;
            scope.spawn(move || share.into_iter().for_each(|trace| store.record(trace)));
        }
    });
    bench.store.flush().await?;
    let losses = bench.store.losses();
    ensure!(
        losses.accepted() == 400 && losses.total() == 0,
        "expected 400 accepted and none lost, found {losses:?}"
    );
    let mut found = numbers(&bench.walk(&TraceQuery::new(acme)).await?);
    found.sort_unstable();
    ensure!(
        found == (0..400).collect::<Vec<_>>(),
        "expected 400 traces, found {found:?}"
    );
    Ok(())
}

/// A trace for which there can be no room is counted as such and takes no other with it.
pub async fn a_trace_too_large_takes_no_other_with_it<M: Make>(make: &M) -> Verdict {
    let (bench, acme) = (narrow_bench(make).await, key("org=acme")?);
    bench.record([request(1, at(1), &acme)?]).await?;
    let around = [2, 4].map(|number| request(number, at(2), &acme));
    let [before, after] = around;
    bench
        .record([before?, large(3, 2 * NARROW)?, after?])
        .await?;
    let losses = bench.store.losses();
    ensure!(
        losses.by(Loss::TooLarge) == 1 && losses.total() == 1 && losses.accepted() == 4,
        "expected one of four that was too large, found {losses:?}"
    );
    bench.shows(&TraceQuery::new(acme), &[4, 2, 1]).await
}

/// Where more comes than there is room for, what is not kept is counted, no more and no less.
pub async fn what_is_kept_and_what_is_lost_add_up<M: Make>(make: &M) -> Verdict {
    let bench = narrow_bench(make).await;
    let mut random = Random::new(1);
    let mut recorded = Vec::new();
    for number in 0..300 {
        let bytes = usize::try_from(random.below(2_000)).unwrap_or(0);
        recorded.push(large(number, bytes)?);
    }
    for (count, trace) in (1..).zip(&recorded) {
        bench.store.record(trace.clone());
        let losses = bench.store.losses();
        ensure!(
            losses.accepted() == count && losses.total() <= count,
            "expected {count} accepted and no more lost, found {losses:?}"
        );
    }
    bench.store.flush().await?;
    let kept = bench.walk(&TraceQuery::new(Key::global())).await?;
    let losses = bench.store.losses();
    ensure!(
        !kept.is_empty() && losses.total() > 0,
        "expected the room to be used and not to be enough, found {losses:?}"
    );
    ensure!(
        kept.len() as u64 + losses.total() == losses.accepted(),
        "{} are kept, and found {losses:?}",
        kept.len()
    );
    for summary in &kept {
        let found = bench.store.get(summary.id, &Key::global()).await?;
        ensure!(
            found.len() == 1 && found.iter().all(|trace| recorded.contains(trace)),
            "expected request {} as it was recorded, found {found:?}",
            number(summary)
        );
    }
    Ok(())
}

/// Eight requests, a second apart, of all statuses and of models with names that are close.
fn varied(who: &Key) -> Result<Vec<Trace>, Broken> {
    let statuses = [
        TraceStatus::Ok,
        TraceStatus::Refused,
        TraceStatus::Failed,
        TraceStatus::Abandoned,
    ];
    let models = [
        Some(model("openai", "small")?),
        Some(model("azure", "small")?),
        Some(model("openai", "smaller")?),
        Some(model("openai", "Small")?),
        None,
        Some(model("openai", "small")?),
        None,
        None,
    ];
    let mut traces = Vec::new();
    let kinds = statuses.into_iter().cycle().zip(models);
    for ((number, secs), (status, model)) in (0..).zip(0..).zip(kinds) {
        let mut trace = request(number, at(secs), who)?;
        trace.summary.status = status;
        trace.summary.model = model;
        traces.push(trace);
    }
    Ok(traces)
}

/// One request for each principal, numbered in their order.
async fn record_for(bench: &Bench<impl Store>, principals: &[&str]) -> Verdict {
    let mut traces = Vec::new();
    for (number, principal) in (0..).zip(principals) {
        traces.push(request(number, at(0), &key(principal)?)?);
    }
    bench.record(traces).await
}

/// Checks, by both questions and for each of the first ten requests, that `within` shows exactly these.
async fn sees(bench: &Bench<impl Store>, within: &str, expected: &[u64]) -> Verdict {
    let within = key(within)?;
    let newest_first: Vec<u64> = expected.iter().rev().copied().collect();
    let query = TraceQuery::new(within.clone());
    bench.shows(&query, &newest_first).await?;
    bench.shows(&pages_of(query, 1)?, &newest_first).await?;
    for number in 0..10 {
        let found = answer(bench, number, &within).await?;
        let shown = expected.contains(&number);
        ensure!(
            found == if shown { vec![number] } else { Vec::new() },
            "request {number} within {within}: expected it {}, found {found:?}",
            if shown { "shown" } else { "hidden" }
        );
    }
    Ok(())
}

/// The numbers of the requests of a trace.
async fn answer(bench: &Bench<impl Store>, trace: u64, within: &Key) -> Result<Vec<u64>, Broken> {
    let found = bench.store.get(id(trace)?, within).await?;
    Ok(found.iter().map(|trace| number(&trace.summary)).collect())
}
