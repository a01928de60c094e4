//! The program as it is run: what it says at the start, how it ends, and what it leaves behind.

mod common;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use common::{Client, settled, tokens_spent};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade-gateway"));
    command
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs it to its end: the exit code, and what it said on both channels.
async fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_ends_it_with_2_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("no-database"),
        "nothing of the kind ".repeat(1_000),
    )
    .unwrap();
    std::fs::write(folder.path().join("a-file"), "").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("[server]\nlisten = \"{}\"", taken.local_addr().unwrap());
    let openai = "[[provider]]\nname = \"a\"\nkind = \"openai\"\nbase_url = \"http://h\"\n";
    for (toml, parts) in [
        ("[server", vec!["TOML"]),
        ("[server]\nport = 1", vec!["server", "port", "listen"]),
        ("[server]\nlisten = \"here\"", vec!["server.listen", "here"]),
        (
            "[server]\nbody_bytes_max = 1",
            vec!["server.body_bytes_max", "found 1", "1024"],
        ),
        (
            "[limits]\nrequests_per_minute = 0",
            vec!["limits.requests_per_minute", "found 0", "from 1"],
        ),
        (
            "[quota]\nzone = \"Mars/Olympus\"",
            vec!["quota.zone", "Mars/Olympus"],
        ),
        (
            "[quota.user]\nusd_per_day = \"ten\"",
            vec!["quota.user.usd_per_day", "ten"],
        ),
        (
            "[store]\nfile_bytes_max = 7",
            vec!["store.file_bytes_max", "7"],
        ),
        (
            "[resilience]\nbackoff_base_ms = 9000",
            vec!["resilience.backoff_max_ms", "5000", "9000"],
        ),
        (
            "[redaction]\nmask = \"thin\"",
            vec!["redaction.mask", "thin", "partial"],
        ),
        (
            &format!("{openai}api_key_env = \"NOT_SET_ANYWHERE\""),
            vec!["provider[0].api_key_env", "NOT_SET_ANYWHERE"],
        ),
        (
            &format!("{openai}[[model]]\nname = \"m\"\nprovider = \"b\""),
            vec!["model[0].provider", "b"],
        ),
        (
            "[store]\npath = \"no-database\"",
            vec!["store.path", "no-database"],
        ),
        (
            "[store]\npath = \"a-file/palisade.db\"",
            vec!["store.path", "a-file"],
        ),
        (&taken, vec!["server.listen", "127.0.0.1"]),
    ] {
        let file = folder.path().join("palisade.toml");
        std::fs::write(&file, toml).unwrap();
        let (code, out, err) =
            run(program(folder.path()).args(["--config", "palisade.toml"])).await;
        // The address is free again: that one starts, if it is not the last of all to be looked at.
        assert_eq!(code, 2, "{toml}: {out}{err}");
        for part in parts {
            assert!(err.contains(part), "{part:?} of {toml:?} in {err:?}");
        }
        assert!(
            !out.contains("pal_"),
            "a key was shown by a start that failed: {out}"
        );
    }
    let (code, _, err) = run(program(folder.path()).args(["--config", "not-there.toml"])).await;
    assert!(code == 2 && err.contains("not-there.toml"), "{err}");
    let (code, _, err) = run(program(folder.path()).arg("--confg")).await;
    assert!(code == 2 && err.contains("--config"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_wins_and_strange_variables_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("palisade.toml"), "[limits]\nburst = 5").unwrap();
    let check = || {
        let mut command = program(folder.path());
        command.args(["check", "--config", "palisade.toml"]);
        command
    };
    let (code, out, err) = run(check().env("PALISADE_KEY", "x").env("PALISADE_PYTHON", "y")).await;
    assert_eq!(
        (code, &*out),
        (0, "the configuration is good: 4 models\n"),
        "{err}"
    );
    let (code, _, err) = run(check().env("PALISADE_LIMITS__BURST", "0")).await;
    assert!(code == 2 && err.contains("limits.burst"), "{err}");
    let (code, _, err) = run(check().env("PALISADE_LIMITS__BURTS", "1")).await;
    assert!(code == 2 && err.contains("burts"), "{err}");
    let (code, _, err) = run(check().env("PALISADE_QUOTA__USER__USD_PER_DAY", "25")).await;
    assert_eq!(code, 0, "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_configuration_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/palisade.toml");
    let (code, out, err) = run(program(folder.path()).args(["check", "--config", file])).await;
    assert_eq!(
        (code, &*out),
        (0, "the configuration is good: 4 models\n"),
        "{err}"
    );
    assert!(
        !folder.path().join("data").exists(),
        "checking makes nothing"
    );
}

