//! The rules about administrators, one function each, named after the promise.

#![expect(
    clippy::missing_errors_doc,
    reason = "a rule's one error is that the promise it is named after is broken"
)]

use palisade_core::{Clock as _, Key, RetryAfter};
use palisade_quota::{
    AdminAction, AdminChange, AuditEntry, AuditQuery, ChangeId, Period, QuotaAdmin, Refusal,
    RequestError, ScopeQuery,
};

use super::{Make, bench};
use crate::{
    Broken, Verdict,
    quota::bench::{HOUR, amount, exhausted, granted, invalid, quota, refused, user},
    verdict::ensure,
};

fn change(bits: u128, scope: Key, action: AdminAction) -> Result<AdminChange, Broken> {
    AdminChange::new(ChangeId::from_u128(bits), scope, action, "root", "because")
        .map_err(|error| Broken::new(error.to_string()))
}

/// Changes user "a".
async fn done(
    ledger: &impl QuotaAdmin,
    bits: u128,
    action: AdminAction,
) -> Result<AuditEntry, Broken> {
    Ok(ledger.change(change(bits, user("a"), action)?).await?)
}

/// An extra on top of the quota ends with its window.
pub async fn a_grant_counts_in_its_window_only<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    exhausted(bench.tokens(1, 150).await, RetryAfter::Never)?;
    done(&bench.ledger, 1, AdminAction::Grant(amount(50, 0))).await?;
    let balance = bench.balance(&user("a")).await?;
    ensure!(
        balance.limit.tokens == Some(150.into()) && balance.extra == amount(50, 0),
        "fifty more were granted: {balance:?}"
    );
    granted(bench.tokens(2, 150).await)?;
    exhausted(bench.tokens(3, 1).await, RetryAfter::After(12 * HOUR))?;
    bench.settle(2, amount(150, 0)).await?;
    let balance = bench.balance(&user("a")).await?;
    ensure!(
        balance.debt.is_zero(),
        "what was granted is no debt: {balance:?}"
    );
    bench.clock.advance(12 * HOUR);
    exhausted(bench.tokens(4, 101).await, RetryAfter::Never)?;
    granted(bench.tokens(5, 100).await).map(drop)
}

/// A window that never ends keeps what was added to it.
pub async fn a_top_up_of_a_lifetime_stays<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let credit = quota(10, 10).with_period(Period::Lifetime);
    done(&bench.ledger, 1, AdminAction::SetQuota(Some(credit))).await?;
    granted(bench.tokens(1, 10).await)?;
    bench.settle(1, amount(10, 0)).await?;
    done(&bench.ledger, 2, AdminAction::Grant(amount(5, 0))).await?;
    bench.clock.advance(1_000 * 24 * HOUR);
    done(&bench.ledger, 3, AdminAction::Grant(amount(5, 0))).await?;
    exhausted(bench.tokens(2, 11).await, RetryAfter::Unknown)?;
    granted(bench.tokens(3, 10).await).map(drop)
}

/// And what is held is settled as ever.
pub async fn a_reset_writes_off_what_is_spent_and_not_what_is_held<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    granted(bench.tokens(1, 60).await)?;
    bench.settle(1, amount(60, 0)).await?;
    granted(bench.tokens(2, 30).await)?;
    let entry = done(&bench.ledger, 1, AdminAction::Reset).await?;
    ensure!(
        entry.spent_before == amount(60, 0),
        "the log says what was written off: {entry:?}"
    );
    bench.stands(0, 30).await?;
    bench.settle(2, amount(40, 0)).await?;
    bench.stands(40, 0).await
}

