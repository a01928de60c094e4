use palisade_core::Key;

use crate::{Hold, HoldId, Limit, RequestError};

/// One thing a request wants to take: this much, of this limit, for this key.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Charge<'a> {
    /// The limit. Its name and the key together say which counter it is.
    pub limit: &'a Limit,
    /// Whose limit it is.
    pub key: &'a Key,
    /// How much. Nothing is a question without a charge: it passes and tells what remains.
    pub cost: u64,
}

impl<'a> Charge<'a> {
    /// A charge of `cost` to the limit of this key.
    #[must_use]
    pub const fn new(limit: &'a Limit, key: &'a Key, cost: u64) -> Self {
        Self { limit, key, cost }
    }
}

/// A request, with everything it would take. All of it is taken, or nothing.
///
/// ```
/// use palisade_core::{Dimension, Key};
/// use palisade_rate_limit::{Charge, CheckRequest, Limit};
///
/// let requests = Limit::per_minute("requests", 60)?.with_burst(10)?;
/// let tokens = Limit::per_minute("tokens", 90_000)?;
/// let alice = Key::new(Dimension::User, "alice")?;
///
/// let charges = [Charge::new(&requests, &alice, 1), Charge::new(&tokens, &alice, 1_200)];
/// let request = CheckRequest::new(&charges)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CheckRequest<'a> {
    charges: &'a [Charge<'a>],
}

impl<'a> CheckRequest<'a> {
    /// The most charges one request may have.
    pub const CHARGES_MAX: usize = 8;

    /// A request with one charge.
    #[must_use]
    pub const fn one(charge: &'a Charge<'a>) -> Self {
        Self {
            charges: std::slice::from_ref(charge),
        }
    }

    /// A request with several charges. The order has no meaning beyond the order of the answer.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if there are none or more than [`CheckRequest::CHARGES_MAX`], or if two are for the same limit
    /// and key. No backend has to think about what that would mean.
    pub fn new(charges: &'a [Charge<'a>]) -> Result<Self, RequestError> {
        unambiguous(charges, |charge| (charge.limit, charge.key))?;
        Ok(Self { charges })
    }

    /// The charges: at least one, at most [`CheckRequest::CHARGES_MAX`], no limit and key twice.
    #[must_use]
    pub const fn charges(&self) -> &'a [Charge<'a>] {
        self.charges
    }
}

/// What to do when a request asks for more than there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Over {
    /// Refuse it, and charge nothing.
    #[default]
    Refuse,
    /// Let it pass all the same. What is not there becomes a debt, which later requests wait for. For work that is under
    /// way already and should not be cut, and for costs that are known only afterwards.
    Owe,
}

/// What the store is asked: take all of this, or nothing.
///
/// With a [`Hold`] it is a *reservation*, to be settled later; without one it is a plain *check*, whose charge is final.
/// Asked again under the id of a hold that still lasts, it is a *top-up*: the costs are those of the whole request so far,
/// and the store takes what each exceeds the one reserved before by, all or nothing; it also begins the hold's time anew.
/// So a repeated question takes nothing twice, and a stream that grows asks with growing costs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReserveRequest<'a> {
    /// What to take.
    pub charges: &'a [Charge<'a>],
    /// Under which id, if it is to be settled.
    pub hold: Option<Hold>,
    /// What if there is less.
    pub over: Over,
    /// Answer, and change nothing. The statuses are those before the charge.
    pub dry_run: bool,
}

impl<'a> ReserveRequest<'a> {
    /// A plain check. What it takes is used: there is nothing to settle. A limit on concurrency is asked whether there is
    /// room, and nothing is held, since nobody could give it back.
    #[must_use]
    pub const fn check(request: CheckRequest<'a>) -> Self {
        Self {
            charges: request.charges,
            hold: None,
            over: Over::Refuse,
            dry_run: false,
        }
    }

    /// A reservation, or the top-up of one.
    #[must_use]
    pub const fn hold(request: CheckRequest<'a>, hold: Hold) -> Self {
        Self {
            charges: request.charges,
            hold: Some(hold),
            over: Over::Refuse,
            dry_run: false,
        }
    }

