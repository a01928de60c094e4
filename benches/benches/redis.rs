//! What a decision costs that many machines share: throughput beside `INCR` of `redis-benchmark` in the same run, and the
//! server's own time for each decision, as its `commandstats` tell.
//!
//! It starts a server of its own: the `redis-server` of `PALISADE_REDIS_SERVER` or of the `PATH`, with `redis-cli` and
//! `redis-benchmark` beside it. Client and server share the machine; compare ratios.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use palisade::{
    core::{Dimension, Key, SystemClock},
    rate_limit::{
        Charge, CheckRequest, Fallback, FallbackConfig, Hold, HoldId, LeaseConfig, Leased, Limit,
        RateLimiter, RateLimiterExt as _, ReserveRequest, WithFallback,
    },
    redis::{Redis, RedisConfig},
};

const TASKS: usize = 64;
const KEYS: usize = 100_000;
const DEADLINE: Duration = Duration::from_millis(50);

/// How many decisions are measured, how often, and how many callers find the server silent. Without `--bench` among its
/// arguments it is only seen to run.
#[derive(Clone, Copy)]
struct Size {
    decisions: usize,
    rounds: usize,
    silent: usize,
}

impl Size {
    fn new() -> Self {
        let measures = std::env::args().any(|argument| argument == "--bench");
        let (decisions, rounds, silent) = if measures {
            (64_000, 3, 100)
        } else {
            (640, 1, 3)
        };
        Self {
            decisions,
            rounds,
            silent,
        }
    }
}

fn main() {
    let size = Size::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let server = Server::start();
    let redis = runtime.block_on(connect(&server, Duration::from_secs(10)));
    let leased = Leased::new(redis.clone(), SystemClock, LeaseConfig::default());

    println!(
        "{TASKS} tasks, {} decisions, {} rounds, medians",
        size.decisions, size.rounds
    );
    println!(
        "{:<34} {:>10} {:>8} {:>12}",
        "", "per second", "x INCR", "server us"
    );
    let mut rows: Vec<(&str, Vec<[f64; 3]>)> = Vec::new();
    for _ in 0..size.rounds {
        server.cli(&["FLUSHALL"]);
        let incr = server.incr(size.decisions);
        let mut row = |name, rate: f64, micros: f64| {
            let row = [rate, rate / incr, micros];
            match rows.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rows)) => rows.push(row),
                None => rows.push((name, vec![row])),
            }
        };
        row(
            "INCR, redis-benchmark",
            incr,
            server.micros("incr", size.decisions),
        );
        let measured = runtime.block_on(run(&server, &redis, Question::One, size));
        row("one dimension", measured.0, measured.1);
        let measured = runtime.block_on(run(&server, &redis, Question::Three, size));
        row("three dimensions, no hold", measured.0, measured.1);
        let measured = runtime.block_on(run(&server, &redis, Question::ThreeHeld, size));
        row("three dimensions and a hold", measured.0, measured.1);
        let measured = runtime.block_on(run(&server, &redis, Question::Hot, size));
        row("one hot key", measured.0, measured.1);
        let measured = runtime.block_on(run(&server, &leased, Question::Hot, size));
        row("one hot key, slices of 32", measured.0, measured.1);
    }
    for (name, mut rows) in rows {
        let mut median = |column: usize| {
            rows.sort_by(|a, b| a[column].total_cmp(&b[column]));
            rows[rows.len() / 2][column]
        };
        let (rate, ratio, micros) = (median(0), median(1), median(2));
        println!("{name:<34} {rate:>10.0} {ratio:>8.2} {micros:>12.2}");
    }
    runtime.block_on(hang(&server, size.silent));
}

#[derive(Clone, Copy)]
enum Question {
    One,
    Three,
    ThreeHeld,
    Hot,
}

async fn connect(server: &Server, deadline: Duration) -> Redis {
    let config = RedisConfig::node(format!("127.0.0.1:{}", server.port)).expect("an address");
    let config = config.with_deadline(deadline).expect("a deadline");
    Redis::connect(config).await.expect("it answers")
}

