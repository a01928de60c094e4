//! Runs the binary.

#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    io::Write,
    process::{Command, Output, Stdio},
    thread,
};

use serde_json::Value;

/// The command, with nothing on its standard input yet.
pub(crate) fn palisade(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command
        .args(arguments)
        .env_remove("PALISADE_HASH_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What comes out when this goes in.
pub(crate) fn run(arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
    run_command(palisade(arguments), input)
}

/// The same for a prepared command.
pub(crate) fn run_command(mut command: Command, input: impl AsRef<[u8]>) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.as_ref().to_vec();
    let writer = thread::spawn(move || {
        // The command may stop reading early; that is for the test to judge.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Standard output as text.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard output as JSON lines.
pub(crate) fn lines(output: &Output) -> Vec<Value> {
    text(output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Standard error as text.
pub(crate) fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The exit code.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

/// A GitHub token that nobody has: its checksum is right. In pieces, so that this file holds no token.
pub(crate) fn token() -> String {
    ["ghp", "_", "R7kq2ZxVb9LmT4wYc1HnPs8DfGj3Ua", "3Mc7MK"].concat()
}
