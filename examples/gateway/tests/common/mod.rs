//! A gateway of one test's own, and a client that looks at it from outside.

#![allow(dead_code, unused_imports, reason = "each test program uses its part")]

mod client;
mod python;

use std::{collections::BTreeMap, future::Future, path::PathBuf, time::Duration};

use palisade::auth::{IssueRequest, Principal, Role};
use palisade_gateway::{Config, Gateway};
use serde_json::Value;

pub(crate) use client::{Body, Client, Reply, Streaming, chat, spoken};
pub(crate) use python::{python, script};

/// How long something that happens in its own time may take. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// Limits that no test runs into by accident, and short waits. Everything else is as it ships.
const SETTINGS: &[(&str, &str)] = &[
    ("server.listen", "\"127.0.0.1:0\""),
    ("server.shutdown_grace_ms", "5000"),
    ("limits.requests_per_minute", "1000000"),
    ("limits.burst", "100000"),
    ("limits.global_requests_per_second", "1000000"),
    ("resilience.backoff_base_ms", "1"),
    ("resilience.backoff_max_ms", "4"),
    ("resilience.breaker_failures", "1000"),
    ("resilience.breaker_calls_min", "1000"),
];

/// A running gateway and its folder.
pub(crate) struct House {
    gateway: Gateway,
    settings: BTreeMap<String, String>,
    models: String,
    folder: tempfile::TempDir,
}

impl House {
    /// With these settings instead of those of the tests: key and value as they stand in the file.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_with(settings, "").await
    }

    /// The same with providers and models of its own.
    pub(crate) async fn start_with(settings: &[(&str, &str)], models: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = format!("'{}'", folder.path().join("palisade.db").display());
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        all.insert("store.path".to_owned(), path);
        let settings = SETTINGS.iter().chain(settings);
        all.extend(settings.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        Self::open(all, models.to_owned(), folder).await
    }

    async fn open(
        settings: BTreeMap<String, String>,
        models: String,
        folder: tempfile::TempDir,
    ) -> Self {
        let settings_text: String = settings
            .iter()
            .map(|(key, value)| format!("{key} = {value}\n"))
            .collect();
        let config = Config::parse(&(settings_text + &models)).unwrap();
        Self {
            gateway: Gateway::start(config).await.unwrap(),
            settings,
            models,
            folder,
        }
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.gateway.address())
    }

    /// The database file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("palisade.db")
    }

    /// A client with a new key for `principal`.
    pub(crate) async fn client_of(&self, principal: Principal) -> Client {
        let issued = self
            .gateway
            .keys()
            .issue(IssueRequest::new(principal))
            .await
            .unwrap();
        Client::new(self.gateway.address(), issued.key.expose())
    }

    /// A client with a key that there is already.
    pub(crate) fn client_with(&self, key: &str) -> Client {
        Client::new(self.gateway.address(), key)
    }

    /// A client of the organisation `acme` and its project `web`.
    pub(crate) async fn client(&self, user: &str) -> Client {
        self.client_of(principal(user, Role::Developer)).await
    }

    /// Stops it; what is left is its folder.
    pub(crate) async fn stop(self) -> Stopped {
        self.gateway.stop().await.unwrap();
        Stopped {
            settings: self.settings,
            models: self.models,
            folder: self.folder,
        }
    }
}

/// A gateway that has stopped.
pub(crate) struct Stopped {
    settings: BTreeMap<String, String>,
    models: String,
    folder: tempfile::TempDir,
}

impl Stopped {
    /// The same file, opened again.
    pub(crate) async fn start(self) -> House {
        House::open(self.settings, self.models, self.folder).await
    }

    /// The same with another setting, or without it.
    pub(crate) async fn start_with(mut self, key: &str, value: Option<&str>) -> House {
        self.settings.remove(key);
        if let Some(value) = value {
            self.settings.insert(key.to_owned(), value.to_owned());
        }
        self.start().await
    }
}

pub(crate) fn principal(user: &str, role: Role) -> Principal {
    Principal::new("acme", role)
        .and_then(|principal| principal.with_project("web"))
        .and_then(|principal| principal.with_user(user))
        .unwrap()
}

/// Asks until there is an answer, for a bounded time.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("in vain: {what}"),
    }
}

/// The client's allowances (organisation, project, user) once nothing is held any more. In each, and in both measures,
/// what was allowed is spent, or free, or owed, to the last token and the last fraction of a cent.
pub(crate) async fn settled(client: &Client) -> Vec<Value> {
    let scopes = until("nothing is held", || async {
        let status = client.get("/v1/quota/status").await;
        assert_eq!(status.status, 200, "{}", status.body);
        let scopes = status.json()["scopes"].as_array().unwrap().clone();
        let held = |scope: &Value| amount(&scope["held"]) != (0, 0);
        (!scopes.iter().any(held)).then_some(scopes)
    })
    .await;
    for scope in &scopes {
        let [limit, spent, free, debt] =
            ["limit", "spent", "free", "debt"].map(|part| amount(&scope[part]));
        assert_eq!(limit.0 + debt.0, spent.0 + free.0, "tokens of {scope}");
        assert_eq!(limit.1 + debt.1, spent.1 + free.1, "money of {scope}");
    }
    scopes
}

/// The tokens that the client's user has spent, once nothing is held any more.
pub(crate) async fn tokens_spent(client: &Client) -> i128 {
    let scopes = settled(client).await;
    amount(&scopes.last().unwrap()["spent"]).0
}

/// Tokens, and money in millionths of a millionth of a dollar.
fn amount(value: &Value) -> (i128, i128) {
    let tokens = value["tokens"]
        .as_i64()
        .unwrap_or_else(|| panic!("tokens in {value}"));
    let money = value["money"]
        .as_str()
        .unwrap_or_else(|| panic!("money in {value}"));
    let (whole, fraction) = money.split_once('.').unwrap_or((money, ""));
    let pico = format!("{whole}{fraction:0<12}");
    (tokens.into(), pico.parse().unwrap())
}

/// The traces that the client may see, newest first, once there are `count` of them. More of them are a failure too: a
/// request that ends twice.
pub(crate) async fn traces(client: &Client, count: usize) -> Vec<Value> {
    let traces = until(&format!("{count} traces"), || async {
        let page = client.get("/v1/traces?limit=500").await;
        assert_eq!(page.status, 200, "{}", page.body);
        let traces = page.json()["traces"].as_array().unwrap().clone();
        (traces.len() >= count).then_some(traces)
    })
    .await;
    assert_eq!(traces.len(), count, "{traces:#?}");
    traces
}

/// The sum of a counter of `/metrics` over all its labels that contain `label`.
pub(crate) async fn counter(client: &Client, name: &str, label: &str) -> u64 {
    let page = client.get("/metrics").await.body;
    page.lines()
        .filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label)
        })
        .map(|line| {
            let value = line.rsplit(' ').next().unwrap();
            value.parse::<u64>().unwrap()
        })
        .sum()
}
