use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use palisade_core::{Money, Tokens};

/// What the attempts of one request have used so far.
///
/// The quota stands outside the retry and the meter inside, so the sum of all attempts must travel between them: the
/// quota layer puts a bill into the request's extensions, each attempt is written on it when it is sent, and what it
/// used when that is known. A host that calls models without the meter layer writes its own lines.
///
/// Clones share one bill.
#[derive(Clone, Default)]
pub struct Bill(Arc<Mutex<Lines>>);

#[derive(Clone, Copy, Default)]
struct Lines {
    sent: u32,
    free: u32,
    known: u32,
    unpriced: u32,
    tokens: u64,
    cost: Money,
}

/// One attempt on a [`Bill`]. Dropped without a word, its cost stays unknown.
#[must_use = "an attempt of which nothing is said is charged as if it had cost what was reserved"]
pub struct Line(Bill);

/// What a bill comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Total {
    /// Attempts that were sent.
    pub sent: u32,
    /// Attempts that were sent and of whose cost nothing is known.
    pub unknown: u32,
    /// Attempts of which the tokens are known and the cost is not.
    pub unpriced: u32,
    /// The tokens that are known to have been used.
    pub tokens: Tokens,
    /// The money that is known to have been spent, exactly.
    pub cost: Money,
}

impl Bill {
    /// An attempt is about to be sent: from now on it may cost.
    pub fn send(&self) -> Line {
        let mut lines = self.lock();
        lines.sent = lines.sent.saturating_add(1);
        drop(lines);
        Line(self.clone())
    }

    /// The sum so far.
    #[must_use]
    pub fn total(&self) -> Total {
        let lines = *self.lock();
        Total {
            sent: lines.sent,
            unknown: lines.sent - lines.known - lines.free,
            unpriced: lines.unpriced,
            tokens: Tokens::new(lines.tokens),
            cost: lines.cost,
        }
    }

    /// Plain numbers, whole after every statement: a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// The attempt used so much. Sums that do not fit leave it unknown, which is charged more, not less.
    pub fn used(self, tokens: Tokens, cost: Money) {
        self.add(tokens, cost, 0);
    }

    /// The attempt used so many tokens, and nobody knows what they cost.
    pub fn used_unpriced(self, tokens: Tokens) {
        self.add(tokens, Money::ZERO, 1);
    }

    fn add(self, tokens: Tokens, cost: Money, unpriced: u32) {
        let mut lines = self.0.lock();
        if let (Some(tokens), Ok(cost)) = (
            lines.tokens.checked_add(tokens.get()),
            lines.cost.checked_add(cost),
        ) {
            *lines = Lines {
                known: lines.known + 1,
                unpriced: lines.unpriced + unpriced,
                tokens,
                cost,
                ..*lines
            };
        }
    }

    /// The attempt certainly cost nothing.
    pub fn free(self) {
        self.0.lock().free += 1;
    }
}

impl fmt::Debug for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bill").field(&self.total()).finish()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attempt_is_known_free_or_unknown() {
        let bill = Bill::default();
        bill.send().used(Tokens::new(3), Money::from_nano_usd(5));
        bill.send().free();
        drop(bill.send());
        let total = bill.total();
        assert_eq!((total.sent, total.unknown), (3, 1));
        assert_eq!(
            (total.tokens, total.cost),
            (Tokens::new(3), Money::from_nano_usd(5))
        );
    }

    #[test]
    fn a_sum_that_does_not_fit_is_unknown_not_small() {
        let bill = Bill::default();
        bill.send().used(Tokens::new(u64::MAX), Money::ZERO);
        bill.send().used(Tokens::new(1), Money::ZERO);
        assert_eq!(bill.total().unknown, 1);
    }
}