/// Whatever is asked for, in whichever window; what was held before is still paid.
pub async fn a_blocked_scope_refuses_until_it_is_opened<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    granted(bench.tokens(1, 10).await)?;
    done(&bench.ledger, 1, AdminAction::Block).await?;
    for (bits, ask) in [(2, amount(1, 0)), (3, amount(0, 0)), (4, amount(0, 1))] {
        let scopes = [user("a"), user("b")];
        let refusal = refused(bench.reserve(bits, &scopes, ask).await)?;
        ensure!(
            matches!(&refusal.why, Refusal::Blocked { balance } if balance.scope == user("a")),
            "it is blocked: {refusal:?}"
        );
    }
    // What was held before is paid.
    bench.settle(1, amount(10, 0)).await?;
    bench.stands(10, 0).await?;
    bench
        .scope_stands(&user("b"), amount(0, 0), amount(0, 0))
        .await?;
    bench.clock.advance(48 * HOUR);
    let balance = bench.balance(&user("a")).await?;
    ensure!(balance.blocked, "a new day does not open it: {balance:?}");
    done(&bench.ledger, 2, AdminAction::Unblock).await?;
    granted(bench.tokens(5, 100).await).map(drop)
}

/// Corrections are costs and refunds of costs, never negative sums.
pub async fn a_charge_is_booked_and_a_refund_never_exceeds_it<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    done(&bench.ledger, 1, AdminAction::Charge(amount(120, 7))).await?;
    bench
        .scope_stands(&user("a"), amount(120, 7), amount(0, 0))
        .await?;
    exhausted(bench.tokens(1, 1).await, RetryAfter::After(12 * HOUR))?;
    let too_much = change(2, user("a"), AdminAction::Refund(amount(1, 8)))?;
    invalid(bench.ledger.change(too_much).await, RequestError::Refund)?;
    bench
        .scope_stands(&user("a"), amount(120, 7), amount(0, 0))
        .await?;
    done(&bench.ledger, 2, AdminAction::Refund(amount(119, 7))).await?;
    bench
        .scope_stands(&user("a"), amount(1, 0), amount(0, 0))
        .await?;
    let top = AdminAction::Charge(amount(i64::MAX, 0));
    invalid(
        bench.ledger.change(change(3, user("a"), top)?).await,
        RequestError::Overflow,
    )?;
    bench
        .scope_stands(&user("a"), amount(1, 0), amount(0, 0))
        .await
}

/// And an id that is used again for something else is refused.
pub async fn a_repeated_change_has_one_effect_and_one_line<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let first = done(&bench.ledger, 1, AdminAction::Charge(amount(10, 0))).await?;
    bench.clock.advance(HOUR);
    let again = done(&bench.ledger, 1, AdminAction::Charge(amount(10, 0))).await?;
    ensure!(
        first == again,
        "the answer is the first line: {first:?}, {again:?}"
    );
    bench.stands(10, 0).await?;
    for action in [AdminAction::Charge(amount(11, 0)), AdminAction::Reset] {
        let other = change(1, user("a"), action)?;
        invalid(bench.ledger.change(other).await, RequestError::IdInUse)?;
    }
    let page = bench.ledger.audit(AuditQuery::latest(10)).await?;
    ensure!(page.entries == [first], "one line: {page:?}");
    bench.stands(10, 0).await
}

