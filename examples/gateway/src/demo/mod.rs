//! A scripted walk of real requests through a running server, and a table of what each guard did.

mod client;
mod load;
mod scenarios;
mod table;

use std::process::ExitCode;

use palisade::{
    auth::{IssueRequest, Principal, Role},
    core::{Dimension, Tokens},
    quota::{Quota, QuotaLedger as _},
};

use self::{client::Client, scenarios::Scenario};
use crate::{config::Config, gateway::Gateway};

/// The parts of the demo: what each shows, its configuration and its scenarios.
const PARTS: [(&str, &str, &[Scenario]); 4] = [
    ("every guard as it is by default", CONFIG, scenarios::ALL),
    ("guards against load", load::CONFIG, load::ALL),
    (
        "guards that learn from what is slow",
        load::LEARNING,
        load::ALL_LEARNING,
    ),
    ("a bad day", load::BAD_DAY, load::ALL_BAD_DAY),
];

/// The demo's configuration: the defaults, two providers (so that one may die alone), and short waits.
const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
shutdown_grace_ms = 5000

[resilience]
attempts = 3
backoff_base_ms = 10
backoff_max_ms = 100
breaker_failures = 4
breaker_open_ms = 30000

[[provider]]
name = "mock"
kind = "mock"

[[provider]]
name = "unreliable"
kind = "mock"

[[model]]
name = "gpt-4o-mini"
provider = "mock"
priced_as = "openai/gpt-4o-mini"

[[model]]
name = "claude-sonnet-4-5"
provider = "mock"
priced_as = "anthropic/claude-sonnet-4-5"

[[model]]
name = "dead-model"
provider = "unreliable"
priced_as = "openai/gpt-4o-mini"
"#;

/// Runs all scenarios. Fails if any of them does not end as it should.
///
/// # Errors
///
/// What keeps the server from starting or stopping.
pub async fn run() -> anyhow::Result<ExitCode> {
    let (mut done, mut failed) = (0, 0);
    for (title, config, scenarios) in PARTS {
        failed += part(title, config, scenarios, done).await?;
        done += scenarios.len();
    }
    println!("\n{} passed, {failed} failed", done - failed);
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs the scenarios of one configuration, and says how many failed.
async fn part(
    title: &str,
    config: &str,
    scenarios: &[Scenario],
    done: usize,
) -> anyhow::Result<usize> {
    let name = format!("palisade-demo-{}-{done}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let mut config = Config::parse(config)?;
    config.store.path = folder.join("palisade.db");
    let gateway = Gateway::start(config).await?;
    println!(
        "palisade gateway on http://{}, mock upstream, SQLite in {}: {title}\n",
        gateway.address(),
        folder.display()
    );
    let mut failed = 0;
    table::head();
    for (number, scenario) in scenarios.iter().enumerate() {
        let client = client_for(&gateway, scenario.user).await?;
        let result = (scenario.run)(client).await;
        failed += usize::from(result.problem.is_some());
        table::row(done + number + 1, scenario, &result);
    }
    let stopped = gateway.stop().await;
    std::fs::remove_dir_all(&folder)?;
    stopped?;
    Ok(failed)
}

/// A client with a key of its own: limits and quotas of one scenario do not touch the next.
async fn client_for(gateway: &Gateway, user: &str) -> anyhow::Result<Client> {
    let principal = Principal::new("demo", Role::Developer)?
        .with_project("walk")?
        .with_user(user)?;
    if user == "frugal" {
        let scope = principal.key_of(&[Dimension::Org, Dimension::Project, Dimension::User]);
        let quota = Quota::default().with_tokens(Some(Tokens::new(1_500)))?;
        gateway.ledger().set_quota(&scope, Some(quota)).await?;
    }
    let issued = gateway.keys().issue(IssueRequest::new(principal)).await?;
    Ok(Client::new(gateway.address(), issued.key.expose()))
}
