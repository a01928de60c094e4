//! Redis as it is run: one node, a Sentinel group and a Cluster, each in processes of its own.
//!
//! What holds on one node does not hold on six, and no imitation fails over as the real ones do. So the tests get real
//! servers, on free ports and in folders of their own. Tests that kill servers start theirs with the binary named here.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::{Need, install};
use crate::shell;

/// The server's binary, for tests that kill what they started. `redis-cli` lies beside it.
pub(super) const SERVER: Need = Need {
    name: "the `redis-server` of Redis 6.2 or later, with `redis-cli` beside it",
    variable: "PALISADE_REDIS_SERVER",
    accept: accept_server,
    provide: |_| Ok(text(&server()?)?.to_owned()),
    stop: |_| Ok(()),
    remove: |_| Ok(()),
};

/// One node.
pub(super) const NODE: Need = Need {
    name: "a Redis node, as host:port",
    variable: "PALISADE_REDIS",
    accept: answers,
    provide: |folder| provide(&folder, 1, Servers::node),
    stop: |folder| stop(&folder),
    remove,
};

/// Three masters with a replica each.
pub(super) const CLUSTER: Need = Need {
    name: "a Redis Cluster, as host:port,host:port",
    variable: "PALISADE_REDIS_CLUSTER",
    accept: answers,
    provide: |folder| provide(&folder, 6, Servers::cluster),
    stop: |folder| stop(&folder),
    remove,
};

/// A master and a replica, watched by three Sentinels under the name `palisade`.
pub(super) const SENTINEL: Need = Need {
    name: "Redis Sentinels that watch a master named `palisade`, as host:port,host:port",
    variable: "PALISADE_REDIS_SENTINEL",
    accept: answers,
    provide: |folder| provide(&folder, 5, Servers::sentinel),
    stop: |folder| stop(&folder),
    remove,
};

/// The name under which Sentinels know their master.
const MASTER_NAME: &str = "palisade";
/// The file that says which addresses are handed to the tests.
const ADDRESSES: &str = "addresses";
/// The file that says which ports are served.
const PORTS: &str = "ports";
const PATIENCE: Duration = Duration::from_millis(100);
/// How often something is looked for before it is given up: half a minute.
const LOOKS: usize = 300;

fn accept_server(path: &str) -> Result<()> {
    let version = shell::output(Command::new(path).arg("--version"))
        .with_context(|| format!("`{path} --version` fails"))?;
    if !version.contains("Redis") && !version.contains("Valkey") {
        bail!("`{path}` says it is {version:?}");
    }
    cli(Path::new(path)).map(drop)
}

fn answers(addresses: &str) -> Result<()> {
    let cli = cli(&server()?)?;
    for address in addresses.split(',') {
        let (host, port) = address
            .rsplit_once(':')
            .with_context(|| format!("{address:?} is not host:port"))?;
        let answer = shell::output(Command::new(&cli).args(["-h", host, "-p", port, "PING"]));
        if answer.as_deref().map(str::trim) != Some("PONG") {
            bail!("nothing answers PING at {address}");
        }
    }
    Ok(())
}

