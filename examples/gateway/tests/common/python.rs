//! The interpreter that has the official clients.

/// The interpreter of `PALISADE_PYTHON`.
pub(crate) fn python() -> String {
    std::env::var("PALISADE_PYTHON").unwrap_or_else(|_| {
        panic!(
            "PALISADE_PYTHON names no Python with the official clients: run `cargo xtask test`, which prepares one"
        )
    })
}

/// A script of the tests.
pub(crate) fn script(name: &str) -> String {
    format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR"))
}
