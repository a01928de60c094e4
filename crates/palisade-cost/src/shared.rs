//! The book that a running service uses, and how another takes its place.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{PriceBook, SuspiciousPrices};

/// The book of a running service. Clones are one: what one of them swaps, all of them see.
///
/// Calls that began with the old book end with it. A thread that prices all day takes a [reader](SharedPrices::reader),
/// which looks at one number a call and takes the lock only after a swap.
///
/// ```
/// use palisade_cost::{PriceBook, SharedPrices};
///
/// let prices = SharedPrices::new(PriceBook::embedded());
/// let mut reader = prices.reader();
/// assert_eq!(reader.book().len(), PriceBook::embedded().len());
///
/// // Somebody has read a newer table. Prices that moved very far have to be confirmed.
/// assert!(prices.swap(PriceBook::embedded()).is_ok());
/// prices.swap_confirmed(PriceBook::empty());
/// assert!(reader.book().is_empty());
/// ```
#[derive(Clone)]
pub struct SharedPrices(Arc<Shared>);

struct Shared {
    /// Counts the swaps, so that a reader knows when to look.
    edition: AtomicU64,
    book: RwLock<PriceBook>,
}

impl SharedPrices {
    /// A service's first book.
    #[must_use]
    pub fn new(book: PriceBook) -> Self {
        Self(Arc::new(Shared {
            edition: AtomicU64::new(0),
            book: RwLock::new(book),
        }))
    }

    /// The book of this moment.
    #[must_use]
    pub fn book(&self) -> PriceBook {
        let book = self.0.book.read();
        book.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses another book from now on, if none of its prices looks like a slip; the book until now.
    ///
    /// # Errors
    ///
    /// [`SuspiciousPrices`], and nothing has changed: see [`PriceBook::succeed_by`].
    pub fn swap(&self, newer: PriceBook) -> Result<PriceBook, SuspiciousPrices> {
        // Compared under the lock, so that of two swaps at once the later is compared with the earlier.
        let mut book = self.0.book.write().unwrap_or_else(PoisonError::into_inner);
        let newer = book.succeed_by(newer)?;
        let old = std::mem::replace(&mut *book, newer);
        self.0.edition.fetch_add(1, Ordering::Release);
        Ok(old)
    }

    /// Uses another book from now on, whatever it says; the book until now. For whoever has looked at the changes.
    pub fn swap_confirmed(&self, newer: PriceBook) -> PriceBook {
        let mut book = self.0.book.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *book, newer);
        self.0.edition.fetch_add(1, Ordering::Release);
        old
    }

    /// A handle that reads without a lock until the book is swapped.
    #[must_use]
    pub fn reader(&self) -> PriceReader {
        // The number first: a swap in between is seen at the next look.
        let edition = self.0.edition.load(Ordering::Acquire);
        PriceReader {
            prices: self.clone(),
            edition,
            book: self.book(),
        }
    }
}

impl fmt::Debug for SharedPrices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedPrices").field(&self.book()).finish()
    }
}

/// One thread's view of [`SharedPrices`].
#[derive(Clone, Debug)]
pub struct PriceReader {
    prices: SharedPrices,
    edition: u64,
    book: PriceBook,
}

impl PriceReader {
    /// The book of this moment.
    pub fn book(&mut self) -> &PriceBook {
        let edition = self.prices.0.edition.load(Ordering::Acquire);
        if edition != self.edition {
            self.book = self.prices.book();
            self.edition = edition;
        }
        &self.book
    }
}
