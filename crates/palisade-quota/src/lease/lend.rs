use crate::{Amount, LeaseEntry, ScopeState};

/// Of what is left after a need is met, a lessee gets at most this part for its wish, so that several can live side by
/// side.
const SHARE: i128 = 4;

/// How much of a scope's running window a lessee has on lease after an exchange: the pure decision.
///
/// `state` is the scope before the exchange, its `held` with the lessee's present lease `lent` in it. What the entry has
/// spent comes out of that lease first. In each measure for itself, the need is met if the quota has room for it, and of
/// the wish as much as a quarter of the rest allows; else the lessee keeps what it has left. A lease only ever grows into
/// room that is there.
#[must_use]
pub fn lend(state: &ScopeState, lent: Amount, entry: &LeaseEntry) -> Amount {
    let measure = |measure| {
        let (old, spent) = (i128::from(lent.get(measure)), entry.spent.get(measure));
        let left = (old - i128::from(spent)).max(0);
        let others =
            i128::from(state.spent.get(measure)) + i128::from(state.held.get(measure)) - old;
        let ceiling = i128::from(state.ceiling(measure));
        let free = ceiling - others - i128::from(spent);
        let need = i128::from(entry.need.get(measure));
        let wish = i128::from(entry.wish.get(measure)).max(need);
        let lease = if need <= left.max(free) {
            let spare = (free - need).max(0) / SHARE;
            wish.min(left.max(need + spare))
        } else {
            left.min(wish)
        };
        i64::try_from(lease).unwrap_or(i64::MAX)
    };
    Amount::by_measure(measure)
}

/// How much a lessee has on lease in a window that is not the running one: there it only ever shrinks.
#[must_use]
pub fn keep(lent: Amount, entry: &LeaseEntry) -> Amount {
    lent.saturating_sub(entry.spent).min(entry.wish)
}

#[cfg(test)]
mod tests {
    use palisade_core::{Dimension, Key, Timestamp, Tokens};

    use super::*;
    use crate::{Measure, Quota};

    fn tokens(count: i64) -> Amount {
        Amount::from_units(count, 0)
    }

    /// A limit of 100 tokens of which others have 40.
    fn scope(lent: i64) -> ScopeState {
        let quota = Quota::default()
            .with_tokens(Some(Tokens::new(100)))
            .expect("small");
        let window = quota.window(Timestamp::UNIX_EPOCH);
        let scope = Key::new(Dimension::User, "a").expect("short");
        ScopeState::new(scope, quota, window, tokens(30), tokens(10 + lent))
    }

    fn lent(old: i64, spent: i64, need: i64, wish: i64) -> i64 {
        let state = scope(old);
        let entry = LeaseEntry::look(state.scope.clone())
            .spent(tokens(spent))
            .wanting(tokens(need), tokens(wish));
        lend(&state, tokens(old), &entry).get(Measure::Tokens)
    }

    #[test]
    fn a_need_is_met_to_the_last_unit_and_no_further() {
        assert_eq!(lent(0, 0, 60, 60), 60);
        assert_eq!(lent(0, 0, 61, 61), 0);
        assert_eq!(lent(20, 0, 61, 61), 20, "it keeps what it has");
        assert_eq!(lent(20, 5, 61, 61), 15, "but for what it has spent");
    }

    #[test]
    fn a_wish_gets_a_quarter_of_what_is_left() {
        assert_eq!(lent(0, 0, 20, 1_000), 30);
        assert_eq!(lent(0, 0, 0, 1_000), 15);
        assert_eq!(lent(0, 0, 20, 25), 25);
        assert_eq!(
            lent(50, 0, 20, 1_000),
            50,
            "what is lent is not taken back unasked"
        );
        assert_eq!(lent(50, 0, 20, 30), 30, "what is not wanted is");
    }

    #[test]
    fn spending_more_than_was_lent_leaves_a_debt_and_no_lease() {
        assert_eq!(lent(10, 70, 5, 5), 0);
        assert_eq!(lent(10, 70, 0, 0), 0);
    }
}
