//! Every example is run as it stands. Each asserts what it shows, so one that no longer holds is red here.
//!
//! The files are compiled in rather than started as programs: which programs cargo has built depends on how the tests
//! were asked for, and a test must not.

use std::{collections::BTreeSet, error::Error, fs, path::Path};

macro_rules! examples {
    ($($name:ident in $file:literal),* $(,)?) => {
        $(
            #[path = $file]
            mod $name;
        )*

        mod runs {
            $(
                #[test]
                fn $name() -> Result<(), String> {
                    super::$name::main().map_err(|error| error.to_string())
                }
            )*
        }

        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

examples! {
    error_report in "../error_report.rs",
    injection in "../injection.rs",
    outage in "../outage.rs",
    price in "../price.rs",
    quota in "../quota.rs",
    rate_limit in "../rate_limit.rs",
    redaction_stream in "../redaction_stream.rs",
    retry_breaker in "../retry_breaker.rs",
    tower_stack in "../tower_stack.rs",
    trace in "../trace.rs",
}

#[test]
fn no_example_is_left_out() -> Result<(), Box<dyn Error>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(
                path.file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned()),
            );
        }
    }
    let tested: BTreeSet<String> = TESTED.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(found, tested);
    Ok(())
}