/// Where it writes what it has to say to its operator.
const LOG: &str = "log";

/// A program that serves.
struct Serving {
    folder: PathBuf,
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
    address: std::net::SocketAddr,
    /// What it said before it said how to try it.
    start: String,
}

impl Serving {
    async fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[]).await
    }

    /// With more in its environment.
    async fn start_with(folder: &Path, environment: &[(&str, &str)]) -> Self {
        // A file, since a pipe that nobody reads would stop it.
        let log = std::fs::File::create(folder.join(LOG)).unwrap();
        let mut program = program(folder);
        if folder.join("palisade.toml").exists() {
            program.args(["--config", "palisade.toml"]);
        }
        let mut process = program
            .env("PALISADE_SERVER__LISTEN", "127.0.0.1:0")
            .env("PALISADE_SERVER__SHUTDOWN_GRACE_MS", "200")
            .envs(environment.iter().copied())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut start = String::new();
        let mut address = None;
        while let Some(line) = said.next_line().await.unwrap() {
            if let Some((_, rest)) = line.split_once("listens on http://") {
                address = Some(rest.parse().unwrap());
            }
            if line == "Try it:" {
                break;
            }
            start += &line;
            start.push('\n');
        }
        let address = address.expect("it says where it listens");
        Self {
            folder: folder.to_owned(),
            process,
            said,
            address,
            start,
        }
    }

    /// The key it shows.
    fn key(&self) -> Option<&str> {
        self.start
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("pal_"))
    }

    /// Sends a signal and waits for its end: the exit code, and the rest of what it said on both channels.
    async fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.process.id().unwrap().to_string();
        let sent = Command::new("kill")
            .args([signal, &pid])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
        let mut rest = String::new();
        while let Some(line) = self.said.next_line().await.unwrap() {
            rest += &line;
            rest.push('\n');
        }
        let code = self.process.wait().await.unwrap().code();
        let log = std::fs::read_to_string(self.folder.join(LOG)).unwrap();
        (code, rest + &log)
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_shown_once_works_ever_after_and_is_nowhere_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path()).await;
    let key = serving
        .key()
        .expect("the first start shows a key")
        .to_owned();
    assert_eq!(serving.start.matches(&key).count(), 1);
    let client = Client::new(serving.address, &key);
    client.chat("Hello").await.answered();
    let spent = tokens_spent(&client).await;
    let (code, said) = serving.end("-TERM").await;
    assert_eq!(code, Some(0), "{said}");
    // Once more than "once": in the line that can be copied.
    assert_eq!(said.matches(&key).count(), 1, "{said}");

    let digest = palisade::auth::ApiKey::parse(&key).unwrap().digest();
    let mut digests = 0;
    for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let has = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(!has(key.as_bytes()), "the key is in the file");
        // Nor is its secret half, which begins after the id.
        let secret = key.rsplit('_').next().unwrap();
        assert!(!has(secret.as_bytes()), "the secret is in the file");
        digests += usize::from(has(digest.as_bytes()));
    }
    assert!(digests > 0, "the digest is nowhere");

    let serving = Serving::start(folder.path()).await;
    assert_eq!(serving.key(), None, "{}", serving.start);
    let client = Client::new(serving.address, &key);
    assert_eq!(
        tokens_spent(&client).await,
        spent,
        "what was spent is remembered"
    );
    client.chat("Hello").await.answered();
    settled(&client).await;
    let (code, said) = serving.end("-INT").await;
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(&key), "{said}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_has_the_key_and_the_books_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path()).await;
    let key = serving.key().unwrap().to_owned();
    let client = Client::new(serving.address, &key);
    client.chat("Hello").await.answered();
    let spent = tokens_spent(&client).await;
    let mut streaming = client.stream("Hello [mock pause_ms=1000]").await;
    streaming.piece().await.unwrap();
    let (code, _) = serving.end("-KILL").await;
    assert_eq!(code, None);
    drop(streaming);

    let serving = Serving::start(folder.path()).await;
    assert_eq!(serving.key(), None);
    let client = Client::new(serving.address, &key);
    // What the dead process held is held until its time is over; not lost, and not free.
    let status = client.get("/v1/quota/status").await.json();
    let user = &status["scopes"][2];
    let tokens = |part: &str| i128::from(user[part]["tokens"].as_i64().unwrap());
    assert_eq!(tokens("spent"), spent);
    assert!(tokens("held") >= 300, "{user}");
    assert_eq!(
        tokens("limit"),
        tokens("spent") + tokens("held") + tokens("free")
    );
    client.chat("Hello").await.answered();
    assert_eq!(serving.end("-TERM").await.0, Some(0));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_had_on_loan_is_charged_and_not_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path()).await;
    let key = serving.key().unwrap().to_owned();
    let client = Client::new(serving.address, &key);
    let mut streaming = client.stream("Hello [mock pause_ms=1000]").await;
    streaming.piece().await.unwrap();
    assert_eq!(serving.end("-KILL").await.0, None);

    let serving = Serving::start(folder.path()).await;
    let client = Client::new(serving.address, &key);
    // It may have been told that it cost all of that.
    let charged = || async {
        let status = client.get("/v1/quota/status").await.json();
        let tokens = |part: &str| status["scopes"][2][part]["tokens"].as_i64().unwrap();
        tokens("spent") + tokens("held")
    };
    let lost = charged().await;
    assert!(lost > 0, "a killed process refunds what it may have spent");
    client.chat("Hello").await.answered();
    assert!(charged().await > lost);
    assert_eq!(serving.end("-TERM").await.0, Some(0));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_most_talkative_log_holds_no_key_and_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [
        ("RUST_LOG", "trace"),
        ("PROVIDER_KEY", "sk-provider-secret"),
    ];
    let toml = "[[provider]]\nname = \"mock\"\nkind = \"mock\"\napi_key_env = \"PROVIDER_KEY\"\n\
                [[model]]\nname = \"gpt-4o-mini\"\nprovider = \"mock\"\n";
    std::fs::write(folder.path().join("palisade.toml"), toml).unwrap();
    let serving = Serving::start_with(folder.path(), &environment).await;
    let key = serving.key().unwrap().to_owned();
    let client = Client::new(serving.address, &key);
    client
        .chat("Quetzalcoatl [mock reply=\"Popocatepetl\"]")
        .await
        .answered();
    client
        .chat_stream("Quetzalcoatl [mock reply=\"Popocatepetl\"]")
        .await
        .answered();
    client.chat("Quetzalcoatl [mock status=500]").await;
    client
        .post_bytes("/v1/chat/completions", "{\"Quetzalcoatl")
        .await;
    settled(&client).await;
    let (code, _) = serving.end("-TERM").await;
    assert_eq!(code, Some(0));
    let log = std::fs::read_to_string(folder.path().join(LOG)).unwrap();
    assert!(log.lines().count() > 10, "it was to be talkative: {log}");
    for secret in [&*key, "sk-provider-secret", "Quetzalcoatl", "Popocatepetl"] {
        let found = log.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_well_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = run(program(folder.path())
        .arg("demo")
        .env("TMPDIR", folder.path()))
    .await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("21 passed, 0 failed"), "{out}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
