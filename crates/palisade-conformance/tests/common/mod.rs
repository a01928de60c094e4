//! What the tests of every module need to look at liars.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{collections::BTreeSet, fmt::Debug, future::poll_fn, task::Poll};

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

/// A kind of backend that may be wrong.
pub(crate) trait Suspect: Copy + Debug {
    /// How it does by every rule.
    fn ask(self) -> Vec<(&'static str, Verdict)>;

    /// How it does in one random sequence.
    fn play(self, seed: u64) -> Verdict;
}

pub(crate) fn keeps_every_rule(verdicts: Vec<(&'static str, Verdict)>) {
    for (rule, verdict) in verdicts {
        assert!(verdict.is_ok(), "{rule}: {verdict:?}");
    }
}

/// Checks that each of them breaks the rule made for it, and that there is no rule that none of them breaks.
pub(crate) fn each_breaks_the_rule_made_for_it<S: Suspect>(made: &[(S, &'static str)]) {
    let (mut rules, mut proven) = (BTreeSet::new(), BTreeSet::new());
    for (suspect, rule) in made {
        let verdicts = suspect.ask();
        rules.extend(verdicts.iter().map(|(rule, _)| *rule));
        let broken: Vec<_> = verdicts
            .into_iter()
            .filter(|(_, verdict)| verdict.is_err())
            .map(|(rule, _)| rule)
            .collect();
        assert!(
            broken.contains(rule),
            "{suspect:?} broke not {rule}, only {broken:?}"
        );
        proven.extend(broken);
    }
    let unproven: Vec<_> = rules.difference(&proven).collect();
    assert!(unproven.is_empty(), "no liar breaks {unproven:?}");
}

/// Checks that random play finds all of them out.
pub(crate) fn random_play_finds<S: Suspect>(suspects: &[S]) {
    for suspect in suspects {
        let found_out = (0..8).any(|seed| suspect.play(seed).is_err());
        assert!(found_out, "{suspect:?} was not found out");
    }
}

/// Checks that whoever finds this one out is told how to do it again.
pub(crate) fn tells_its_seed<S: Suspect>(suspect: S) {
    let broken = (0..8).find_map(|seed| suspect.play(seed).err());
    let text = broken.expect("it is found out").to_string();
    assert!(
        text.starts_with("PALISADE_SEED=") && text.contains("expected"),
        "{text}"
    );
}
