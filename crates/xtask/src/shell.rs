//! Running other programs.
//!
//! Each command is shown before it runs, so that whoever reads a red log can repeat the step by hand.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context, Result, bail};

/// The cargo that runs us, so that a `+toolchain` on the command line holds for what we start too.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo told us about this crate. Build scripts watch such variables, and would run again for each change.
    for (name, _) in std::env::vars_os() {
        let about_us = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if about_us {
            command.env_remove(name);
        }
    }
    command
}

/// The cargo of another toolchain. The variables that pin ours are taken away.
pub(crate) fn cargo_of(toolchain: &str) -> Command {
    let mut command = Command::new("cargo");
    command.arg(format!("+{toolchain}"));
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}

/// Runs the command to its end.
///
/// # Errors
///
/// If it cannot be started or ends badly.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs the command to its end, passes on what it prints and shows each line of it to `watch`.
/// The answer is whether it ended well.
///
/// # Errors
///
/// If it cannot be started.
pub(crate) fn run_watching(command: &mut Command, mut watch: impl FnMut(&str)) -> Result<bool> {
    announce(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let (sender, lines) = mpsc::channel();
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as _),
        child.stderr.take().map(|stream| Box::new(stream) as _),
    ];
    for stream in streams.into_iter().flatten() {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(text).is_err() {
                    return;
                }
                line.clear();
            }
        });
    }
    drop(sender);
    for line in lines {
        println!("{line}");
        watch(&line);
    }
    Ok(child.wait()?.success())
}

/// Runs the command quietly. The answer is what it printed, or nothing if it is missing or ended badly.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where the program is found on the `PATH`.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file() || path.with_extension("exe").is_file()
}

fn announce(command: &Command) {
    println!("$ {}", shown(command));
}

/// The command as one would type it. Environment variables of the command come first.
fn shown(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)))
        .map(|(name, value)| format!("{}={}", name.to_string_lossy(), quoted(value)));
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = std::iter::once(program)
        .chain(command.get_args())
        .map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=+:,@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_typed_again() {
        let mut command = Command::new("/usr/bin/cargo");
        command
            .env("RUSTDOCFLAGS", "-D warnings")
            .args(["doc", "it's"]);
        assert_eq!(
            shown(&command),
            r"RUSTDOCFLAGS='-D warnings' cargo doc 'it'\''s'"
        );
    }

    #[test]
    fn a_missing_program_is_not_found() {
        assert_eq!(which("no-such-program-anywhere"), None);
    }

    #[cfg(unix)]
    #[test]
    fn watching_sees_every_line_also_the_last_without_newline() {
        let mut seen = Vec::new();
        let ended_well = run_watching(
            Command::new("sh").args(["-c", "printf 'a\\nb'; exit 3"]),
            |line| seen.push(line.to_owned()),
        );
        assert_eq!(seen, ["a", "b"]);
        assert!(!ended_well.expect("sh starts"));
    }
}
