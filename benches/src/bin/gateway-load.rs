//! What every guard-rail costs: the gateway beside a bare proxy, both in front of the same mock, each a process of its
//! own on loopback.
//!
//! ```text
//! cargo build --release -p palisade-gateway -p palisade-benches
//! target/release/gateway-load
//! ```
//!
//! In rounds, so that a machine that changes its speed changes it for all: CPU for each request (all threads of the
//! process, from the kernel's scheduler), the latency at one connection, and the highest throughput at many. Ratios are
//! what to read.

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use futures_util::future::join_all;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// Compares the gateway with a bare proxy.
#[derive(Debug, Parser)]
struct Arguments {
    /// Requests at one connection, in each round.
    #[arg(long, default_value_t = 600)]
    requests: usize,
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Connections for the throughput.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds of throughput in each round.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// What an acknowledged write survives: `process` or `power`.
    #[arg(long, default_value = "process")]
    durability: String,
    /// A short run that only shows that everything works.
    #[arg(long)]
    smoke: bool,
}

const PROMPT: &str = "We are planning the garden behind the old school. There is a slope towards the brook, and after \
    heavy rain the water stands for days near the lower fence. Last year the beans did well, the tomatoes did not, and \
    the children would like a corner where they can dig. Please suggest how to divide the beds, which plants bear wet \
    feet, whether a low palisade of chestnut would hold the soil at the upper edge, and what it might cost to do it over \
    two seasons with volunteers. Keep the answer practical: a short list for spring, one for autumn, and the three things \
    we should not do. We have about 120 square metres, two wheelbarrows, and a budget that the parents' council has to \
    approve in March, so rough figures with a reason for each are better than exact ones without.";

/// One of the things that are compared.
struct Target {
    name: &'static str,
    url: String,
    key: String,
    process: Option<u32>,
}

#[derive(Default)]
struct Measured {
    cpu_us: Vec<f64>,
    p50_us: Vec<f64>,
    p99_us: Vec<f64>,
    per_second: Vec<f64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if arguments.smoke {
        (arguments.requests, arguments.rounds, arguments.seconds) = (20, 1, 0.1);
    }
    let folder = tempfile::tempdir()?;
    let mut mock = Program::start("palisade-gateway", &["mock", "--listen", "127.0.0.1:0"])?;
    let mock_url = mock.word("http://").await?;
    let mut proxy = Program::start(
        "bare-proxy",
        &["127.0.0.1:0", mock_url.trim_start_matches("http://")],
    )?;
    let proxy_url = proxy.word("http://").await?;
    let config = folder.path().join("palisade.toml");
    std::fs::write(&config, configuration(&arguments, folder.path(), &mock_url))?;
    let config = config
        .to_str()
        .context("a temporary folder with an unreadable name")?;
    let mut gateway = Program::start("palisade-gateway", &["--config", config])?;
    let gateway_url = gateway.word("http://").await?;
    let key = gateway.word("pal_").await?;
    let none = || "none".to_owned();
    let targets = [
        Target {
            name: "direct",
            url: mock_url,
            key: none(),
            process: None,
        },
        Target {
            name: "bare proxy",
            url: proxy_url,
            key: none(),
            process: proxy.child.id(),
        },
        Target {
            name: "gateway",
            url: gateway_url,
            key,
            process: gateway.child.id(),
        },
    ];
    for stream in [false, true] {
        let measured = measure(&arguments, &targets, stream).await?;
        report(stream, &arguments, &targets, &measured);
    }
    stages(&targets[2]).await?;
    Ok(())
}

fn configuration(arguments: &Arguments, folder: &std::path::Path, mock: &str) -> String {
    let allowance = "{ tokens_per_day = 1000000000000000, usd_per_day = \"1000000\" }";
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\
         [store]\npath = {:?}\ndurability = {:?}\n\
         [limits]\nrequests_per_minute = 600000000\nburst = 1000000\nglobal_requests_per_second = 10000000\n\
         [quota]\nuser = {allowance}\nproject = {allowance}\norg = {allowance}\n\
         [[provider]]\nname = \"mock\"\nkind = \"openai\"\nbase_url = {mock:?}\n\
         [[model]]\nname = \"gpt-4o-mini\"\nprovider = \"mock\"\n",
        folder.join("palisade.db"),
        arguments.durability,
    )
}

/// A program that runs until it is dropped, and what it prints.
struct Program {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts a program that stands beside this one.
    fn start(name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let beside = std::env::current_exe()?;
        let path: PathBuf = beside.parent().context("no folder")?.join(name);
        let mut child = Command::new(&path)
            .args(arguments)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}; build it first", path.display()))?;
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { child, output })
    }

    /// The next word it prints that begins so.
    async fn word(&mut self, beginning: &str) -> anyhow::Result<String> {
        while let Some(line) = self.output.next_line().await? {
            if let Some(word) = line
                .split_whitespace()
                .find(|word| word.starts_with(beginning))
            {
                return Ok(word.to_owned());
            }
        }
        anyhow::bail!("a program ended without printing {beginning}…")
    }
}

