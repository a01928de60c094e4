//! What the tests of every module need to look at liars.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{future::poll_fn, task::Poll};

use palisade_conformance::Verdict;

/// Lets whoever else is ready go first, once.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The rules that were broken.
pub(crate) fn broken(verdicts: Vec<(&'static str, Verdict)>) -> Vec<&'static str> {
    verdicts
        .into_iter()
        .filter(|(_, verdict)| verdict.is_err())
        .map(|(rule, _)| rule)
        .collect()
}