fn server() -> Result<PathBuf> {
    const NAMES: [&str; 2] = ["redis-server", "valkey-server"];
    let find = || NAMES.into_iter().find_map(shell::which);
    if let Some(given) = std::env::var_os(SERVER.variable) {
        return Ok(given.into());
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    // Debian starts a service with the package, on the usual port; ours stay away from it.
    install(&["redis-server", "redis-tools"], &["redis"])?;
    find().context("redis-server is not on the PATH even after installing it")
}

fn cli(server: &Path) -> Result<PathBuf> {
    let folder = server.parent().unwrap_or(Path::new(""));
    let beside = ["redis-cli", "valkey-cli"].map(|name| folder.join(name));
    beside
        .into_iter()
        .find(|path| path.is_file())
        .or_else(|| shell::which("redis-cli"))
        .with_context(|| format!("there is no redis-cli beside {}", server.display()))
}

/// Servers that already run in this folder, or new ones.
fn provide(
    folder: &Path,
    count: usize,
    start: impl FnOnce(&Servers) -> Result<String>,
) -> Result<String> {
    if let Ok(addresses) = fs::read_to_string(folder.join(ADDRESSES))
        && answers(&addresses).is_ok()
    {
        return Ok(addresses);
    }
    // A half-started group of an interrupted run is replaced, not mended.
    stop(folder)?;
    remove(folder.to_owned())?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let server = server()?;
    let servers = Servers {
        folder: folder.to_owned(),
        cli: cli(&server)?,
        server,
        ports: free_ports(count)?,
    };
    let ports: Vec<String> = servers.ports.iter().map(u16::to_string).collect();
    fs::write(folder.join(PORTS), ports.join("\n"))?;
    let addresses = start(&servers)?;
    fs::write(folder.join(ADDRESSES), &addresses)?;
    Ok(addresses)
}

fn stop(folder: &Path) -> Result<()> {
    let Ok(ports) = fs::read_to_string(folder.join(PORTS)) else {
        return Ok(());
    };
    let cli = cli(&server()?)?;
    for port in ports.lines() {
        // Whoever does not answer is gone already. Its folder says that the port is ours and not a stranger's.
        let of = |words: &[&str]| {
            shell::output(Command::new(&cli).args(["-p", port]).args(words)).unwrap_or_default()
        };
        if of(&["CONFIG", "GET", "dir"]).contains(text(folder)?)
            || of(&["INFO", "server"]).contains(text(folder)?)
        {
            of(&["SHUTDOWN", "NOSAVE"]);
        }
    }
    let _ = fs::remove_file(folder.join(ADDRESSES));
    let _ = fs::remove_file(folder.join(PORTS));
    Ok(())
}

fn remove(folder: PathBuf) -> Result<()> {
    stop(&folder)?;
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// A group of servers about to be started.
struct Servers {
    folder: PathBuf,
    server: PathBuf,
    cli: PathBuf,
    ports: Vec<u16>,
}

impl Servers {
    fn node(&self) -> Result<String> {
        self.start(self.ports[0], "", &[])?;
        Ok(addresses(&self.ports))
    }

    fn cluster(&self) -> Result<String> {
        for port in &self.ports {
            let more = format!(
                "cluster-enabled yes\ncluster-config-file nodes-{port}.conf\ncluster-node-timeout 2000\n"
            );
            self.start(*port, &more, &[])?;
        }
        let nodes = self.ports.iter().map(|port| format!("127.0.0.1:{port}"));
        quietly(
            Command::new(&self.cli)
                .args(["--cluster", "create"])
                .args(nodes)
                .args(["--cluster-replicas", "1", "--cluster-yes"]),
        )?;
        for port in &self.ports {
            self.wait_for(*port, &["CLUSTER", "INFO"], "cluster_state:ok")?;
        }
        Ok(addresses(&self.ports))
    }

    fn sentinel(&self) -> Result<String> {
        let [master, replica, sentinels @ ..] = &self.ports[..] else {
            bail!("a Sentinel group has five members");
        };
        self.start(*master, "", &[])?;
        self.start(*replica, &format!("replicaof 127.0.0.1 {master}\n"), &[])?;
        self.wait_for(*replica, &["INFO", "replication"], "master_link_status:up")?;
        for port in sentinels {
            let more = format!(
                "sentinel monitor {MASTER_NAME} 127.0.0.1 {master} 2\n\
                 sentinel down-after-milliseconds {MASTER_NAME} 1000\n\
                 sentinel failover-timeout {MASTER_NAME} 5000\n"
            );
            self.start(*port, &more, &["--sentinel"])?;
        }
        for port in sentinels {
            let ask = ["SENTINEL", "CKQUORUM", MASTER_NAME];
            self.wait_for(*port, &ask, "OK 3 usable Sentinels")?;
        }
        Ok(addresses(sentinels))
    }

    /// Starts one server and waits until it answers.
    fn start(&self, port: u16, more: &str, arguments: &[&str]) -> Result<()> {
        let folder = text(&self.folder)?;
        let mut config = format!(
            "port {port}\nbind 127.0.0.1\nprotected-mode no\ndaemonize yes\ndir \"{folder}\"\n\
             pidfile \"{folder}/{port}.pid\"\nlogfile \"{folder}/{port}.log\"\n{more}"
        );
        if !arguments.contains(&"--sentinel") {
            config += "save \"\"\nappendonly no\n";
        }
        let path = self.folder.join(format!("{port}.conf"));
        fs::write(&path, config)?;
        quietly(Command::new(&self.server).arg(&path).args(arguments))?;
        self.wait_for(port, &["PING"], "PONG")
    }

    fn wait_for(&self, port: u16, ask: &[&str], answer: &str) -> Result<()> {
        for _ in 0..LOOKS {
            let mut command = Command::new(&self.cli);
            command.args(["-p", &port.to_string()]).args(ask);
            if shell::output(&mut command).is_some_and(|found| found.contains(answer)) {
                return Ok(());
            }
            thread::park_timeout(PATIENCE);
        }
        bail!(
            "the server on port {port} does not come to say {answer:?}; see its log in {}",
            self.folder.display()
        )
    }
}

/// What starts six servers has too much to say, unless it fails.
fn quietly(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!(
            "{:?} failed: {}{}",
            command.get_program(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Ports that nobody listens on, nor on the ones ten thousand above, which a cluster's nodes talk on.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let mut held = Vec::new();
    for _ in 0..LOOKS {
        if held.len() == count {
            break;
        }
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        if let Some(bus) = port.checked_add(10_000)
            && let Ok(bus) = TcpListener::bind(("127.0.0.1", bus))
        {
            held.push((port, listener, bus));
        }
    }
    if held.len() < count {
        bail!("there are no {count} free ports");
    }
    Ok(held.into_iter().map(|(port, ..)| port).collect())
}

fn addresses(ports: &[u16]) -> String {
    let addresses: Vec<_> = ports.iter().map(|p| format!("127.0.0.1:{p}")).collect();
    addresses.join(",")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path here is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ() {
        let mut ports = free_ports(6).expect("there are some");
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 6);
    }

    #[test]
    fn an_address_nobody_serves_is_refused() {
        let port = free_ports(1).expect("there is one")[0];
        let error = answers(&format!("127.0.0.1:{port}")).expect_err("nobody is there");
        assert!(error.to_string().contains(&port.to_string()), "{error}");
        assert!(answers("nowhere").is_err());
    }
}
