use std::{future::Future, sync::Arc};

use palisade_core::{Key, StoreError, Timestamp};

use crate::{Amount, Balance, ChangeError, ChangeId, Quota, Window};

/// Who may spend how much, and who said so?
///
/// The administrator's door to a ledger. Every change names who makes it and why, and stands in an audit log in the same
/// transaction in which it takes effect.
///
/// # Contract
///
/// - *Atomic.* A change and its line in the audit log are there together or not at all.
/// - *Once.* A change that is repeated with its id after a lost answer has one effect and one line, which is the answer. The
///   id of another change is [`RequestError::IdInUse`](crate::RequestError::IdInUse).
/// - *At once.* What is changed holds for the next reservation. What is held stays held.
/// - *For good.* Lines of the audit log are never changed.
///
/// # Errors
///
/// As in [`QuotaLedger`](crate::QuotaLedger): an `Err` means that there was no answer.
///
/// # Cancel safety
///
/// A dropped future may or may not have taken effect; the caller repeats it with the same id.
pub trait QuotaAdmin: Send + Sync {
    /// Makes a change.
    fn change(
        &self,
        change: AdminChange,
    ) -> impl Future<Output = Result<AuditEntry, StoreError>> + Send;

    /// The scopes that have a quota of their own, are blocked, or have something booked in their running window, in the
    /// order of their keys, a page at a time.
    ///
    /// A scope that comes or goes while pages are turned is on a page or is not; all others are on exactly one.
    fn scopes(
        &self,
        query: ScopeQuery,
    ) -> impl Future<Output = Result<ScopePage, StoreError>> + Send;

    /// The audit log, from the latest line back, a page at a time.
    fn audit(
        &self,
        query: AuditQuery,
    ) -> impl Future<Output = Result<AuditPage, StoreError>> + Send;
}

impl<L: QuotaAdmin + ?Sized> QuotaAdmin for Arc<L> {
    async fn change(&self, change: AdminChange) -> Result<AuditEntry, StoreError> {
        (**self).change(change).await
    }

    async fn scopes(&self, query: ScopeQuery) -> Result<ScopePage, StoreError> {
        (**self).scopes(query).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        (**self).audit(query).await
    }
}

/// What an administrator does to a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdminAction {
    /// Gives it a quota of its own, or with `None` puts it back under the defaults; see
    /// [`set_quota`](crate::QuotaLedger::set_quota).
    SetQuota(Option<Quota>),
    /// Lets it spend so much more in its running window. For a lifetime's quota that is a top-up for good; of a rolling
    /// period it lasts as long as what is spent now counts.
    Grant(Amount),
    /// Writes off what it has spent in its running window. What is held stays held.
    Reset,
    /// Refuses every reservation until it is unblocked. What is held may still be settled.
    Block,
    /// Opens it again.
    Unblock,
    /// Books a cost that no reservation stood for.
    Charge(Amount),
    /// Takes back a cost that was booked in the running window, at most all of it.
    Refund(Amount),
}

/// One change of one scope, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminChange {
    /// Its name.
    pub id: ChangeId,
    /// The scope.
    pub scope: Key,
    /// What is done.
    pub action: AdminAction,
    /// Who does it.
    pub who: String,
    /// Why.
    pub why: String,
}

impl AdminChange {
    /// The most bytes of who.
    pub const WHO_BYTES_MAX: usize = 128;
    /// The most bytes of why.
    pub const WHY_BYTES_MAX: usize = 512;

    /// A change.
    ///
    /// # Errors
    ///
    /// [`ChangeError`] if `who` or `why` says nothing, is too long, or has a control character.
    pub fn new(
        id: ChangeId,
        scope: Key,
        action: AdminAction,
        who: impl Into<String>,
        why: impl Into<String>,
    ) -> Result<Self, ChangeError> {
        let (who, why) = (who.into(), why.into());
        let fits = |text: &str, max| {
            !text.trim().is_empty() && text.len() <= max && !text.chars().any(char::is_control)
        };
        if !fits(&who, Self::WHO_BYTES_MAX) {
            return Err(ChangeError::Who);
        }
        if !fits(&why, Self::WHY_BYTES_MAX) {
            return Err(ChangeError::Why);
        }
        Ok(Self {
            id,
            scope,
            action,
            who,
            why,
        })
    }
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Its number: later lines have greater ones.
    pub number: u64,
    /// When it took effect, by the store's clock.
    pub at: Timestamp,
    /// What was changed, by whom and why.
    pub change: AdminChange,
    /// The scope's running window at that time.
    pub window: Window,
    /// What had been spent there before: what a reset wrote off.
    pub spent_before: Amount,
}

