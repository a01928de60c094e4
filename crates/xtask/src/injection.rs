//! Trains and measures the classifier of `palisade-injection`.
//!
//! `cargo run --release -p xtask -- train-injection DIR` reads labelled rows (`*.jsonl`, one object a line with `text`,
//! `label` 0 or 1, `kind`, `source`, `lang`, and where the attack inside a longer text is known, `core`), adds the rows
//! that the generator here writes, and writes the file of weights. The same rows give the same bytes.
//!
//! The weights that are in the repository were trained with `--without neuralchemy`, whose licence is stated at second hand
//! only.
//!
//! `cargo run --release -p xtask -- eval-injection PATH` measures the whole detector on rows of the same form, and on sets
//! of our own that nothing is trained on, and prints the tables of the model card.

mod calibrate;
mod eval;
mod examples;
mod folds;
mod made;
mod own;
mod random;
mod rows;
mod sgd;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Where the weights are, from the folder of the repository.
const WEIGHTS: &str = "crates/palisade-injection/src/classifier/weights.bin";

const TRAIN_USAGE: &str = "usage: cargo xtask train-injection DIR [--output FILE] [--leave-one-out] [--without SOURCE] [--rows FILE]";

/// `cargo xtask train-injection`: trains both heads and writes the file of weights.
///
/// `--leave-one-out` instead trains once without each source, measures on what was left out, and writes nothing.
/// `--without` leaves out the rows whose source begins like that; it may be said more than once.
/// `--rows` writes our own generated rows to a file, to be looked at.
///
/// # Errors
///
/// If the arguments or a row cannot be understood, or a file not be read or written.
pub(crate) fn train(arguments: &[String]) -> Result<()> {
    let mut dir = None;
    let mut output = workspace::root().join(WEIGHTS);
    let mut leave_one_out = false;
    let mut listing = None;
    let mut without: Vec<String> = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--output" => output = PathBuf::from(value()?),
            "--rows" => listing = Some(PathBuf::from(value()?)),
            "--without" => without.push(value()?.clone()),
            "--leave-one-out" => leave_one_out = true,
            path if dir.is_none() && !path.starts_with('-') => dir = Some(PathBuf::from(path)),
            other => bail!("unexpected `{other}`\n{TRAIN_USAGE}"),
        }
    }
    let dir = dir.context(TRAIN_USAGE)?;
    let mut rows = rows::read_dir(&dir)?;
    rows.retain(|row| !without.iter().any(|source| row.source.starts_with(source)));
    let own = own::rows(&rows);
    if let Some(path) = listing {
        return rows::write(&path, &own);
    }
    println!("{} rows read, {} of our own", rows.len(), own.len());
    rows.extend(own);
    let user = examples::for_users(&rows);
    let data = examples::for_data(&rows);
    println!("{} examples for users, {} for data", user.len(), data.len());
    if leave_one_out {
        folds::report("user", &user, calibrate::GIVEN[0]);
        folds::report("data", &data, calibrate::GIVEN[1]);
        return Ok(());
    }
    let heads = [(user, calibrate::GIVEN[0]), (data, calibrate::GIVEN[1])];
    let heads = heads.map(|(examples, given)| {
        let mut head = sgd::train(&examples, given.rules, |_| true);
        calibrate::set_cut(&mut head, &examples, given);
        println!("cut at {:.2}", head.cut);
        head
    });
    let file = palisade_injection::training::file(&heads[0], &heads[1]);
    fs::write(&output, file).with_context(|| format!("cannot write {}", output.display()))?;
    println!("wrote {}", output.display());
    Ok(())
}

/// `cargo xtask injection-tables`: writes the tables of letters and words that the library reads where they lie.
///
/// Words are spelled with the table of letters that is in this program: after a change of that one, run it twice.
///
/// # Errors
///
/// If there are arguments, or a file cannot be written.
pub(crate) fn tables(arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("usage: cargo xtask injection-tables");
    }
    let dir = workspace::root().join("crates/palisade-injection/src");
    for (name, bytes) in palisade_injection::training::tables() {
        let path = dir.join(name);
        fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}, {} bytes", path.display(), bytes.len());
    }
    Ok(())
}

/// `cargo xtask eval-injection`: prints the tables of the model card.
///
/// # Errors
///
/// If the arguments or a row cannot be understood, or the file not be read.
pub(crate) fn eval(arguments: &[String]) -> Result<()> {
    let [path] = arguments else {
        bail!("usage: cargo xtask eval-injection PATH");
    };
    let rows = rows::read(&PathBuf::from(path))?;
    print!("{}", eval::report(&rows));
    Ok(())
}
