//! `drive [TARGET…] [--runs N] [--seed N] [--from N]`: the fuzz targets on any toolchain.

use std::{path::Path, process::ExitCode};

use palisade_fuzz::driver::{Plan, compare_with};

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let plan = compare_with(&folder).and_then(|()| Plan::read(std::env::args().skip(1)));
    match plan.map(|plan| plan.drive()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
