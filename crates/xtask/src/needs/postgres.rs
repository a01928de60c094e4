//! A PostgreSQL server.
//!
//! It keeps nothing anybody wants back, so it does not wait for the disk. Tests that kill a server start one of their own
//! from the same programs.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{Need, install, is_root};
use crate::shell;

/// A server that tests may make schemas in.
pub(super) const SERVER: Need = Need {
    name: "a PostgreSQL server, 14 or newer",
    variable: "PALISADE_POSTGRES_URL",
    accept,
    provide,
    stop,
    remove: stop,
};

/// The user that a server runs as where we are root, which PostgreSQL refuses to be run by. Debian's package makes it.
const USER: &str = "postgres";
/// Where the address of the running server is noted, in the folder of this need.
const NOTE: &str = "url";
/// Where the server's own folder is noted. It lies elsewhere, because its user may not enter ours.
const PLACE: &str = "place";

fn accept(url: &str) -> Result<()> {
    let psql = program("psql").context("no `psql` to ask the server with")?;
    let ask = ["-X", "-A", "-t", "-c", "SHOW server_version_num"];
    let mut command = Command::new(psql);
    command.arg(url).args(ask).env("PGCONNECT_TIMEOUT", "10");
    let version = shell::output(&mut command).context("it does not answer")?;
    let version: u32 = version.trim().parse().context("it has no version")?;
    if version < 140_000 {
        bail!("it has version {version}; expected 140000 or newer");
    }
    Ok(())
}

fn provide(folder: PathBuf) -> Result<String> {
    if let Ok(url) = fs::read_to_string(folder.join(NOTE))
        && accept(&url).is_ok()
    {
        return Ok(url);
    }
    stop(folder.clone())?;
    if program("initdb").is_none() {
        install(&["postgresql", "postgresql-client"], &["postgresql"])?;
    }
    let initdb = program("initdb").context("`initdb` is not there even after installing it")?;
    let pg_ctl = program("pg_ctl").context("`pg_ctl` is not there beside `initdb`")?;
    fs::create_dir_all(&folder)?;
    let place = new_place()?;
    fs::write(folder.join(PLACE), place.to_string_lossy().as_bytes())?;
    let data = place.join("data");
    // Trusting everybody is fine for a server that only this machine reaches and that keeps nothing.
    let mut init = as_server(&initdb);
    init.args(["--auth=trust", "--encoding=UTF8", "--no-locale"]);
    init.args(["--username=palisade", "--no-sync", "-D"])
        .arg(&data);
    quietly(&mut init)?;
    let port = free_port()?;
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
         -c synchronous_commit=off -c full_page_writes=off -c max_connections=400"
    );
    let mut start = as_server(&pg_ctl);
    start
        .args(["start", "-w", "-t", "60", "-s", "-D"])
        .arg(&data);
    start.arg("-l").arg(place.join("log"));
    start.arg("-o").arg(options);
    quietly(&mut start)?;
    let url = format!("postgres://palisade@127.0.0.1:{port}/postgres");
    fs::write(folder.join(NOTE), &url)?;
    Ok(url)
}

/// Stops the server that was started from this folder, if there is one, and forgets it.
fn stop(folder: PathBuf) -> Result<()> {
    let Ok(place) = fs::read_to_string(folder.join(PLACE)) else {
        return Ok(());
    };
    let place = PathBuf::from(place);
    let data = place.join("data");
    if let Some(pg_ctl) = program("pg_ctl")
        && data.join("postmaster.pid").exists()
    {
        let mut stop = as_server(&pg_ctl);
        stop.args(["stop", "-m", "immediate", "-s", "-D"])
            .arg(&data);
        // One that has died in the meantime is stopped too.
        let _ = quietly(&mut stop);
    }
    if place.exists() {
        fs::remove_dir_all(&place).with_context(|| format!("cannot remove {}", place.display()))?;
    }
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))
}

/// A folder of the user that the server runs as.
fn new_place() -> Result<PathBuf> {
    let name = format!("palisade-postgres-{}", std::process::id());
    let place = std::env::temp_dir().join(name);
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    fs::create_dir(&place)?;
    if is_root() {
        shell::run(Command::new("chown").arg(USER).arg(&place))?;
    }
    Ok(place)
}

/// The program, run by a user that PostgreSQL accepts.
fn as_server(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", USER, "--"]).arg(program);
        // Wherever we stand, that user may not be allowed to.
        command.current_dir("/");
        return command;
    }
    Command::new(program)
}

/// Without its output, which a server that stays would hold open; on failure it is what the error says.
fn quietly(command: &mut Command) -> Result<()> {
    let log = std::env::temp_dir().join(format!("palisade-postgres-{}.log", std::process::id()));
    let output = fs::File::create(&log)?;
    command.stdout(output.try_clone()?).stderr(output);
    let ended = shell::run(command);
    let said = fs::read_to_string(&log).unwrap_or_default();
    fs::remove_file(&log)?;
    ended.with_context(|| format!("it said: {}", said.trim()))
}

/// On the path, else where Debian and Homebrew put it, the newest first.
fn program(name: &str) -> Option<PathBuf> {
    if let Some(found) = shell::which(name) {
        return Some(found);
    }
    let mut versions: Vec<(u32, PathBuf)> = ["/usr/lib/postgresql", "/usr/local/pgsql"]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin").join(name)))
        })
        .filter(|(_, path)| path.is_file())
        .collect();
    versions.sort_unstable();
    versions.pop().map(|(_, path)| path)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
