//! Nothing to use: the examples are the files beside this folder. Here the code in the README and in the book is compiled
//! and run, so that none of it can grow old.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/src/introduction.md")]
mod introduction {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/src/architecture.md")]
mod architecture {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/src/vocabulary.md")]
mod vocabulary {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/src/operations.md")]
mod operations {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/src/resilience.md")]
mod resilience {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/src/injection-model-card.md")]
mod injection_model_card {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/src/rate-limits.md")]
mod rate_limits {}

#[cfg(doctest)]
#[doc = include_str!("../../docs/src/decisions.md")]
mod decisions {}

#[cfg(test)]
mod tests {
    use std::{fs, io, path::Path};

    #[test]
    fn no_page_of_the_book_is_left_out() -> io::Result<()> {
        let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src");
        for entry in fs::read_dir(book)? {
            let page = entry?.file_name().to_string_lossy().into_owned();
            // The table of contents has no code, and is no page.
            if page.ends_with(".md") && page != "SUMMARY.md" {
                let included = format!("include_str!(\"../../docs/src/{page}\")");
                assert!(
                    include_str!("lib.rs").contains(&included),
                    "{page} is not compiled here"
                );
            }
        }
        Ok(())
    }
}
