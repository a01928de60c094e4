//! A server of a test's own, that may be killed.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub(crate) struct Server {
    place: PathBuf,
    port: u16,
}

impl Server {
    /// From the programs of this machine, which are there wherever the server for the other tests is.
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let name = format!("palisade-postgres-test-{}-{port}", std::process::id());
        // In memory where there is such a place: what a killed process has written is there all the same, and a disk that
        // others use makes recovery take minutes.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() {
            memory.join(name)
        } else {
            std::env::temp_dir().join(name)
        };
        fs::create_dir(&place).expect("a folder for tests");
        if is_root() {
            let chown = Command::new("chown").arg("postgres").arg(&place).status();
            assert!(chown.expect("chown is there").success());
        }
        let server = Self { place, port };
        let mut init = as_server("initdb");
        init.args(["-A", "trust", "-U", "palisade", "--no-locale", "-E", "UTF8"]);
        run(init.arg("-D").arg(server.data()), &server.place);
        server.start_again();
        server
    }

    pub(crate) fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same, reached through another port.
    pub(crate) fn url_at(&self, port: u16) -> String {
        format!("postgres://palisade@127.0.0.1:{port}/postgres")
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn start_again(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=60",
            self.port
        );
        // After a kill, what is left of the old server may take a moment to notice.
        for _ in 0..50 {
            let mut start = as_server("pg_ctl");
            start.args(["start", "-w", "-t", "60", "-s", "-o", &options]);
            start.arg("-l").arg(self.place.join("log"));
            start.arg("-D").arg(self.data());
            start.stdout(Stdio::null()).stderr(Stdio::null());
            if start.status().expect("pg_ctl is there").success() {
                return;
            }
        }
        panic!("the server does not start again");
    }

    /// As the kernel would: nothing is flushed, nobody is told.
    pub(crate) fn kill(&self) {
        let file = fs::read_to_string(self.data().join("postmaster.pid"));
        let file = file.or_else(|_| read_as_server(&self.data().join("postmaster.pid")));
        let text = file.expect("it runs");
        let pid = text.lines().next().expect("a number");
        let killed = Command::new("kill").args(["-9", pid]).status();
        assert!(killed.expect("kill is there").success());
    }

    fn data(&self) -> PathBuf {
        self.place.join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = as_server("pg_ctl");
        stop.args(["stop", "-m", "immediate", "-s", "-D"]);
        stop.arg(self.data());
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = fs::remove_dir_all(&self.place);
    }
}

fn read_as_server(path: &Path) -> std::io::Result<String> {
    let mut cat = Command::new("cat");
    let output = cat.arg(path).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn run(command: &mut Command, place: &Path) {
    let log = fs::File::create(place.join("init")).expect("a log");
    let output = log.try_clone().expect("one file");
    let status = command.stdout(output).stderr(log).status();
    let said = fs::read_to_string(place.join("init")).unwrap_or_default();
    assert!(status.expect("the program is there").success(), "{said}");
}

/// PostgreSQL refuses to be run by root.
fn as_server(program: &str) -> Command {
    let program = find(program);
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

/// On the path, else where Debian puts it, the newest first.
fn find(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(name));
    if let Some(found) = on_path.into_iter().find(|path| path.is_file()) {
        return found;
    }
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin").join(name)))
        })
        .collect();
    versions.sort_unstable();
    versions.pop().expect("PostgreSQL is installed").1
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id is there");
    id.stdout == b"0\n"
}
