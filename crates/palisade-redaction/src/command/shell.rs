use palisade_core::Severity;

use super::{Line, command};
use crate::{
    kind::Label,
    text::{contains, is_word},
    token::Hit,
    view::View,
};

pub(crate) const DELETE: Label = command("recursive_delete", Severity::Critical);
pub(crate) const DISK: Label = command("disk_overwrite", Severity::Critical);
pub(crate) const FORK: Label = command("fork_bomb", Severity::Critical);
pub(crate) const PIPE: Label = command("remote_code", Severity::High);
pub(crate) const REVERSE: Label = command("reverse_shell", Severity::Critical);
pub(crate) const POWER: Label = command("shutdown", Severity::High);
pub(crate) const PERMISSIONS: Label = command("open_permissions", Severity::High);
pub(crate) const WINDOWS: Label = command("windows_destruction", Severity::Critical);
pub(crate) const CLOUD: Label = command("cloud_destruction", Severity::High);
pub(crate) const SYSTEM: Label = command("system_tampering", Severity::High);
pub(crate) const STORE: Label = command("store_wipe", Severity::High);

type Verdict = (Label, usize, f32);

/// What a line in its plain form does, if it is dangerous, and up to where it says so.
pub(super) fn judge(line: &Line) -> Option<Verdict> {
    let (head, rest) = line.head();
    let all = line.as_bytes();
    let part = first_command(rest);
    let end = head.len() + part.len();
    let has = |word: &str| contains(part, word.as_bytes());
    let anywhere = |word: &str| contains(all, word.as_bytes());
    let yes = |label| Some((label, end, 0.9));
    let whole = |label| Some((label, all.len(), 0.9));
    if head == b"mkfs"
        && (part.first() == Some(&b'.') || part.first() == Some(&b' '))
        && has(" /dev/")
    {
        return yes(DISK);
    }
    if !matches!(rest.first(), Some(b' ' | b'.' | b'/' | b'(') | None) {
        return None;
    }
    match head {
        b"rm" => {
            let recursive = flags(part).any(|flag| flag == b"--recursive" || short(flag, b"r"));
            let target = words(part).any(|word| {
                !word.starts_with(b"-") && is_precious(word) || word == b"*" || word == b"."
            });
            (recursive && target).then_some((DELETE, end, 0.95))
        }
        b"find" => {
            let root = words(part).next().is_some_and(is_precious);
            let deletes = has(" -delete")
                || anywhere("-exec rm")
                || anywhere("xargs rm")
                || anywhere("xargs -0 rm");
            if root && deletes { whole(DELETE) } else { None }
        }
        b"dd" => words(part)
            .any(|word| word.strip_prefix(b"of=").is_some_and(is_disk))
            .then_some((DISK, end, 0.95)),
        b"mke2fs" | b"mkswap" | b"wipefs" | b"shred" | b"blkdiscard" => {
            words(part).any(is_disk).then_some((DISK, end, 0.9))
        }
        b"cp" | b"cat" => words(part)
            .last()
            .is_some_and(is_disk)
            .then_some((DISK, end, 0.8)),
        b"chmod" | b"chown" => {
            let recursive = flags(part).any(|flag| flag == b"--recursive" || short(flag, b"r"));
            let everyone =
                words(part).any(|word| matches!(word, b"777" | b"0777" | b"a+rwx" | b"000"));
            let target =
                words(part).any(|word| word.starts_with(b"/") && is_precious(word) || word == b"~");
            (target && (recursive || everyone)).then_some((PERMISSIONS, end, 0.9))
        }
        b"mv" => {
            let void = words(part).last() == Some(b"/dev/null");
            (void && words(part).next().is_some_and(is_precious)).then_some((DELETE, end, 0.9))
        }
        b"curl" | b"wget" | b"fetch" | b"base64" | b"iwr" | b"invoke-webrequest" => {
            let decodes =
                head != b"base64" || flags(part).any(|flag| matches!(flag, b"-d" | b"--decode"));
            let end = runs_input(all)?;
            decodes.then_some((PIPE, end, 0.9))
        }
        b"bash" | b"sh" | b"zsh" | b"dash" | b"ksh" | b"source" | b"eval" | b"python"
        | b"python3" | b"perl" | b"ruby" | b"php" | b"node" => interpreter(head, part, all),
        b"iex" | b"invoke-expression" | b"powershell" | b"pwsh" => {
            let fetches = anywhere("downloadstring")
                || anywhere("iwr ")
                || anywhere("invoke-webrequest")
                || anywhere("irm ");
            let encoded = flags(part)
                .any(|flag| matches!(flag, b"-enc" | b"-encodedcommand" | b"-e" | b"-ec"));
            if fetches || encoded {
                whole(PIPE)
            } else {
                None
            }
        }
        b"nc" | b"ncat" | b"netcat" => {
            let shell = [
                "/bin/sh",
                "/bin/bash",
                "cmd.exe",
                "powershell",
                " sh",
                " bash",
            ]
            .iter()
            .any(|shell| has(shell));
            let runs = flags(part).any(|flag| {
                matches!(flag, b"--exec" | b"--sh-exec") || short(flag, b"e") || short(flag, b"c")
            });
            (shell && runs).then_some((REVERSE, end, 0.95))
        }
        b"socat" if anywhere("exec:") && anywhere("tcp") => whole(REVERSE),
        b"mkfifo"
            if (anywhere("nc ") || anywhere("ncat ") || anywhere("telnet ")) && anywhere("sh") =>
        {
            whole(REVERSE)
        }
        b"exec" if anywhere("/dev/tcp/") || anywhere("/dev/udp/") => whole(REVERSE),
        b"shutdown" => {
            let now = words(part).next();
            matches!(
                now,
                Some(b"now" | b"-h" | b"-r" | b"-p" | b"/s" | b"/r" | b"+0" | b"-f" | b"/p")
            )
            .then_some((POWER, end, 0.85))
        }
        b"halt" | b"poweroff" | b"reboot" => flags(part)
            .any(|flag| matches!(flag, b"-f" | b"--force" | b"-p" | b"-ff"))
            .then_some((POWER, end, 0.8)),
        b"init" | b"telinit" => {
            let mut words = words(part);
            (matches!(words.next(), Some(b"0" | b"6")) && words.next().is_none())
                .then_some((POWER, end, 0.8))
        }
        b"systemctl" => words(part)
            .any(|word| matches!(word, b"poweroff" | b"halt" | b"reboot" | b"emergency"))
            .then_some((POWER, end, 0.8)),
        b"kill" => (words(part).any(|word| word == b"-1") && words(part).count() > 1)
            .then_some((SYSTEM, end, 0.85)),
        b"crontab" => words(part)
            .any(|word| word == b"-r")
            .then_some((SYSTEM, end, 0.85)),
        b"iptables" => words(part)
            .any(|word| matches!(word, b"-f" | b"--flush" | b"-x"))
            .then_some((SYSTEM, end, 0.8)),
        b"ufw" => words(part)
            .any(|word| matches!(word, b"disable" | b"reset"))
            .then_some((SYSTEM, end, 0.8)),
        b"aws" | b"gcloud" | b"az" | b"terraform" | b"kubectl" | b"docker" => {
            cloud(head, part).then_some((CLOUD, end, 0.85))
        }
        b"git" => {
            let force = flags(part)
                .any(|flag| matches!(flag, b"--force" | b"-f" | b"--mirror" | b"--delete"));
            let shared = words(part).any(|word| {
                matches!(
                    word,
                    b"main" | b"master" | b"--all" | b"--mirror" | b"production" | b"release"
                )
            });
            (has(" push ") && force && shared || has("reflog expire") && has("--expire=now"))
                .then_some((SYSTEM, end, 0.8))
        }
        b"redis-cli" => words(part)
            .any(|word| matches!(word, b"flushall" | b"flushdb" | b"shutdown"))
            .then_some((STORE, end, 0.9)),
        b"flushall" | b"flushdb" => {
            (line.loud && words(part).next().is_none()).then_some((STORE, end, 0.7))
        }
        b"db" => {
            let drops = has(".dropdatabase(")
                || has(".drop()")
                || has(".deletemany({})")
                || has(".remove({})");
            (part.starts_with(b".") && drops).then_some((STORE, end, 0.9))
        }
        _ => windows(head, part).then_some((WINDOWS, end, 0.9)),
    }
}

