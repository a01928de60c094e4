//! The command `palisade`.

mod allow;
mod args;
mod baseline;
mod found;
mod history;
mod injection;
mod input;
mod jsonl;
mod lines;
mod migrate;
mod output;
mod own_rules;
mod parallel;
mod place;
mod price;
mod prices;
mod progress;
mod quota;
mod redact;
mod rules;
mod scan;
mod tally;

use std::{io::Write, process::ExitCode};

use clap::Parser;

use crate::{
    args::{Arguments, Command},
    output::Output,
    tally::{FAILED, Tally},
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut output = Output::new();
    let outcome = match &arguments.command {
        Command::Scan(scan) if scan.injection => injection::run(scan, &mut output),
        Command::Scan(scan) => scan::run(scan, &mut output),
        Command::Redact(redact) => redact::run(redact, &mut output),
        Command::Rules(rules) => rules::run(rules, &mut output),
        Command::Price(price) => price::run(price, &mut output),
        Command::Prices(prices) => prices::run(prices, &mut output),
        Command::Quota(quota) => quota::run(quota, &mut output),
        Command::Migrate(migrate) => migrate::run(migrate, &mut output),
    };
    let outcome = outcome.and_then(|tally| {
        output.flush()?;
        Ok(tally)
    });
    match outcome {
        Ok(tally) => tally.exit_code(),
        Err(error) if output::is_gone(&error) => Tally::default().exit_code(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "palisade: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}
