//! Commands that destroy a machine or hand it over, and database statements that destroy or open up data.
//!
//! A line is brought into one form first: lower case, single blanks, no quotes, no line continuations, `$IFS` as a
//! blank, SQL comments gone. What it then says is read word by word. This finds what was written carelessly or
//! disguised a little; it does not run a shell, and a determined author can build a command that no list knows.

mod shell;
mod sql;

use palisade_core::Severity;

use crate::{
    kind::{Kind, Label},
    text::{contains_any_case, is_word},
    token::Hit,
    view::View,
};

pub(crate) const LABELS: [Label; 16] = [
    shell::DELETE,
    shell::DISK,
    shell::FORK,
    shell::PIPE,
    shell::REVERSE,
    shell::POWER,
    shell::PERMISSIONS,
    shell::WINDOWS,
    shell::CLOUD,
    shell::SYSTEM,
    shell::STORE,
    sql::DROP,
    sql::TRUNCATE,
    sql::DELETE,
    sql::CHANGE,
    sql::INJECTION,
];

const fn command(id: &'static str, severity: Severity) -> Label {
    Label::new(id, Kind::Command, severity)
}

const fn keyword(id: &'static str, severity: Severity) -> Label {
    Label::new(id, Kind::Keyword, severity)
}

/// How much of a line is read.
const LINE_MAX: usize = 240;

/// The words a dangerous line begins with, by their first letter.
const HEADS: [&[&str]; 26] = [
    &["aws", "az", "alter"],
    &["bash", "base64", "blkdiscard", "bcdedit"],
    &[
        "curl",
        "chmod",
        "chown",
        "cipher",
        "crontab",
        "cat",
        "clear-disk",
        "cp",
    ],
    &[
        "dd", "drop", "delete", "docker", "del", "db", "dash", "diskpart",
    ],
    &["exec", "execute", "eval"],
    &[
        "find",
        "format",
        "flushall",
        "flushdb",
        "format-volume",
        "fetch",
    ],
    &["gcloud", "git"],
    &["halt"],
    &[
        "init",
        "iptables",
        "iex",
        "iwr",
        "invoke-expression",
        "invoke-webrequest",
    ],
    &[],
    &["kubectl", "kill", "ksh"],
    &[],
    &["mkfs", "mke2fs", "mv", "mkfifo", "mkswap"],
    &["nc", "ncat", "netcat", "node"],
    &[],
    &[
        "perl",
        "python",
        "python3",
        "php",
        "powershell",
        "poweroff",
        "pwsh",
    ],
    &[],
    &[
        "rm",
        "rd",
        "rmdir",
        "redis-cli",
        "ruby",
        "reg",
        "remove-item",
        "reboot",
    ],
    &["sh", "shutdown", "socat", "shred", "source", "systemctl"],
    &["truncate", "terraform", "telinit"],
    &["update", "union", "ufw"],
    &["vssadmin"],
    &["wget", "wipefs", "wmic"],
    &["xp_cmdshell"],
    &[],
    &["zsh"],
];

/// The words a dangerous line begins with.
pub(crate) fn heads() -> impl Iterator<Item = &'static [u8]> {
    HEADS
        .iter()
        .flat_map(|words| words.iter().map(|word| word.as_bytes()))
}

/// For each first letter, which lengths its words have.
const LENGTHS: [u32; 26] = {
    let mut lengths = [0; 26];
    let mut letter = 0;
    while letter < 26 {
        let mut word = 0;
        while word < HEADS[letter].len() {
            lengths[letter] |= 1 << HEADS[letter][word].len();
            word += 1;
        }
        letter += 1;
    }
    lengths
};

/// A dangerous line that begins with the word `at..end`.
#[inline]
pub(crate) fn find(view: &View<'_>, at: usize, end: usize) -> Option<Hit> {
    let first = view.at(at) | 32;
    if !first.is_ascii_lowercase() || end - at > 20 {
        return None;
    }
    let next = view.at(end);
    let lengths = LENGTHS[usize::from(first - b'a')];
    let known = lengths >> (end - at) & 1 == 1
        && HEADS[usize::from(first - b'a')]
            .iter()
            .any(|word| word.len() == end - at && view.has_any_case(at, word.as_bytes()));
    // `r''m`, `r\m`: a word that is interrupted for no reason but to hide it.
    let hidden = end - at <= 3
        && matches!(
            (next, view.at(end + 1)),
            (b'\'', b'\'') | (b'"', b'"') | (b'\\', b'a'..=b'z')
        );
    let function = next == b'(' && end - at <= 8 && view.at(end + 1) == b')';
    if function {
        return shell::fork_bomb(view, at, end);
    }
    if !(known || hidden) {
        return None;
    }
    if known && !is_promising(view, at, end) {
        return None;
    }
    let line = Line::read(view, at);
    let (label, end, confidence) = shell::judge(&line).or_else(|| sql::judge(&line))?;
    // Where the line was cut for its length, a character may have been.
    let end = view.run(line.source(end), 3, |b| (128..192).contains(&b));
    Some(Hit::new(label, at, end, confidence))
}