fn interpreter(head: &[u8], part: &[u8], all: &[u8]) -> Option<Verdict> {
    let anywhere = |word: &str| contains(all, word.as_bytes());
    if anywhere("/dev/tcp/") || anywhere("/dev/udp/") {
        return Some((REVERSE, all.len(), 0.95));
    }
    let fetched = [
        "<(curl", "<(wget", "$(curl", "$(wget", "`curl", "`wget", "<( curl", "$( curl",
    ];
    if fetched.iter().any(|way| anywhere(way)) {
        return Some((PIPE, all.len(), 0.9));
    }
    let script = flags(part).any(|flag| matches!(flag, b"-c" | b"-e" | b"-r" | b"-rsocket"));
    if !script {
        return None;
    }
    let connects = anywhere("socket")
        || anywhere("fsockopen")
        || anywhere("tcpsocket")
        || anywhere("net.connect");
    let shell = [
        "/bin/sh",
        "/bin/bash",
        "subprocess",
        "pty.spawn",
        "exec(",
        "exec ",
        "dup2",
        "spawn",
        "sh -i",
        "child_process",
    ];
    if connects && shell.iter().any(|way| anywhere(way)) {
        return Some((REVERSE, all.len(), 0.9));
    }
    if anywhere("fork while fork")
        || anywhere("fork while 1")
        || anywhere("os.fork()") && anywhere("while")
    {
        return Some((FORK, all.len(), 0.9));
    }
    let wipes = anywhere("shutil.rmtree(/)")
        || anywhere("rmtree(/,")
        || head == b"node" && anywhere("rmsync(/");
    wipes.then_some((DELETE, all.len(), 0.85))
}

