//! The rules about administrators, measures and periods are tested too: every lie is caught.

mod common;

use std::{
    future::{Ready, ready},
    sync::atomic::{AtomicU64, Ordering},
};

use palisade_conformance::{
    Verdict, block_on,
    quota::{self, Setup},
    quota_admin,
};
use palisade_core::{Decision, Key, ManualClock, StoreError, StoreErrorKind};
use palisade_quota::{
    AdminAction, AdminChange, Amount, AuditEntry, AuditPage, AuditQuery, Balance, ChangeId,
    Granted, InMemory, Period, Quota, QuotaAdmin, QuotaLedger, Refused, RequestError,
    ReservationId, ReserveRequest, Resolution, ScopePage, ScopeQuery, SettleRequest,
};

use common::{
    Suspect, each_breaks_the_rule_made_for_it, keeps_every_rule, random_play_finds, tells_its_seed,
};

/// The ways in which a ledger may be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    /// Keeps tokens and money, and says nothing of the rest.
    LosesMeasures,
    /// Takes every period that is not a month or a lifetime for a day.
    KnowsDaysOnly,
    /// Begins anew when a quota changes.
    ForgetsOnChange,
    /// Raises the limit for good instead.
    GrantsForEver,
    IgnoresGrants,
    IgnoresResets,
    IgnoresBlocks,
    /// Takes back what there is, and says that it was all.
    ClipsRefunds,
    /// Takes a repeated change for another one.
    CountsRepeats,
    /// Somebody did it.
    ForgetsWho,
    /// Every page is the first.
    RepeatsPages,
}

struct Liar {
    lie: Lie,
    honest: InMemory<ManualClock>,
    next: AtomicU64,
}

impl Liar {
    fn amount(&self, amount: Amount) -> Amount {
        if self.lie != Lie::LosesMeasures {
            return amount;
        }
        let (tokens, nano_usd) = amount.to_columns();
        Amount::from_columns(tokens, nano_usd).expect("not negative")
    }

    fn quota(&self, quota: Quota) -> Quota {
        match quota.period() {
            Period::Month | Period::Lifetime => quota,
            _ if self.lie == Lie::KnowsDaysOnly => quota.with_period(Period::Day),
            _ => quota,
        }
    }

    /// Changes something that nobody asked for.
    async fn meddle(&self, scope: &Key, action: AdminAction) -> Result<AuditEntry, StoreError> {
        let id =
            ChangeId::from_u128(u128::MAX - u128::from(self.next.fetch_add(1, Ordering::Relaxed)));
        let change = AdminChange::new(id, scope.clone(), action, "liar", "why not");
        self.honest.change(change.expect("both are short")).await
    }
}

impl QuotaLedger for Liar {
    async fn reserve(
        &self,
        request: ReserveRequest,
    ) -> Result<Decision<Granted, Refused>, StoreError> {
        let ask = self.amount(request.ask());
        let asked = ReserveRequest::new(request.id(), request.scopes().to_vec(), ask)
            .and_then(|asked| asked.with_timeout(request.timeout()))
            .expect("it was one before");
        self.honest.reserve(asked).await
    }

    async fn settle(&self, request: SettleRequest) -> Result<Resolution, StoreError> {
        let actual = self.amount(request.actual);
        self.honest
            .settle(SettleRequest::new(request.id, actual))
            .await
    }

    async fn release(&self, id: ReservationId) -> Result<Resolution, StoreError> {
        self.honest.release(id).await
    }

    async fn balance(&self, scope: &Key) -> Result<Balance, StoreError> {
        self.honest.balance(scope).await
    }

    async fn set_quota(&self, scope: &Key, quota: Option<Quota>) -> Result<(), StoreError> {
        if self.lie == Lie::ForgetsOnChange {
            self.meddle(scope, AdminAction::Reset).await?;
        }
        let quota = quota.map(|quota| self.quota(quota));
        self.honest.set_quota(scope, quota).await
    }

    async fn expire(&self, limit: usize) -> Result<usize, StoreError> {
        self.honest.expire(limit).await
    }
}

