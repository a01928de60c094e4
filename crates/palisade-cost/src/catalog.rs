//! Reads the text form of a price book; [`PriceBook`](crate::PriceBook) describes it.

use palisade_core::{ModelId, ModelIdError, Money, MoneyError, Timestamp};

use crate::{Crossing, PriceClass, PriceError, PriceRow, Variant, date, row};

/// The first line: name and version of the format.
const HEAD: &str = "palisade-prices 1";
/// The most rows one catalog may have.
const ROWS_MAX: usize = 100_000;

/// What a catalog says.
pub(crate) struct Parsed {
    pub(crate) dated: String,
    pub(crate) sources: Vec<String>,
    pub(crate) rows: Vec<PriceRow>,
}

pub(crate) fn parse(text: &str) -> Result<Parsed, CatalogError> {
    let mut parsed = Parsed {
        dated: String::new(),
        sources: Vec::new(),
        rows: Vec::new(),
    };
    let mut provider = None;
    for (index, line) in text.lines().enumerate() {
        let fail = |kind| CatalogError {
            line: index + 1,
            kind,
        };
        if index == 0 {
            if line != HEAD {
                return Err(fail(CatalogErrorKind::Head));
            }
        } else if line.is_empty() || line.starts_with('#') {
        } else if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            provider = Some(name);
        } else if let Some(provider) = provider {
            if parsed.rows.len() == ROWS_MAX {
                return Err(fail(CatalogErrorKind::TooMany));
            }
            parsed.rows.push(row(provider, line).map_err(fail)?);
        } else if let Some(dated) = line.strip_prefix("dated ") {
            date::day(dated).ok_or(fail(CatalogErrorKind::Date))?;
            dated.clone_into(&mut parsed.dated);
        } else if let Some(source) = line.strip_prefix("source ") {
            parsed.sources.push(source.to_owned());
        } else if line.strip_prefix("url ").is_none() {
            return Err(fail(CatalogErrorKind::Word));
        }
    }
    if text.is_empty() {
        return Err(CatalogError {
            line: 1,
            kind: CatalogErrorKind::Head,
        });
    }
    Ok(parsed)
}

fn row(provider: &str, line: &str) -> Result<PriceRow, CatalogErrorKind> {
    let mut words = line.split(' ');
    let mut next = || words.next().ok_or(CatalogErrorKind::Word);
    let mut row = PriceRow::new(ModelId::new(provider, next()?)?);
    let _mode = next()?;
    row.about.context_window = size(next()?)?;
    row.about.output_max = size(next()?)?;
    row.about.confirmed = match next()? {
        "=" => Some(true),
        "!" => Some(false),
        "-" => None,
        _ => return Err(CatalogErrorKind::Word),
    };
    // Where the next price belongs: the tier, if one has begun, and the variant.
    let mut tier: Option<(Crossing, u64)> = None;
    let mut variant: Option<Variant> = None;
    for word in words {
        let (first, rest) = word.split_at_checked(1).ok_or(CatalogErrorKind::Word)?;
        match first {
            "@" => {}
            "^" => row.effective_from = Some(day(rest)?),
            "~" => row.about.withdrawn_from = Some(day(rest)?),
            ":" => variant = Some(Variant::new(rest).ok_or(CatalogErrorKind::Word)?),
            ">" => {
                let (crossing, threshold) = match rest.strip_prefix('=') {
                    Some(threshold) => (Crossing::From, threshold),
                    None => (Crossing::Above, rest),
                };
                let threshold = threshold.parse().map_err(|_| CatalogErrorKind::Word)?;
                (tier, variant) = (Some((crossing, threshold)), None);
            }
            "$" => unit(&mut row, rest)?,
            _ => {
                let class = PriceClass::from_letter(word.as_bytes()[0]);
                let class = class.ok_or(CatalogErrorKind::Word)?;
                let variant = variant.clone().ok_or(CatalogErrorKind::Word)?;
                let price = row::pico_per_token(rest.parse()?)?;
                let levels = match tier {
                    Some((crossing, threshold)) => &mut row.tier(crossing, threshold).levels,
                    None => &mut row.base,
                };
                levels.entry(variant).set(class, price);
            }
        }
    }
    Ok(row)
}