async fn measure(
    arguments: &Arguments,
    targets: &[Target],
    stream: bool,
) -> anyhow::Result<Vec<Measured>> {
    let mut measured: Vec<Measured> = targets.iter().map(|_| Measured::default()).collect();
    for target in targets {
        one_by_one(target, stream, arguments.requests.min(300)).await?;
    }
    for _ in 0..arguments.rounds {
        for (target, measured) in targets.iter().zip(&mut measured) {
            let before = cpu(target)?;
            let mut latencies = one_by_one(target, stream, arguments.requests).await?;
            let spent = cpu(target)?.saturating_sub(before);
            latencies.sort_unstable();
            let at = |part: usize| latencies[latencies.len() * part / 100].as_secs_f64() * 1e6;
            measured
                .cpu_us
                .push(spent.as_secs_f64() * 1e6 / latencies.len() as f64);
            measured.p50_us.push(at(50));
            measured.p99_us.push(at(99));
            measured
                .per_second
                .push(at_once(arguments, target, stream).await?);
        }
    }
    Ok(measured)
}

async fn one_by_one(target: &Target, stream: bool, count: usize) -> anyhow::Result<Vec<Duration>> {
    let client = client();
    let mut latencies = Vec::with_capacity(count);
    for _ in 0..count {
        let began = now();
        call(&client, target, stream).await?;
        latencies.push(began.elapsed());
    }
    Ok(latencies)
}

/// Requests a second at many connections.
async fn at_once(arguments: &Arguments, target: &Target, stream: bool) -> anyhow::Result<f64> {
    let client = client();
    let began = now();
    let until = began + Duration::from_secs_f64(arguments.seconds);
    let loops = (0..arguments.connections).map(|_| async {
        let mut done = 0_usize;
        while now() < until {
            call(&client, target, stream).await?;
            done += 1;
        }
        anyhow::Ok(done)
    });
    let mut done = 0;
    // All on this task: the load must not take more threads than it needs.
    for one in join_all(loops).await {
        done += one?;
    }
    Ok(done as f64 / began.elapsed().as_secs_f64())
}

type Http = Client<HttpConnector, Full<Bytes>>;

fn client() -> Http {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn call(client: &Http, target: &Target, stream: bool) -> anyhow::Result<()> {
    let body = serde_json::json!({
        "model": "gpt-4o-mini", "stream": stream, "max_tokens": 200,
        "messages": [
            {"role": "system", "content": "You are a gardener who answers briefly."},
            {"role": "user", "content": PROMPT},
        ],
    });
    let request = Request::post(format!("{}/v1/chat/completions", target.url))
        .header(header::AUTHORIZATION, format!("Bearer {}", target.key))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))?;
    let response = client.request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    anyhow::ensure!(
        status.is_success(),
        "{}: {status} {}",
        target.name,
        String::from_utf8_lossy(&body)
    );
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a load generator measures with the real clock"
)]
fn now() -> Instant {
    Instant::now()
}

/// CPU time of all threads of a target's process.
fn cpu(target: &Target) -> anyhow::Result<Duration> {
    let Some(process) = target.process else {
        return Ok(Duration::ZERO);
    };
    let mut nanos = 0;
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end between being listed and being read.
        if let Ok(stat) = std::fs::read_to_string(task?.path().join("schedstat")) {
            nanos += stat
                .split_whitespace()
                .next()
                .unwrap_or("0")
                .parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(nanos))
}

fn report(stream: bool, arguments: &Arguments, targets: &[Target], measured: &[Measured]) {
    println!(
        "\n{}, {} rounds of {} requests at 1 connection, then {} connections (medians over the rounds)",
        if stream { "streamed" } else { "whole" },
        arguments.rounds,
        arguments.requests,
        arguments.connections,
    );
    println!(
        "{:<12} {:>12} {:>10} {:>10} {:>12}",
        "", "CPU µs/req", "p50 µs", "p99 µs", "requests/s"
    );
    let medians: Vec<[f64; 4]> = measured
        .iter()
        .map(|m| [&m.cpu_us, &m.p50_us, &m.p99_us, &m.per_second].map(|values| median(values)))
        .collect();
    for (target, [cpu, p50, p99, per_second]) in targets.iter().zip(&medians) {
        println!(
            "{:<12} {cpu:>12.1} {p50:>10.1} {p99:>10.1} {per_second:>12.0}",
            target.name
        );
    }
    let [direct, proxy, gateway] = [medians[0], medians[1], medians[2]];
    println!("gateway : bare proxy   CPU {:.2}", gateway[0] / proxy[0]);
    println!("                       p50 {:.2}", gateway[1] / proxy[1]);
    println!(
        "                       p50 added to direct {:.2}",
        (gateway[1] - direct[1]) / (proxy[1] - direct[1])
    );
    println!(
        "                       throughput {:.2}",
        gateway[3] / proxy[3]
    );
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The gateway's own word on where its time goes.
async fn stages(gateway: &Target) -> anyhow::Result<()> {
    let request = Request::get(format!("{}/metrics", gateway.url)).body(Full::default())?;
    let page = client()
        .request(request)
        .await?
        .into_body()
        .collect()
        .await?
        .to_bytes();
    let page = String::from_utf8_lossy(&page);
    println!("\nmean time in each stage, over all of the above");
    let value = |line: &str| line.rsplit(' ').next()?.parse::<f64>().ok();
    for line in page
        .lines()
        .filter(|line| line.starts_with("palisade_stage_seconds_sum"))
    {
        let count = line.replace("_sum{", "_count{");
        let count = count.split(' ').next().unwrap_or_default();
        let counted = page
            .lines()
            .find(|other| other.starts_with(count))
            .and_then(value);
        if let (Some(sum), Some(count)) = (value(line), counted) {
            let stage = line.split('"').nth(1).unwrap_or("?");
            println!("  {stage:<16} {:>9.1} µs", sum * 1e6 / count);
        }
    }
    Ok(())
}
