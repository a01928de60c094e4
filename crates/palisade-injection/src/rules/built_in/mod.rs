//! The rules that come with the crate. Every one carries texts that it must find and texts that it must not; the tests
//! read them.

mod context;
mod evasion;
mod extraction;
mod languages;
mod overriding;
mod persona;
mod tools;

use super::spec::Spec;

/// Every built-in pattern rule.
pub(super) fn specs() -> impl Iterator<Item = &'static Spec> {
    [
        overriding::SPECS,
        extraction::SPECS,
        persona::SPECS,
        evasion::SPECS,
        languages::SPECS,
        context::SPECS,
        tools::SPECS,
    ]
    .into_iter()
    .flatten()
}
