//! The chores of this repository.
//!
//! `cargo xtask` is an ordinary program of this workspace (see `.cargo/config.toml`), so a chore is written, tested and
//! reviewed like the rest and needs nothing installed but Rust. One file per chore; each has a `run`.

mod ci;
mod floors;
mod injection;
mod needs;
mod prices;
mod redaction;
mod shell;
mod suite;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

/// A chore: its name, what it does in one line, and the function that does it with the arguments after the name.
type Chore = (&'static str, &'static str, fn(&[String]) -> Result<()>);

const CHORES: &[Chore] = &[
    ("test", "run every test, on a bare machine too", suite::run),
    (
        "soak",
        "soak [PACKAGE…]: tests that draw lots, with many more and another seed",
        suite::soak,
    ),
    (
        "ci",
        "run everything else a change must pass: cargo xtask ci [STEP…]",
        ci::run,
    ),
    (
        "services",
        "services up|down: bring what tests need, for single tests by hand",
        needs::run,
    ),
    (
        "floors",
        "refuse a dependency that does not go down a floor",
        floors::run,
    ),
    (
        "prices",
        "regenerate the price catalog of palisade-cost",
        prices::run,
    ),
    (
        "eval-redaction",
        "eval-redaction PATH [TREE…]: how well palisade-redaction finds what it should",
        redaction::run,
    ),
    (
        "injection-tables",
        "regenerate the tables of letters and words of palisade-injection",
        injection::tables,
    ),
    (
        "train-injection",
        "train-injection DIR: the weights of palisade-injection's classifier, from labelled rows",
        injection::train,
    ),
    (
        "eval-injection",
        "eval-injection PATH: how well palisade-injection tells attacks from honest texts",
        injection::eval,
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    };
    let Some((_, _, run)) = CHORES.iter().find(|(chore, _, _)| chore == name) else {
        eprint!("error: there is no chore `{name}`\n\n{}", usage());
        return ExitCode::from(2);
    };
    match run(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask CHORE [ARGUMENT…]\n\n");
    for (name, what, _) in CHORES {
        text += &format!("  {name:<15} {what}\n");
    }
    text
}
