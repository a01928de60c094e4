use palisade_core::Key;

use crate::{Limit, RequestError};

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
        if charges.is_empty() {
            return Err(RequestError::Empty);
        }
        if charges.len() > Self::CHARGES_MAX {
            return Err(RequestError::TooMany {
                found: charges.len(),
            });
        }
        for (second, charge) in charges.iter().enumerate() {
            let same = |other: &Charge<'_>| {
                other.limit.name() == charge.limit.name() && other.key == charge.key
            };
            if let Some(first) = charges[..second].iter().position(same) {
                return Err(RequestError::Repeated { first, second });
            }
        }
        Ok(Self { charges })
    }

    /// The charges: at least one, at most [`CheckRequest::CHARGES_MAX`], no limit and key twice.
    #[must_use]
    pub const fn charges(&self) -> &'a [Charge<'a>] {
        self.charges
    }
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