/// Every kind of change, as it was asked for, page by page.
pub async fn the_audit_log_says_who_did_what_and_why<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let actions = [
        AdminAction::SetQuota(Some(quota(7, 8).with_period(Period::Month))),
        AdminAction::Grant(amount(1, 2)),
        AdminAction::Charge(amount(3, 4)),
        AdminAction::Refund(amount(1, 1)),
        AdminAction::Block,
        AdminAction::Unblock,
        AdminAction::Reset,
        AdminAction::SetQuota(None),
    ];
    let mut lines = Vec::new();
    for (bits, action) in (1_u128..).zip(actions) {
        let scope = if bits % 2 == 0 { user("a") } else { user("b") };
        if bits == 4 {
            done(&bench.ledger, 100, AdminAction::Charge(amount(1, 1))).await?;
        }
        let who = format!("admin-{bits} \u{1f511}");
        let id = ChangeId::from_u128(bits);
        let asked = AdminChange::new(id, scope, action, who, "it's \"why\"; --")
            .map_err(|error| Broken::new(error.to_string()))?;
        let line = bench.ledger.change(asked.clone()).await?;
        ensure!(
            line.change == asked && line.at == bench.clock.now(),
            "the line says something else: {line:?}"
        );
        lines.push(line);
        bench.clock.advance(HOUR);
    }
    let page = bench.ledger.audit(AuditQuery::latest(100)).await?;
    let mut expected: Vec<AuditEntry> = lines.into_iter().rev().collect();
    let found: Vec<AuditEntry> = page
        .entries
        .into_iter()
        .filter(|entry| entry.change.id != ChangeId::from_u128(100))
        .collect();
    ensure!(
        found == expected && !page.more,
        "expected {expected:?}, found {found:?}"
    );
    ensure!(
        found.windows(2).all(|pair| pair[0].number > pair[1].number),
        "later lines have greater numbers: {found:?}"
    );
    // Of one scope alone, page by page.
    expected.retain(|line| line.change.scope == user("b"));
    let (mut query, mut paged) = (AuditQuery::latest(3).of(user("b")), Vec::new());
    loop {
        let page = bench.ledger.audit(query.clone()).await?;
        ensure!(
            page.entries.len() <= 3,
            "a page is as long as was asked for: {page:?}"
        );
        let Some(last) = page.entries.last() else {
            break;
        };
        query = query.before(last.number);
        ensure!(paged.len() < 100, "the pages never end: {paged:?}");
        let more = page.more;
        paged.extend(page.entries);
        if !more {
            break;
        }
    }
    ensure!(paged == expected, "expected {expected:?}, found {paged:?}");
    Ok(())
}

/// And none of which there is nothing to say.
pub async fn pages_show_every_scope_once<M: Make>(make: &M) -> Verdict {
    let bench = bench(make).await;
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    // One of each kind: spent, held, granted, with a quota of its own, blocked; and two of which there is nothing to say.
    granted(bench.reserve(1, &[user("a")], amount(1, 0)).await)?;
    bench.settle(1, amount(1, 0)).await?;
    granted(bench.reserve(2, &[user("b")], amount(1, 0)).await)?;
    for (bits, name, action) in [
        (1, "c", AdminAction::Grant(amount(1, 0))),
        (2, "d", AdminAction::SetQuota(Some(quota(1, 1)))),
        (3, "e", AdminAction::Block),
        (4, "f", AdminAction::Block),
        (5, "f", AdminAction::Unblock),
    ] {
        bench
            .ledger
            .change(change(bits, user(name), action)?)
            .await?;
    }
    granted(bench.reserve(3, &[user("g")], amount(1, 0)).await)?;
    bench.release(3).await?;
    for limit in [1, 2, 5, 10] {
        let (mut query, mut seen) = (ScopeQuery::first(limit), Vec::new());
        loop {
            let page = bench.ledger.scopes(query.clone()).await?;
            ensure!(
                page.scopes.len() <= limit,
                "a page is as long as was asked for: {page:?}"
            );
            ensure!(seen.len() < 100, "the pages never end: {seen:?}");
            for entry in &page.scopes {
                let scope = &entry.balance.scope;
                let balance = bench.balance(scope).await?;
                ensure!(entry.balance == balance, "it stands otherwise: {entry:?}");
                ensure!(
                    entry.own.is_some() == (*scope == user("d")),
                    "one has a quota of its own: {entry:?}"
                );
                seen.push(scope.clone());
            }
            match page.scopes.last() {
                Some(last) if page.more => query = query.after(last.balance.scope.clone()),
                _ => break,
            }
        }
        let expected: Vec<Key> = names[..5].iter().map(|name| user(name)).collect();
        ensure!(seen == expected, "expected {expected:?}, found {seen:?}");
    }
    // A day later there is nothing left of those who only spent.
    bench.clock.advance(24 * HOUR);
    let page = bench.ledger.scopes(ScopeQuery::first(10)).await?;
    let left: Vec<&Key> = page
        .scopes
        .iter()
        .map(|entry| &entry.balance.scope)
        .collect();
    ensure!(
        left == [&user("d"), &user("e")],
        "expected two, found {left:?}"
    );
    Ok(())
}
