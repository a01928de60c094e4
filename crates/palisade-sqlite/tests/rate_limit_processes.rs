//! Several processes, several threads each, one file, the real clock: what they let pass, together and in every interval.
#![cfg(feature = "rate-limit")]

use std::{
    env, fmt::Write as _, fs, path::Path, process::Command, sync::Mutex, thread, time::Duration,
};

use palisade_conformance::{block_on, rate_limit::History, suite::hold};
use palisade_core::{Clock as _, Key, SystemClock};
use palisade_rate_limit::{
    Charge, CheckRequest, LeaseConfig, Leased, Limit, RateLimiter, RateLimiterExt as _,
};
use palisade_sqlite::{Sqlite, SqliteConfig};

const CHILD: &str = "PALISADE_SQLITE_RATE_LIMIT_TEST_FILE";
const LEASED: &str = "PALISADE_SQLITE_RATE_LIMIT_TEST_LEASED";
const PROCESSES: usize = 3;
const TASKS: usize = 4;
const ASKS: usize = 3_000;
/// In hand for at most this long, and at most eight requests at a time.
const TIME: Duration = Duration::from_millis(50);
const SLICE: u64 = 8;

/// So much less than is asked for that it binds all the time, in every kind of window.
fn limits() -> [Limit; 3] {
    let period = Duration::from_millis(100);
    [
        Limit::new("bucket", 40, period).unwrap(),
        Limit::sliding_log("log", 40, period).unwrap(),
        Limit::fixed_window("window", 40, period).unwrap(),
    ]
}

/// The wall, which all processes read alike.
fn now() -> u64 {
    u64::try_from(SystemClock.now().as_nanos()).unwrap()
}

fn child(path: &Path) {
    let sqlite = Sqlite::open(path, SqliteConfig::default()).unwrap();
    let lines = Mutex::new(String::new());
    let work = |limiter: &dyn Fn(&Limit) -> bool| {
        for turn in 0..ASKS {
            let index = turn % limits().len();
            let asked = now();
            if limiter(&limits()[index]) {
                let answered = now();
                writeln!(lines.lock().unwrap(), "{index} {asked} {answered}").unwrap();
            }
        }
    };
    fn ask(limiter: &impl RateLimiter, limit: &Limit) -> bool {
        let key = Key::global();
        let charge = Charge::new(limit, &key, 1);
        block_on(limiter.check(CheckRequest::one(&charge)))
            .unwrap()
            .is_allow()
    }
    let leased = env::var_os(LEASED).map(|_| {
        let config = LeaseConfig::default().with_slice(SLICE).with_time(TIME);
        Leased::new(sqlite.clone(), SystemClock, config)
    });
    thread::scope(|scope| {
        for _ in 0..TASKS {
            scope.spawn(|| match &leased {
                Some(leased) => work(&|limit| ask(leased, limit)),
                None => work(&|limit| ask(&sqlite, limit)),
            });
        }
    });
    if let Some(leased) = leased {
        block_on(leased.give_back()).unwrap();
    }
    block_on(sqlite.close());
    let name = format!("admitted-{}", std::process::id());
    fs::write(path.with_file_name(name), lines.into_inner().unwrap()).unwrap();
}

/// What the children of the test `name` let pass of each limit.
fn play(name: &str, leased: bool) -> Vec<History> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("palisade.db");
    drop(Sqlite::open(&path, SqliteConfig::default()).unwrap());
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut command = Command::new(env::current_exe().unwrap());
            command.args(["--exact", name]).env(CHILD, &path);
            if leased {
                command.env(LEASED, "1");
            }
            command.spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let mut histories = vec![History::new(); limits().len()];
    for file in fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        if !path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("admitted-")
        {
            continue;
        }
        for line in fs::read_to_string(path).unwrap().lines() {
            let mut numbers = line.split(' ').map(|number| number.parse::<u64>().unwrap());
            let mut next = || numbers.next().unwrap();
            let (index, asked, answered) = (next(), next(), next());
            histories[index as usize].admitted(asked, answered, 1);
        }
    }
    histories
}

#[test]
fn processes_and_threads_keep_every_limit_in_every_interval() {
    if let Some(path) = env::var_os(CHILD) {
        return child(Path::new(&path));
    }
    let histories = play(
        "processes_and_threads_keep_every_limit_in_every_interval",
        false,
    );
    for (limit, history) in limits().iter().zip(histories) {
        assert!(history.len() >= 40, "{limit:?}: {}", history.len());
        hold(history.check(limit, Duration::ZERO, 0));
    }
}

#[test]
fn with_slices_they_keep_it_but_for_what_is_in_hand() {
    if let Some(path) = env::var_os(CHILD) {
        return child(Path::new(&path));
    }
    let histories = play("with_slices_they_keep_it_but_for_what_is_in_hand", true);
    for (limit, history) in limits().iter().zip(histories) {
        assert!(history.len() >= 40, "{limit:?}: {}", history.len());
        hold(history.check(limit, TIME, 0));
        hold(history.check(limit, Duration::ZERO, SLICE * PROCESSES as u64));
    }
}