/// Whether what follows a word that people use in sentences too can make it a command: a line is read far ahead, and
/// a stream must not stand still at every `find` or `delete`.
fn is_promising(view: &View<'_>, at: usize, end: usize) -> bool {
    let from = view.run(end, 16, |b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
    let next = view.at(from);
    let word = |words: &[&[u8]]| {
        view.at(from) == b'/' || words.iter().any(|word| view.has_any_case(from, word))
    };
    let argument = || {
        matches!(
            next,
            b'-' | b'/' | b'~' | b'.' | b'$' | b'<' | b'`' | b'"' | b'\'' | b'0'
                ..=b'9' | b'*' | b'\\' | b'%'
        ) || view.at(end) == b'$'
    };
    match (end - at, view.at(at) | 32, view.at(at + 2) | 32) {
        // drop, delete, alter, union
        (4, b'd', b'o') => word(&[
            b"table",
            b"database",
            b"schema",
            b"user",
            b"index",
            b"view",
            b"keyspace",
            b"collection",
            b"role",
            b"owned",
            b"material",
        ]),
        (6, b'd', b'l') => word(&[b"from"]),
        (5, b'a', b't') => word(&[b"table"]),
        (5, b'u', b'i') => word(&[b"all", b"select"]),
        // update
        (6, b'u', b'd') => {
            let name = view.run(from, 64, |b| !matches!(b, b' ' | b'\n' | b'\t' | 0));
            let set = view.run(name, 16, |b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
            view.has_any_case(set, b"set")
        }
        // exec, execute
        (4 | 7, b'e', b'e') => argument() || word(&[b"xp_", b"sp_", b"master"]),
        // truncate, db, format
        (8, b't', _) => next.is_ascii_alphabetic() || next == b'/',
        (2, b'd', _) if view.at(at + 1) | 32 == b'b' => {
            let call = view.slice(end, view.run(end, 64, |b| is_word(b) || b == b'.'));
            [&b"drop"[..], b"remove", b"delete"]
                .iter()
                .any(|word| contains_any_case(call, word))
        }
        (6, b'f', b'r') => view.at(from + 1) == b':',
        // rm, dd
        (2, b'r', _) => argument(),
        (2, b'd', _) => word(&[b"of=", b"if=", b"bs=", b"count=", b"conv=", b"status="]),
        // curl, wget
        (4, b'c' | b'w', _) => {
            let name = view.run(from, 64, |b| !matches!(b, b' ' | b'\n' | 0));
            argument()
                || view
                    .slice(from, name)
                    .iter()
                    .any(|b| matches!(b, b'.' | b'/' | b':'))
        }
        // find, fetch, source, eval, node, cat, cp, kill, halt, init, reboot, shutdown, poweroff, mv
        (4, b'f' | b'n' | b'k' | b'h' | b'i' | b'e', _)
        | (5, b'f', _)
        | (6, b's' | b'r', _)
        | (3, b'c', _)
        | (2, b'c' | b'm', _) => argument(),
        (8, b's' | b'p', _) => argument() || word(&[b"now"]),
        _ => true,
    }
}

/// A dangerous piece that begins with a sign: a function named `:`, a redirection into a disk, a quote mark that
/// closes what it did not open.
pub(crate) fn find_at_sign(view: &View<'_>, at: usize) -> Option<Hit> {
    match view.at(at) {
        b':' if view.at(view.run(at + 1, 4, |b| b == b' ')) == b'(' => {
            shell::fork_bomb(view, at, at + 1)
        }
        b'>' => {
            let target = view.run(at + 1, 4, |b| matches!(b, b' ' | b'>' | b'|'));
            let end = view.run(target, 64, |b| is_word(b) || b == b'/');
            let path = view.slice(target, end);
            let dangerous = shell::is_disk(path) || path == b"/proc/sysrq-trigger";
            dangerous.then(|| Hit::new(shell::DISK, at, end, 0.9))
        }
        b'\'' => sql::injection(view, at).map(|end| Hit::new(sql::INJECTION, at, end, 0.9)),
        b'%' => view
            .has(at, b"%0|%0")
            .then(|| Hit::new(shell::FORK, at, at + 5, 0.9)),
        _ => None,
    }
}

/// A line in its plain form, with the way back to where each byte came from.
struct Line {
    text: [u8; LINE_MAX],
    from: [u16; LINE_MAX],
    length: usize,
    start: usize,
    /// Whether the first word was written in capitals.
    loud: bool,
}

impl Line {
    fn read(view: &View<'_>, start: usize) -> Self {
        let mut line = Self {
            text: [0; LINE_MAX],
            from: [0; LINE_MAX],
            length: 0,
            start,
            loud: view.at(start).is_ascii_uppercase(),
        };
        let mut at = start;
        let stop = start + LINE_MAX;
        let mut in_statement = false;
        while at < stop {
            let byte = view.at(at);
            let step = match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' => {
                    line.push(byte, at);
                    1
                }
                0 => break,
                b'\n' | b'\r' => {
                    if !in_statement {
                        break;
                    }
                    line.blank(at)
                }
                b' ' | b'\t' => line.blank(at),
                b'\\' if matches!(view.at(at + 1), b'\n') => 2,
                b'\\' if view.at(at + 1) == b'\r' => 3,
                b'\\' if view.at(at + 1).is_ascii_alphabetic() && line.last() != b':' => 1,
                b'\'' | b'"' => 1,
                b'$' if view.has(at, b"${IFS}") => {
                    line.blank(at);
                    6
                }
                b'$' if view.has(at, b"$IFS") => {
                    line.blank(at);
                    if view.has(at, b"$IFS$9") { 6 } else { 4 }
                }
                b'/' if view.at(at + 1) == b'*'
                    && (in_statement
                        || line.length > 3
                            && line.text[..line.length].iter().all(u8::is_ascii_lowercase)) =>
                {
                    let mut end = at + 2;
                    while end < stop && view.at(end) != 0 && !view.has(end, b"*/") {
                        end += 1;
                    }
                    line.blank(at);
                    end + 2 - at
                }
                _ => {
                    line.push(byte.to_ascii_lowercase(), at);
                    1
                }
            };
            if step == 0 || line.begins_again() {
                break;
            }
            at += step;
            if line.length == 5 || line.length == 7 {
                in_statement |= matches!(&line.text[..5], b"drop ")
                    || line.text.starts_with(b"delete ")
                    || line.text.starts_with(b"update ");
            } else if line.length == 6 || line.length == 9 {
                in_statement |= line.text.starts_with(b"alter ")
                    || line.text.starts_with(b"union ")
                    || line.text.starts_with(b"truncate ");
            }
        }
        line
    }

    /// Gives up what repeats the beginning of the line: that is a line of its own, and is judged as one. To read it for
    /// both would be to read a text of beginnings as often as they fit into a line.
    fn begins_again(&mut self) -> bool {
        const AGAIN: usize = 8;
        let Some(first) = self.length.checked_sub(AGAIN) else {
            return false;
        };
        let again = first >= AGAIN
            && self.text[first..self.length] == self.text[..AGAIN]
            && !is_word(self.text[first - 1]);
        if again {
            self.length = first;
        }
        again
    }

    fn last(&self) -> u8 {
        if self.length == 0 {
            0
        } else {
            self.text[self.length - 1]
        }
    }

    fn push(&mut self, byte: u8, at: usize) {
        self.text[self.length] = byte;
        self.from[self.length] = (at - self.start) as u16;
        self.length += 1;
    }

    fn blank(&mut self, at: usize) -> usize {
        if self.last() != b' ' {
            self.push(b' ', at);
        }
        1
    }

    fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }

    /// The first word, and what follows it.
    fn head(&self) -> (&[u8], &[u8]) {
        let text = self.as_bytes();
        let end = text.iter().position(|b| !is_word(*b)).unwrap_or(text.len());
        text.split_at(end)
    }

    /// Where in the text the first `count` bytes of the line end.
    fn source(&self, count: usize) -> usize {
        match count.min(self.length) {
            0 => self.start,
            count => self.start + usize::from(self.from[count - 1]) + 1,
        }
    }
}
