//! What the suites of all ports are made of. Their macros call it from the tests of a backend.

use std::thread;

use crate::{Verdict, seed};

/// How many random sequences a suite plays.
const ROUNDS: u64 = 8;
/// How many threads race.
const RACERS: u8 = 8;

/// Makes a `#[test]` of every rule: called with `[module make, run] rule rule …`.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ([$module:ident $make:expr, $run:expr] $($rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                $crate::suite::hold(($run)($crate::$module::$rule(&$make)));
            }
        )*
    };
}

/// Asks about every rule: called with `[make] rule rule …`, it is a list of names and verdicts.
macro_rules! ask_each {
    ([$make:ident] $($rule:ident)*) => { vec![$((stringify!($rule), $rule($make).await)),*] };
}
pub(crate) use ask_each;

/// Fails the test if a promise was broken.
///
/// # Panics
///
/// With what was broken.
#[track_caller]
pub fn hold(verdict: Verdict) {
    if let Err(broken) = verdict {
        panic!("{broken}");
    }
}

/// Plays some random sequences, each with a seed of its own.
///
/// # Panics
///
/// With what was broken.
#[track_caller]
pub fn play(agrees: impl Fn(u64) -> Verdict) {
    let seed = seed();
    for round in 0..ROUNDS {
        hold(agrees(seed.wrapping_add(round)));
    }
}

/// Runs one racer on each of eight threads and says what each of them got.
///
/// # Panics
///
/// If a racer did.
pub fn race<T: Send>(racer: impl Fn(u8) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let race = &racer;
        let racers: Vec<_> = (0..RACERS)
            .map(|racer| scope.spawn(move || race(racer)))
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().expect("a racer ends"))
            .collect()
    })
}