    /// The same with another treatment of a request that asks for too much.
    #[must_use]
    pub const fn with_over(mut self, over: Over) -> Self {
        self.over = over;
        self
    }

    /// The same as a question only.
    #[must_use]
    pub const fn as_dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }
}

/// What one of the charges of a reservation came to in the end.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Use<'a> {
    /// The limit.
    pub limit: &'a Limit,
    /// Whose limit it is.
    pub key: &'a Key,
    /// What was reserved in all. The store knows better, as long as it remembers the hold; if it does not any more, this
    /// is what it takes as charged already.
    pub reserved: u64,
    /// What was used.
    pub used: u64,
}

impl<'a> Use<'a> {
    /// Of `reserved`, `used` were used.
    #[must_use]
    pub const fn new(limit: &'a Limit, key: &'a Key, reserved: u64, used: u64) -> Self {
        Self {
            limit,
            key,
            reserved,
            used,
        }
    }
}

/// The end of a reservation: what was used instead of what was reserved.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SettleRequest<'a> {
    /// Which reservation.
    pub id: HoldId,
    uses: &'a [Use<'a>],
}

impl<'a> SettleRequest<'a> {
    /// The reservation `id` came to this. A charge of it that is not among the uses stays as it was reserved, and gives
    /// back what it held of a concurrency.
    ///
    /// # Errors
    ///
    /// As [`CheckRequest::new`].
    pub fn new(id: HoldId, uses: &'a [Use<'a>]) -> Result<Self, RequestError> {
        unambiguous(uses, |used| (used.limit, used.key))?;
        Ok(Self { id, uses })
    }

    /// The uses: at least one, at most [`CheckRequest::CHARGES_MAX`], no limit and key twice.
    #[must_use]
    pub const fn uses(&self) -> &'a [Use<'a>] {
        self.uses
    }
}

fn unambiguous<'a, T>(
    items: &'a [T],
    counter: impl Fn(&'a T) -> (&'a Limit, &'a Key),
) -> Result<(), RequestError> {
    if items.is_empty() {
        return Err(RequestError::Empty);
    }
    if items.len() > CheckRequest::CHARGES_MAX {
        return Err(RequestError::TooMany { found: items.len() });
    }
    for (second, item) in items.iter().enumerate() {
        let (limit, key) = counter(item);
        let same = |other: &'a T| {
            let (other_limit, other_key) = counter(other);
            other_limit.name() == limit.name() && other_key == key
        };
        if let Some(first) = items[..second].iter().position(same) {
            return Err(RequestError::Repeated { first, second });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use palisade_core::Dimension;

    use super::*;

    #[test]
    fn a_request_that_would_be_ambiguous_is_refused() {
        let limit = Limit::per_second("a", 1).unwrap();
        let stricter = limit.with_burst(1).unwrap();
        let other = Limit::per_second("b", 1).unwrap();
        let key = Key::new(Dimension::User, "u").unwrap();
        let everyone = Key::global();
        let charge = |limit, key| Charge::new(limit, key, 1);

        assert_eq!(CheckRequest::new(&[]).unwrap_err(), RequestError::Empty);
        let twice = [
            charge(&other, &key),
            charge(&limit, &key),
            charge(&stricter, &key),
        ];
        assert_eq!(
            CheckRequest::new(&twice).unwrap_err(),
            RequestError::Repeated {
                first: 1,
                second: 2
            }
        );
        let apart = [
            charge(&limit, &key),
            charge(&limit, &everyone),
            charge(&other, &key),
        ];
        assert_eq!(CheckRequest::new(&apart).unwrap().charges().len(), 3);

        let keys: Vec<Key> = (0..=CheckRequest::CHARGES_MAX)
            .map(|user| Key::new(Dimension::User, user.to_string()).unwrap())
            .collect();
        let many: Vec<Charge<'_>> = keys.iter().map(|key| charge(&limit, key)).collect();
        assert!(CheckRequest::new(&many[..CheckRequest::CHARGES_MAX]).is_ok());
        assert_eq!(
            CheckRequest::new(&many).unwrap_err(),
            RequestError::TooMany { found: 9 }
        );
    }
}