/// Decisions per second, and the server's microseconds for each.
async fn run<L>(server: &Server, limiter: &L, question: Question, size: Size) -> (f64, f64)
where
    L: RateLimiter + Clone + 'static,
{
    server.cli(&["CONFIG", "RESETSTAT"]);
    let begin = now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                let requests = Limit::per_second("requests", 1_000).expect("a limit");
                let tokens = Limit::per_minute("tokens", 90_000_000).expect("a limit");
                let money = Limit::per_hour("money", 1_000_000_000).expect("a limit");
                let hot = Limit::per_second("hot", 10_000_000).expect("a limit");
                for number in 0..size.decisions / TASKS {
                    let user = (task * 7_919 + number * 104_729) % KEYS;
                    let key = Key::new(Dimension::User, user.to_string()).expect("a short name");
                    let charges = [
                        Charge::new(&requests, &key, 1),
                        Charge::new(&tokens, &key, 700),
                        Charge::new(&money, &key, 5),
                    ];
                    let everybody = Key::global();
                    let hot = [Charge::new(&hot, &everybody, 1)];
                    let charges = match question {
                        Question::One => &charges[..1],
                        Question::Three | Question::ThreeHeld => &charges[..],
                        Question::Hot => &hot[..],
                    };
                    let request = CheckRequest::new(charges).expect("a request");
                    let request = match question {
                        Question::ThreeHeld => {
                            ReserveRequest::hold(request, Hold::new(HoldId::unique()))
                        }
                        _ => ReserveRequest::check(request),
                    };
                    let answer = limiter.reserve(request).await.expect("an answer");
                    assert!(answer.is_allow(), "nobody is refused here");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it ends");
    }
    let rate = size.decisions as f64 / begin.elapsed().as_secs_f64();
    (rate, server.micros("evalsha", size.decisions))
}

/// How long a check takes while the server hangs: until it is given up, and then.
async fn hang(server: &Server, callers: usize) {
    let redis = connect(server, DEADLINE).await;
    let limit = Limit::per_day("hang", 1_000_000).expect("a limit");
    let key = Key::global();
    let charge = Charge::new(&limit, &key, 1);
    let ask = || redis.check(CheckRequest::one(&charge));
    assert!(ask().await.is_ok());
    server.signal("-STOP");
    let mut silent = Vec::new();
    for _ in 0..callers {
        let begin = now();
        assert!(ask().await.is_err());
        silent.push(begin.elapsed());
    }
    let config = FallbackConfig::new(Fallback::Share)
        .with_waits(Duration::from_secs(60), Duration::from_secs(60));
    let limiter = WithFallback::new(Arc::new(redis), config, SystemClock).expect("room");
    let mut open = Vec::new();
    for _ in 0..10_000 {
        let begin = now();
        assert!(limiter.check(CheckRequest::one(&charge)).await.is_ok());
        open.push(begin.elapsed());
    }
    server.signal("-CONT");
    // The first three found out.
    for (name, mut times) in [("server hangs", silent), ("left alone", open.split_off(3))] {
        times.sort();
        let at = |percent: usize| times[times.len() * percent / 100];
        println!(
            "{name}, deadline {DEADLINE:?}: p50 {:?}, p99 {:?}",
            at(50),
            at(99)
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> Instant {
    Instant::now()
}

struct Server {
    port: u16,
    process: Child,
    folder: PathBuf,
    _data: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let server = std::env::var_os("PALISADE_REDIS_SERVER").map(PathBuf::from);
        let folder = server
            .as_deref()
            .and_then(|server| Some(server.parent()?.to_owned()))
            .unwrap_or_default();
        let process = Command::new(server.unwrap_or_else(|| "redis-server".into()))
            .args(["--port", &port.to_string(), "--save", ""])
            .current_dir(data.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let server = Self {
            port,
            process,
            folder,
            _data: data,
        };
        while server.cli(&["PING"]).trim() != "PONG" {
            std::thread::yield_now();
        }
        server
    }

    fn run(&self, program: &str, words: &[&str]) -> String {
        let output = Command::new(self.folder.join(program))
            .args(["-p", &self.port.to_string()])
            .args(words)
            .output()
            .expect("the tools of Redis are there");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn cli(&self, words: &[&str]) -> String {
        self.run("redis-cli", words)
    }

    fn incr(&self, decisions: usize) -> f64 {
        self.cli(&["CONFIG", "RESETSTAT"]);
        let (count, keys) = (decisions.to_string(), KEYS.to_string());
        let words = ["-t", "incr", "-n", &count, "-r", &keys, "-c", "50", "--csv"];
        let printed = self.run("redis-benchmark", &words);
        let fields = printed.lines().last().unwrap_or_default().split(',');
        let rate = fields
            .skip(1)
            .find_map(|field| field.trim_matches('"').parse().ok());
        rate.expect("redis-benchmark tells a rate")
    }

    /// The time the server took for all calls of this command, by decision.
    fn micros(&self, command: &str, decisions: usize) -> f64 {
        let stats = self.cli(&["INFO", "commandstats"]);
        let line = stats
            .lines()
            .find(|line| line.starts_with(&format!("cmdstat_{command}:")));
        let micros = line.and_then(|line| {
            let (_, rest) = line.split_once("usec=")?;
            rest.split(',').next()?.parse::<f64>().ok()
        });
        micros.unwrap_or(0.0) / decisions as f64
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(status.expect("kill runs").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