fn cloud(head: &[u8], part: &[u8]) -> bool {
    let has = |word: &str| contains(part, word.as_bytes());
    let word = |wanted: &[u8]| words(part).any(|word| word == wanted);
    match head {
        b"aws" => {
            (has(" s3 rm ") && word(b"--recursive"))
                || (has(" s3 rb ") && word(b"--force"))
                || has("terminate-instances")
                || has("delete-db-instance")
                || has("delete-db-cluster")
                || has("delete-stack")
                || has("schedule-key-deletion")
                || has("delete-bucket")
                || has("delete-table")
        }
        b"gcloud" => {
            has(" projects delete")
                || word(b"delete") && word(b"--quiet")
                || has("instances delete --all")
        }
        b"az" => has(" group delete") || word(b"delete") && (word(b"--yes") || word(b"-y")),
        b"terraform" => word(b"destroy") || word(b"-destroy"),
        b"kubectl" => {
            word(b"delete")
                && (word(b"namespace")
                    || word(b"ns")
                    || word(b"--all")
                    || word(b"all")
                    || word(b"pv")
                    || word(b"-a")
                    || word(b"crd"))
        }
        _ => {
            (has(" prune")
                && (word(b"--volumes")
                    || word(b"-af")
                    || word(b"-a") && word(b"-f")
                    || has("volume prune")))
                || (has(" rm ") && has("$(docker ps"))
                || (has(" rmi ") && has("$(docker images"))
        }
    }
}

fn windows(head: &[u8], part: &[u8]) -> bool {
    let has = |word: &str| contains(part, word.as_bytes());
    let drive = |word: &[u8]| {
        word.len() >= 2
            && word[0].is_ascii_lowercase()
            && word[1] == b':'
            && (word.len() <= 4 || contains(word, b":\\windows"))
    };
    let root = words(part).any(|word| {
        drive(word)
            || matches!(word, b"\\" | b"/" | b"~" | b"*.*")
            || word.starts_with(b"%system")
            || word.starts_with(b"%windir")
            || word.starts_with(b"%userprofile")
            || word.starts_with(b"$env:")
    });
    match head {
        b"format" => words(part)
            .next()
            .is_some_and(|word| word.len() == 2 && drive(word)),
        b"rd" | b"rmdir" => has("/s") && root,
        b"del" => (has("/s") || has("/f")) && root,
        b"remove-item" => (has("-recurse") || has("-r ")) && root,
        b"vssadmin" => has("delete shadows"),
        b"wmic" => has("shadowcopy delete"),
        b"cipher" => has("/w:"),
        b"bcdedit" => has("/delete") || has("recoveryenabled no"),
        b"reg" => has("delete hklm") || has("delete hkey_local_machine"),
        b"format-volume" | b"clear-disk" => {
            has("-driveletter") || has("-number") || has("-removedata")
        }
        b"diskpart" => has("clean"),
        _ => false,
    }
}