impl AuditEntry {
    /// A line.
    #[must_use]
    pub const fn new(
        number: u64,
        at: Timestamp,
        change: AdminChange,
        window: Window,
        spent_before: Amount,
    ) -> Self {
        Self {
            number,
            at,
            change,
            window,
            spent_before,
        }
    }
}

/// Which scopes to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeQuery {
    /// Only those after this one: the last of the page before.
    pub after: Option<Key>,
    /// How many at most: 1 to [`ScopeQuery::LIMIT_MAX`].
    pub limit: usize,
}

impl ScopeQuery {
    /// The most scopes on one page.
    pub const LIMIT_MAX: usize = 1_000;

    /// The first page, of at most `limit` scopes; more than [`LIMIT_MAX`](Self::LIMIT_MAX) are that many, none is one.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self {
            after: None,
            limit: limit.clamp(1, Self::LIMIT_MAX),
        }
    }

    /// The page after this scope.
    #[must_use]
    pub fn after(mut self, scope: Key) -> Self {
        self.after = Some(scope);
        self
    }
}

/// One scope of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ScopeEntry {
    /// How it stands.
    pub balance: Balance,
    /// The quota an administrator gave it; `None` if it is under the defaults.
    pub own: Option<Quota>,
}

impl ScopeEntry {
    /// A scope.
    #[must_use]
    pub const fn new(balance: Balance, own: Option<Quota>) -> Self {
        Self { balance, own }
    }

    /// Whether there is anything to say of it: otherwise it is in no list.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        let Balance {
            spent,
            held,
            extra,
            blocked,
            ..
        } = &self.balance;
        self.own.is_some() || *blocked || !(spent.is_zero() && held.is_zero() && extra.is_zero())
    }
}

/// A page of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ScopePage {
    /// The scopes, in the order of their keys.
    pub scopes: Vec<ScopeEntry>,
    /// Whether there are others after them.
    pub more: bool,
}

impl ScopePage {
    /// A page.
    #[must_use]
    pub const fn new(scopes: Vec<ScopeEntry>, more: bool) -> Self {
        Self { scopes, more }
    }
}

/// Which lines of the audit log to read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditQuery {
    /// Only those of this scope.
    pub scope: Option<Key>,
    /// Only those before the line of this number: the last of the page before.
    pub before: Option<u64>,
    /// How many at most: 1 to [`AuditQuery::LIMIT_MAX`].
    pub limit: usize,
}

impl AuditQuery {
    /// The most lines on one page.
    pub const LIMIT_MAX: usize = 1_000;

    /// The latest lines, at most `limit`; more than [`LIMIT_MAX`](Self::LIMIT_MAX) are that many, none is one.
    #[must_use]
    pub fn latest(limit: usize) -> Self {
        Self {
            scope: None,
            before: None,
            limit: limit.clamp(1, Self::LIMIT_MAX),
        }
    }

    /// Those of this scope only.
    #[must_use]
    pub fn of(mut self, scope: Key) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Those before this line.
    #[must_use]
    pub const fn before(mut self, number: u64) -> Self {
        self.before = Some(number);
        self
    }
}

/// A page of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditPage {
    /// The lines, the latest first.
    pub entries: Vec<AuditEntry>,
    /// Whether there are others before them.
    pub more: bool,
}

impl AuditPage {
    /// A page.
    #[must_use]
    pub const fn new(entries: Vec<AuditEntry>, more: bool) -> Self {
        Self { entries, more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_who_and_why_in_few_words() {
        let change = |who: &str, why: &str| {
            AdminChange::new(
                ChangeId::from_u128(1),
                Key::global(),
                AdminAction::Reset,
                who,
                why,
            )
        };
        assert!(change(&"w".repeat(128), &"y".repeat(512)).is_ok());
        for who in ["", " ", "a\nb", &"w".repeat(129)] {
            assert_eq!(change(who, "why").unwrap_err(), ChangeError::Who, "{who}");
        }
        for why in ["", "\t", "a\0b", &"y".repeat(513)] {
            assert_eq!(change("who", why).unwrap_err(), ChangeError::Why, "{why}");
        }
    }

    #[test]
    fn a_page_is_bounded() {
        assert_eq!(ScopeQuery::first(0).limit, 1);
        assert_eq!(ScopeQuery::first(9_999).limit, 1_000);
        assert_eq!(AuditQuery::latest(0).limit, 1);
        assert_eq!(AuditQuery::latest(9_999).limit, 1_000);
    }
}
