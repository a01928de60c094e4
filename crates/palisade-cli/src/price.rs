//! `palisade price`.

use anyhow::Result;
use palisade::core::{Clock, SystemClock};
use palisade::cost::{PriceBook, price_line};

use crate::{
    args::Price,
    input,
    jsonl::{self, Answer},
    output::Output,
    prices,
    tally::Tally,
};

/// Prices calls, one record a line.
///
/// # Errors
///
/// If an input cannot be read or the output not be written.
pub(crate) fn run(arguments: &Price, output: &mut Output) -> Result<Tally> {
    let mut book = PriceBook::embedded();
    if let Some(path) = &arguments.prices {
        book = book.with_rows(prices::load(path)?.rows().cloned());
    }
    let now = SystemClock.now();
    let mut tally = Tally::default();
    for path in input::or_standard_input(&arguments.paths) {
        tally += jsonl::answer(input::open(&path)?, output, |line| {
            let answer = price_line(&book, line, now).map_err(|error| error.to_string())?;
            Ok(Answer {
                json: answer.to_json().into_bytes(),
                found: false,
            })
        })?;
    }
    Ok(tally)
}