/// A function that calls itself twice and is called at once.
pub(super) fn fork_bomb(view: &View<'_>, at: usize, name_end: usize) -> Option<Hit> {
    let name = view.slice(at, name_end);
    let mut from = name_end;
    for word in [b"(", b")", b"{", name, b"|", name, b"&", b"}"] {
        from = view.run(from, 8, |b| matches!(b, b' ' | b'\n'));
        if !view.has(from, word) {
            return None;
        }
        from += word.len();
    }
    let mut end = from;
    for _ in 0..12 {
        if !matches!(view.at(end), b' ' | b';') {
            break;
        }
        end += 1;
    }
    view.has(end, name)
        .then(|| Hit::new(FORK, at, end + name.len(), 1.0))
}

/// The first command of a line: up to a sign that begins another one.
fn first_command(rest: &[u8]) -> &[u8] {
    let end = rest.iter().enumerate().position(|(at, b)| {
        matches!(b, b';' | b'|' | b'`')
            || (*b == b'&' && rest.get(at + 1) == Some(&b'&'))
            || (*b == b'#' && at > 0 && rest[at - 1] == b' ')
    });
    let part = &rest[..end.unwrap_or(rest.len())];
    part.trim_ascii_end()
}

fn words(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    part.split(|b| *b == b' ')
        .filter(|word| !word.is_empty())
        .map(|word| {
            let end = word
                .iter()
                .rposition(|b| !matches!(b, b')' | b'.' | b',' | b'?' | b'!' | b']'))
                .map_or(0, |at| at + 1);
            if end == 0 { word } else { &word[..end] }
        })
}

fn flags(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    words(part).filter(|word| word.starts_with(b"-"))
}

fn short(flag: &[u8], letter: &[u8; 1]) -> bool {
    flag.len() > 1 && flag[1] != b'-' && flag[1..].contains(&letter[0])
}

/// Whether what is piped on is run: `| sh`, `| sudo bash -s`, `| python`.
fn runs_input(all: &[u8]) -> Option<usize> {
    const SHELLS: [&[u8]; 11] = [
        b"sh", b"bash", b"zsh", b"dash", b"ksh", b"python", b"python3", b"perl", b"ruby", b"node",
        b"iex",
    ];
    let mut from = 0;
    while let Some(bar) = all[from..].iter().position(|b| *b == b'|') {
        from += bar + 1;
        let mut at = from;
        loop {
            while all.get(at) == Some(&b' ') {
                at += 1;
            }
            let end = at
                + all[at..]
                    .iter()
                    .take_while(|b| is_word(**b) || **b == b'/')
                    .count();
            let word = &all[at..end];
            let name = word.rsplit(|b| *b == b'/').next().unwrap_or(word);
            if SHELLS.contains(&name) {
                return Some(end);
            }
            if matches!(name, b"sudo" | b"env" | b"-e" | b"-h" | b"exec") {
                at = end;
                continue;
            }
            break;
        }
    }
    None
}

/// Whether a path names a whole disk or a part of one.
pub(super) fn is_disk(path: &[u8]) -> bool {
    const DISKS: [&[u8]; 9] = [
        b"sd", b"nvme", b"vd", b"hd", b"xvd", b"mmcblk", b"disk", b"mapper/", b"md",
    ];
    path.strip_prefix(b"/dev/")
        .is_some_and(|name| DISKS.iter().any(|disk| name.starts_with(disk)))
}

/// Whether losing what is there would be losing the system or the person's own files.
fn is_precious(word: &[u8]) -> bool {
    let path = word.strip_suffix(b"*").unwrap_or(word);
    let path = if path.len() > 1 {
        path.strip_suffix(b"/").unwrap_or(path)
    } else {
        path
    };
    if matches!(
        path,
        b"/" | b"~" | b"$home" | b"${home}" | b"/." | b"/.." | b"$pwd/.." | b"../.."
    ) {
        return true;
    }
    const SYSTEM: [&[u8]; 19] = [
        b"bin",
        b"boot",
        b"dev",
        b"etc",
        b"home",
        b"lib",
        b"lib64",
        b"opt",
        b"proc",
        b"root",
        b"sbin",
        b"srv",
        b"sys",
        b"usr",
        b"var",
        b"library",
        b"system",
        b"users",
        b"applications",
    ];
    path.strip_prefix(b"/")
        .is_some_and(|name| SYSTEM.contains(&name))
}