fn unit(row: &mut PriceRow, word: &str) -> Result<(), CatalogErrorKind> {
    let (name, price) = word.split_once('=').ok_or(CatalogErrorKind::Word)?;
    match name {
        "search" => {
            let prices: Vec<Money> = price
                .split('/')
                .map(usd)
                .collect::<Result<_, CatalogErrorKind>>()?;
            row.search = Some(match *prices {
                [one] => [one; 3],
                [low, medium, high] => [low, medium, high],
                _ => return Err(CatalogErrorKind::Word),
            });
        }
        "query" => row.query = Some(usd(price)?),
        "request" => row.request = Some(usd(price)?),
        _ => return Err(CatalogErrorKind::Word),
    }
    Ok(())
}

fn usd(word: &str) -> Result<Money, CatalogErrorKind> {
    let amount: Money = word.parse()?;
    if amount.is_negative() {
        return Err(PriceError::Range.into());
    }
    Ok(amount)
}

fn size(word: &str) -> Result<Option<u64>, CatalogErrorKind> {
    match word {
        "-" => Ok(None),
        size => size.parse().map(Some).map_err(|_| CatalogErrorKind::Word),
    }
}

fn day(word: &str) -> Result<Timestamp, CatalogErrorKind> {
    date::day(word).ok_or(CatalogErrorKind::Date)
}

/// Why a catalog cannot be read, and in which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the price catalog cannot be read in line {line}")]
#[non_exhaustive]
pub struct CatalogError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub kind: CatalogErrorKind,
}

/// What is wrong with a line of a catalog.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogErrorKind {
    /// It is not a catalog, or of another version.
    #[error("a catalog begins with the line `{HEAD}`")]
    Head,
    /// A word is missing or not of the format.
    #[error("a word is missing, or is not one of the format")]
    Word,
    /// A date is not one of the calendar.
    #[error("a date is YYYY-MM-DD")]
    Date,
    /// There are too many rows.
    #[error("a catalog has at most {ROWS_MAX} rows")]
    TooMany,
    /// The name of a model.
    #[error(transparent)]
    Model(#[from] ModelIdError),
    /// An amount.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A price.
    #[error(transparent)]
    Price(#[from] PriceError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Result<PriceRow, CatalogErrorKind> {
        let text = format!("{HEAD}\ndated 2026-11-20\n[acme]\n{line}\n");
        match parse(&text) {
            Ok(parsed) => Ok(parsed.rows.into_iter().next().unwrap()),
            Err(error) => {
                assert_eq!(error.line, 4);
                Err(error.kind)
            }
        }
    }

    #[test]
    fn a_line_is_the_row_it_says() {
        let model = ModelId::new("acme", "m").unwrap();
        let usd = |text: &str| text.parse::<Money>().unwrap();
        let mut built = PriceRow::new(model)
            .with_price(Variant::STANDARD, PriceClass::Input, usd("1"))
            .unwrap()
            .with_price(Variant::BATCH, PriceClass::OutputAudio, usd("0.5"))
            .unwrap()
            .with_tier_price(
                (Crossing::From, 200),
                Variant::STANDARD,
                PriceClass::Input,
                usd("2"),
            )
            .unwrap()
            .with_search_prices(usd("0.1"), usd("0.2"), usd("0.3"))
            .with_query_price(usd("0.001"))
            .with_effective_from(date::day("2026-01-01").unwrap());
        built.about.context_window = Some(1_000);
        built.about.confirmed = Some(false);
        let line = "m chat 1000 - ! @3 ^2026-01-01 :standard i1 :batch A0.5 >=200 :standard i2 $search=0.1/0.2/0.3 $query=0.001";
        assert_eq!(one(line), Ok(built));
    }

    #[test]
    fn a_line_that_is_not_understood_is_refused() {
        for line in [
            "m",
            "m chat - - ?",
            "m chat - - = i1",
            "m chat - - = :standard q1",
            "m chat - - = :standard i",
            "m chat - - = :standard i0.0000001",
            "m chat - - = :standard i-1",
            "m chat - - = :Standard i1",
            "m chat - - = >x :standard i1",
            "m chat - - = >100 i1",
            "m chat - - = ^2026-02-30",
            "m chat - - = $search=1/2",
            "m chat - - = $smell=1",
            "m chat - - = $query=-1",
            "m chat  - - =",
            "m chat - - = é",
        ] {
            assert!(one(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_file_that_is_no_catalog_is_refused() {
        for text in [
            "",
            "palisade-prices 2\n",
            "{}",
            "palisade-prices 1\nsmell\n",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