impl QuotaAdmin for Liar {
    async fn change(&self, mut change: AdminChange) -> Result<AuditEntry, StoreError> {
        let asked = change.clone();
        match (self.lie, &mut change.action) {
            (Lie::GrantsForEver, AdminAction::Grant(extra)) => {
                let limit = self.honest.balance(&change.scope).await?.limit.tokens;
                let more = limit.and_then(|limit| limit.checked_add(extra.tokens()));
                let quota = Quota::default().with_tokens(more).unwrap_or_default();
                change.action = AdminAction::SetQuota(Some(quota));
            }
            (Lie::IgnoresGrants, AdminAction::Grant(extra)) => *extra = Amount::ZERO,
            (Lie::IgnoresResets, AdminAction::Reset) => {
                change.action = AdminAction::Grant(Amount::ZERO);
            }
            (Lie::IgnoresBlocks, AdminAction::Block) => change.action = AdminAction::Unblock,
            (Lie::ClipsRefunds, AdminAction::Refund(cost)) => {
                *cost = cost.min(self.honest.balance(&change.scope).await?.spent);
            }
            (Lie::CountsRepeats, _) => {
                let mut entry = self.meddle(&change.scope, change.action.clone()).await?;
                entry.change = asked;
                return Ok(entry);
            }
            (Lie::ForgetsWho, _) => "somebody".clone_into(&mut change.who),
            (_, AdminAction::SetQuota(Some(quota))) => *quota = self.quota(quota.clone()),
            _ => {}
        }
        let mut entry = self.honest.change(change).await?;
        if self.lie != Lie::ForgetsWho {
            entry.change = asked;
        }
        Ok(entry)
    }

    async fn scopes(&self, mut query: ScopeQuery) -> Result<ScopePage, StoreError> {
        if self.lie == Lie::RepeatsPages {
            query.after = None;
        }
        self.honest.scopes(query).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        self.honest.audit(query).await
    }
}

fn make(lie: Lie, setup: Setup) -> Ready<Liar> {
    ready(Liar {
        lie,
        honest: InMemory::new(setup.clock, setup.defaults),
        next: AtomicU64::new(0),
    })
}

impl Suspect for Lie {
    fn ask(self) -> Vec<(&'static str, Verdict)> {
        let make = move |setup| make(self, setup);
        let mut verdicts = block_on(quota::all_of_breadth(&make));
        verdicts.extend(block_on(quota_admin::all(&make)));
        verdicts
    }

    fn play(self, seed: u64) -> Verdict {
        let make = move |setup| make(self, setup);
        block_on(quota_admin::agrees_with_the_model(&make, seed))
    }
}

#[test]
fn an_honest_ledger_keeps_every_rule() {
    keeps_every_rule(Lie::None.ask());
    for seed in 0..8 {
        Lie::None.play(seed).expect("it agrees");
    }
}

#[test]
fn every_liar_breaks_the_rule_made_for_it() {
    each_breaks_the_rule_made_for_it(&[
        (
            Lie::LosesMeasures,
            "every_measure_is_held_spent_and_limited_on_its_own",
        ),
        (
            Lie::KnowsDaysOnly,
            "a_week_ends_on_sunday_night_of_its_zone",
        ),
        (
            Lie::KnowsDaysOnly,
            "a_rolling_budget_comes_back_when_it_is_longer_ago_than_its_length",
        ),
        (
            Lie::ForgetsOnChange,
            "a_change_between_calendar_and_rolling_gives_no_second_allowance",
        ),
        (Lie::GrantsForEver, "a_grant_counts_in_its_window_only"),
        (Lie::IgnoresGrants, "a_top_up_of_a_lifetime_stays"),
        (
            Lie::IgnoresResets,
            "a_reset_writes_off_what_is_spent_and_not_what_is_held",
        ),
        (
            Lie::IgnoresBlocks,
            "a_blocked_scope_refuses_until_it_is_opened",
        ),
        (
            Lie::ClipsRefunds,
            "a_charge_is_booked_and_a_refund_never_exceeds_it",
        ),
        (
            Lie::CountsRepeats,
            "a_repeated_change_has_one_effect_and_one_line",
        ),
        (Lie::ForgetsWho, "the_audit_log_says_who_did_what_and_why"),
        (Lie::RepeatsPages, "pages_show_every_scope_once"),
    ]);
}

#[test]
fn random_play_finds_them_out() {
    random_play_finds(&[
        Lie::LosesMeasures,
        Lie::KnowsDaysOnly,
        Lie::ForgetsOnChange,
        Lie::GrantsForEver,
        Lie::IgnoresGrants,
        Lie::IgnoresResets,
        Lie::IgnoresBlocks,
        Lie::ClipsRefunds,
        Lie::CountsRepeats,
        Lie::ForgetsWho,
        Lie::RepeatsPages,
    ]);
    tells_its_seed(Lie::ForgetsWho);
}

/// A ledger of tokens and money alone says so, rather than lose a measure.
#[test]
fn what_a_store_cannot_keep_has_a_word() {
    let error = StoreError::new(StoreErrorKind::Invalid, "reserving quota")
        .with_source(RequestError::NotKept);
    assert!(!error.to_string().is_empty());
    assert!(
        !Amount::ZERO
            .with_requests(1)
            .expect("small")
            .is_tokens_and_money()
    );
}
