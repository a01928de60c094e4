use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock},
};

use palisade_core::{ModelId, Timestamp};

use crate::{CatalogError, PriceRow, Variant, catalog, names, row::Levels};

/// The catalog that comes with this crate.
const EMBEDDED: &str = include_str!("../data/prices.txt");

/// Who charges how much for which model, as of one day.
///
/// A book never changes: [`with_rows`](PriceBook::with_rows) gives another one, and cloning one is cheap. So a service
/// swaps the book it holds for a newer one while calls that began with the old one end with it.
///
/// # The catalog
///
/// [`PriceBook::parse`] reads this, a line at a time; words are separated by spaces:
///
/// ```text
/// palisade-prices 1
/// # a remark
/// dated 2026-11-20
/// source who says so
/// url 0 https://example.com/prices
/// [openai]
/// some-model chat 128000 16384 = @0 :standard i2.5 o10 r1.25 :batch i1.25 o5 >200000 :standard i5 o15 $search=0.01
/// ```
///
/// A row is the model, its mode, how much it reads and writes at most (`-` if unknown), whether a second source agrees
/// (`=` yes, `!` no, `-` there is none), then in any number: `@n` the page of the price, `^date` valid from, `~date`
/// withdrawn from, `:variant` with the prices that follow it, `>n` or `>=n` for a tier that begins above or at so many
/// input tokens, with variants of its own, and `$search=`, `$query=`, `$request=` in dollars each (`$search` may be
/// three: low/medium/high). A price is a letter and dollars for a million tokens:
///
/// | `i` | `o` | `r` | `w` | `h` | `t` | `a` | `A` | `x` | `X` | `m` | `M` | `y` | `v` | `V` | `c` |
/// |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
/// | input | output | cache read | cache write | cache write 1 h | reasoning | audio in | audio out | cached audio | audio written to cache | image in | image out | cached image | video in | video out | citation |
#[derive(Clone)]
pub struct PriceBook(Arc<Inner>);

#[derive(Clone, Default)]
struct Inner {
    dated: String,
    sources: Vec<String>,
    /// Provider to model to rows, those of one model from the earliest to the latest.
    providers: HashMap<String, HashMap<String, Vec<PriceRow>>>,
    /// Every variant a row has prices for: a handful.
    variants: Vec<Variant>,
    len: usize,
}

impl PriceBook {
    /// The book that comes with this crate; parsed once.
    #[must_use]
    pub fn embedded() -> Self {
        static BOOK: LazyLock<PriceBook> = LazyLock::new(|| {
            // A test reads the same bytes, so they parse.
            PriceBook::parse(EMBEDDED).expect("the embedded catalog is valid")
        });
        BOOK.clone()
    }

    /// A book without rows: every model is unknown to it.
    #[must_use]
    pub fn empty() -> Self {
        Self(Arc::default())
    }

    /// Reads a catalog.
    ///
    /// # Errors
    ///
    /// [`CatalogError`] with the line that cannot be understood.
    pub fn parse(catalog: &str) -> Result<Self, CatalogError> {
        let parsed = catalog::parse(catalog)?;
        let mut book = Inner {
            dated: parsed.dated,
            sources: parsed.sources,
            ..Inner::default()
        };
        for row in parsed.rows {
            book.insert(row);
        }
        Ok(Self(Arc::new(book)))
    }

    /// This book with other prices for some models: the rows of each model given replace all rows the book has of it.
    #[must_use]
    pub fn with_rows(&self, rows: impl IntoIterator<Item = PriceRow>) -> Self {
        let rows: Vec<PriceRow> = rows.into_iter().collect();
        let mut book = (*self.0).clone();
        for row in &rows {
            let models = book.providers.get_mut(row.model.provider());
            let removed = models.and_then(|models| models.remove(row.model.model()));
            book.len -= removed.map_or(0, |rows| rows.len());
        }
        for row in rows {
            book.insert(row);
        }
        Self(Arc::new(book))
    }

    /// The day of the prices, as `2026-11-20`; empty if no catalog said so.
    #[must_use]
    pub fn dated(&self) -> &str {
        &self.0.dated
    }

    /// Where the prices come from, with licences.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.0.sources
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All rows, in no order.
    pub fn rows(&self) -> impl Iterator<Item = &PriceRow> {
        self.0
            .providers
            .values()
            .flat_map(HashMap::values)
            .flatten()
    }

