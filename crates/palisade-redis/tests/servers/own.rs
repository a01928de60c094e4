//! Servers that a test may stop, kill and start again: nobody else's.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::given;

/// How often something is looked for before it is given up: a minute.
const LOOKS: usize = 600;

/// One server process. It ends with its handle.
pub(crate) struct Own {
    pub(crate) port: u16,
    process: Child,
    arguments: Vec<String>,
    folder: TempDir,
}

impl Own {
    pub(crate) fn start(more: &[&str]) -> Self {
        Self::start_on(free_port(), more)
    }

    fn start_on(port: u16, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (number, path) = (port.to_string(), folder.path().display().to_string());
        let arguments: Vec<String> = ["--port", &number, "--bind", "127.0.0.1", "--dir", &path]
            .into_iter()
            .chain(["--save", "", "--protected-mode", "no"])
            .chain(more.iter().copied())
            .map(str::to_owned)
            .collect();
        let process = spawn(&arguments);
        let own = Self {
            port,
            process,
            arguments,
            folder,
        };
        own.wait();
        own
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process stands still, and its connections stay open.
    pub(crate) fn hang(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    /// Without a chance to say goodbye.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it has ended");
    }

    /// On the same port, as it was.
    pub(crate) fn start_again(&mut self) {
        assert!(self.folder.path().exists());
        self.process = spawn(&self.arguments);
        self.wait();
    }

    /// What `redis-cli` prints.
    pub(crate) fn cli(&self, words: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new(cli())
            .args(["-p", &port])
            .args(words)
            .output()
            .expect("redis-cli runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(status.expect("kill runs").success());
    }

    fn wait(&self) {
        until(|| {
            let mut answer = [0; 5];
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
            stream.write_all(b"PING\r\n").ok()?;
            stream.read_exact(&mut answer).ok()?;
            (&answer == b"+PONG").then_some(())
        });
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Three masters with a replica each.
pub(crate) fn cluster() -> Vec<Own> {
    let more = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
    let nodes: Vec<Own> = (0..6).map(|_| Own::start(&more)).collect();
    let status = Command::new(cli())
        .args(["--cluster", "create"])
        .args(nodes.iter().map(Own::address))
        .args(["--cluster-replicas", "1", "--cluster-yes"])
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("redis-cli runs").success());
    for node in &nodes {
        until(|| {
            let healthy = node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
            let linked = node.cli(&["INFO", "replication"]);
            (healthy
                && (linked.contains("master_link_status:up") || linked.contains("role:master")))
            .then_some(())
        });
    }
    nodes
}

/// Looks until there is something to see.
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return found;
        }
        thread::park_timeout(Duration::from_millis(100));
    }
    panic!("it does not come");
}

fn spawn(arguments: &[String]) -> Child {
    Command::new(given("PALISADE_REDIS_SERVER"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the server starts")
}

fn cli() -> PathBuf {
    let server = PathBuf::from(given("PALISADE_REDIS_SERVER"));
    let folder = server.parent().expect("a folder").to_owned();
    ["redis-cli", "valkey-cli"]
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from("redis-cli"))
}

/// A port that nobody listens on, nor on the one ten thousand above, on which the nodes of a cluster talk.
fn free_port() -> u16 {
    until(|| {
        let listener = TcpListener::bind(("127.0.0.1", 0)).ok()?;
        let port = listener.local_addr().ok()?.port();
        TcpListener::bind(("127.0.0.1", port.checked_add(10_000)?)).ok()?;
        Some(port)
    })
}