    /// The row of exactly this model that holds at a time.
    #[must_use]
    pub fn find(&self, model: &ModelId, at: Timestamp) -> Option<&PriceRow> {
        let models = self.0.providers.get(model.provider())?;
        row_at(models.get(model.model())?, at)
    }

    /// The earliest row of exactly this model.
    pub(crate) fn first(&self, model: &ModelId) -> Option<&PriceRow> {
        let models = self.0.providers.get(model.provider())?;
        models.get(model.model())?.first()
    }

    /// This book and more rows; the day and the sources are those of `newer`.
    pub(crate) fn adding(&self, rows: Vec<PriceRow>, newer: &Self) -> Self {
        let mut book = (*self.0).clone();
        newer.0.dated.clone_into(&mut book.dated);
        newer.0.sources.clone_into(&mut book.sources);
        for row in rows {
            book.insert(row);
        }
        Self(Arc::new(book))
    }

    /// The row of a model under any of its exact names, of which the first found counts.
    ///
    /// `names` are what the response calls the model, then what the request called it, at `provider`. Each is looked up
    /// as it is, then without routing prefix or resource name, then as the fine-tune of a base. Only when no name is
    /// found is a date at the end of one taken off, which the answer says. A name that is merely similar is never
    /// found.
    #[must_use]
    pub fn resolve(&self, provider: &str, names: &[&str], at: Timestamp) -> Option<Resolved<'_>> {
        let providers = &self.0.providers;
        // A table without the provider has none of its models.
        let (provider, models) = match providers.get(provider) {
            Some(models) => (provider, models),
            None => {
                let provider = names::provider(provider);
                (provider, providers.get(provider)?)
            }
        };
        let find = |name: &str| row_at(models.get(name)?, at);
        let exact = |row| Resolved {
            row,
            undated: false,
        };
        for name in names {
            if let Some(row) = find(name) {
                return Some(exact(row));
            }
            let forms = names::spellings(provider, name);
            if let Some(row) = forms.iter().find_map(|form| find(form)) {
                return Some(exact(row));
            }
        }
        let forms: Vec<Cow<'_, str>> = names
            .iter()
            .flat_map(|name| {
                let spellings = names::spellings(provider, name);
                std::iter::once(Cow::Borrowed(*name)).chain(spellings)
            })
            .collect();
        let tuned = forms.iter().filter_map(|form| names::fine_tuned(form));
        if let Some(row) = tuned.clone().find_map(&find) {
            return Some(exact(row));
        }
        forms
            .iter()
            .map(|form| &**form)
            .chain(tuned)
            .filter_map(names::undated)
            .find_map(&find)
            .map(|row| Resolved { row, undated: true })
    }

    /// The variant of this name, if any row has prices for it.
    pub(crate) fn variant(&self, name: &str) -> Option<Variant> {
        self.0
            .variants
            .iter()
            .find(|variant| variant.as_str() == name)
            .cloned()
    }
}

/// Of the rows of one model, the one that holds at a time.
fn row_at(rows: &[PriceRow], at: Timestamp) -> Option<&PriceRow> {
    rows.iter()
        .rev()
        .find(|row| row.effective_from.is_none_or(|from| from <= at))
}

impl Inner {
    fn insert(&mut self, row: PriceRow) {
        let tiers = row.tiers.iter().map(|tier| &tier.levels);
        for (variant, _) in tiers.chain([&row.base]).flat_map(Levels::iter) {
            if !self.variants.contains(variant) {
                self.variants.push(variant.clone());
            }
        }
        let models = self
            .providers
            .entry(row.model.provider().to_owned())
            .or_default();
        let rows = models.entry(row.model.model().to_owned()).or_default();
        let at = rows.partition_point(|other| other.effective_from < row.effective_from);
        match rows.get_mut(at) {
            Some(same) if same.effective_from == row.effective_from => *same = row,
            _ => {
                rows.insert(at, row);
                self.len += 1;
            }
        }
    }
}

impl fmt::Debug for PriceBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PriceBook")
            .field("dated", &self.0.dated)
            .field("len", &self.0.len)
            .finish_non_exhaustive()
    }
}

/// The row a model was found under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved<'a> {
    /// The row.
    pub row: &'a PriceRow,
    /// Whether a date at the end of the name had to be taken off: an assumption.
    pub undated: bool,
}
