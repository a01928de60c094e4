//! Does this text carry what must not leave? What looking costs, and what taking it out of a stream costs.
//!
//! Beside it stands what a careful team writes in an afternoon: a set of regular expressions for the same things, on bytes
//! with Unicode off, because that is the fast way to use it. It is asked less: it knows 60 formats and not some 500, no check
//! digits, no rule that depends on the words around, and it cannot be given a text in pieces.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use palisade::redaction::{Kind, Scanner};
use palisade_benches::texts;
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// The formats as their owners document them, and the personal data and commands that everybody's list begins with.
const PLAIN_RULES: [&str; 60] = [
    r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    r"\bghp_[A-Za-z0-9]{36}\b",
    r"\bgho_[A-Za-z0-9]{36}\b",
    r"\bgh[usr]_[A-Za-z0-9]{36,}\b",
    r"\bgithub_pat_[A-Za-z0-9_]{82}\b",
    r"\bglpat-[A-Za-z0-9_-]{20,}",
    r"\bglptt-[0-9a-f]{40}\b",
    r"\bxox[baprs]-[A-Za-z0-9-]{10,}",
    r"\bxapp-\d-[A-Z0-9]+-\d+-[a-f0-9]+\b",
    r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{40,}",
    r"https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/\d+/[\w-]{60,}",
    r"\bsk-ant-[a-z0-9]+-[A-Za-z0-9_-]{80,}",
    r"\bsk-proj-[A-Za-z0-9_-]{40,}",
    r"\bsk-[A-Za-z0-9]{48}\b",
    r"\bsk-or-v1-[0-9a-f]{64}\b",
    r"\bAIza[A-Za-z0-9_-]{35}\b",
    r"\bya29\.[A-Za-z0-9_-]{20,}",
    r"\bGOCSPX-[A-Za-z0-9_-]{28}\b",
    r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{24,}\b",
    r"\bwhsec_[A-Za-z0-9]{32,}\b",
    r"\bSK[0-9a-f]{32}\b",
    r"\bAC[0-9a-f]{32}\b",
    r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b",
    r"\bkey-[0-9a-f]{32}\b",
    r"\bnpm_[A-Za-z0-9]{36}\b",
    r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}",
    r"\brubygems_[0-9a-f]{48}\b",
    r"\bhf_[A-Za-z]{34}\b",
    r"\bdop_v1_[0-9a-f]{64}\b",
    r"\bdckr_pat_[A-Za-z0-9_-]{27}\b",
    r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b",
    r"\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22,43}\b",
    r"\bhvs\.[A-Za-z0-9_-]{24,}",
    r"\blin_api_[A-Za-z0-9]{40}\b",
    r"\bntn_[A-Za-z0-9]{40,}\b",
    r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b",
    r"\bgsk_[A-Za-z0-9]{52}\b",
    r"\bxai-[A-Za-z0-9]{80}\b",
    r"\br8_[A-Za-z0-9]{37}\b",
    r"\bpplx-[A-Za-z0-9]{48}\b",
    r"\bdapi[0-9a-f]{32}\b",
    r"\bglsa_[A-Za-z0-9]{32}_[0-9a-f]{8}\b",
    r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b",
    r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"(?i)\b[a-z_]*(?:password|passwd|pwd)\s*[:=]\s*\S{6,}",
    r"(?i)\b[a-z_]*(?:secret|token|api_?key)[a-z_]*\s*[:=]\s*\S{12,}",
    r"(?i)\bauthorization:\s*(?:bearer|basic)\s+\S{8,}",
    r"\b[a-z][a-z0-9+.-]*://[^\s:/@]+:[^\s@/]+@",
    r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\b(?:\d[ -]?){13,18}\d\b",
    r"\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){2,4}\b",
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b",
    r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b",
    r"(?i)\brm\s+-[a-z]*(?:rf|fr)[a-z]*\s+[/~*]",
    r"(?i)\bdrop\s+(?:table|database|schema)\b",
    r"(?i)\b(?:curl|wget)\s[^|\n]*\|\s*(?:ba|z)?sh\b",
    r"(?i)\bdd\s+[^\n]*of=/dev/[a-z]+",
];

/// One pass says which rules match; only those are then looked for.
struct Plain {
    set: RegexSet,
    each: Vec<Regex>,
}

impl Plain {
    fn new() -> Self {
        let set = RegexSetBuilder::new(PLAIN_RULES)
            .unicode(false)
            .size_limit(64 << 20)
            .build();
        let each = PLAIN_RULES
            .iter()
            .map(|rule| RegexBuilder::new(rule).unicode(false).build());
        Self {
            set: set.expect("valid rules"),
            each: each.collect::<Result<_, _>>().expect("valid rules"),
        }
    }

    fn scan(&self, text: &str) -> usize {
        let which = self.set.matches(text.as_bytes());
        which
            .iter()
            .map(|rule| self.each[rule].find_iter(text.as_bytes()).count())
            .sum()
    }

    fn redact(&self, text: &str) -> Vec<u8> {
        let mut out = text.as_bytes().to_vec();
        for rule in &self.set.matches(text.as_bytes()) {
            out = self.each[rule]
                .replace_all(&out, &b"[REDACTED]"[..])
                .into_owned();
        }
        out
    }
}

/// A prompt, with nothing in it and with four things in it.
fn prompts(c: &mut Criterion) {
    let scanner = Scanner::new();
    let plain = Plain::new();
    for (size, bytes) in [("1_KB", 1_024), ("16_KB", 16 * 1_024)] {
        let clean = texts::prose(bytes);
        let text = texts::with_secrets(&clean);
        assert!(scanner.scan(&clean).is_empty());
        assert!(scanner.scan(&text).len() >= 4 && plain.scan(&text) >= 4);

        let mut group = c.benchmark_group(format!("redaction/prompt/{size}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("scan_clean/palisade", |b| {
            b.iter(|| scanner.scan(black_box(&clean)).len());
        });
        group.bench_function("scan_clean/regex_set", |b| {
            b.iter(|| plain.scan(black_box(&clean)));
        });
        group.bench_function("scan/palisade", |b| {
            b.iter(|| scanner.scan(black_box(&text)).len());
        });
        group.bench_function("scan/regex_set", |b| {
            b.iter(|| plain.scan(black_box(&text)));
        });
        group.bench_function("redact/palisade", |b| {
            b.iter(|| scanner.redact(black_box(&text)));
        });
        group.bench_function("redact/regex_set", |b| {
            b.iter(|| plain.redact(black_box(&text)));
        });
        group.finish();
    }
}

/// A megabyte: what the machine does when the texts are long, with every rule on and with secrets alone.
fn throughput(c: &mut Criterion) {
    let scanner = Scanner::new();
    let secrets = Scanner::builder()
        .with_kind(Kind::Pii, false)
        .with_kind(Kind::Keyword, false)
        .with_kind(Kind::Command, false)
        .build()
        .expect("valid");
    let plain = Plain::new();
    let mut group = c.benchmark_group("redaction/throughput");
    group.sample_size(20);
    for (name, text) in [
        ("prose", texts::prose(1 << 20)),
        ("code", texts::code(1 << 20)),
    ] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("palisade", name), &text, |b, text| {
            b.iter(|| scanner.scan(text).len());
        });
        group.bench_with_input(
            BenchmarkId::new("palisade_secrets", name),
            &text,
            |b, text| b.iter(|| secrets.scan(text).len()),
        );
        group.bench_with_input(BenchmarkId::new("regex_set", name), &text, |b, text| {
            b.iter(|| plain.scan(text));
        });
    }
    group.finish();
}

/// Beginnings over and over: the worst texts for whoever looks at each of them.
fn hostile(c: &mut Criterion) {
    let scanner = Scanner::new();
    let plain = Plain::new();
    let mut group = c.benchmark_group("redaction/hostile");
    group.sample_size(10);
    for (name, unit) in [
        ("letters", "a".to_owned()),
        ("base64", "MHcCAQEEIDkq8Zt4WvL0kPq2mXc9RtY5".to_owned()),
        ("prefixes", concat!("gh", "p_").to_owned()),
        ("names", "secret=\"".to_owned()),
        ("headers", "eyJhbGci.".to_owned()),
        (
            "first_lines",
            format!("-----BEGIN RSA PRIV{}\n", "ATE KEY-----"),
        ),
        ("blanks", format!("password{}", " ".repeat(40))),
    ] {
        let text = unit.repeat(200_000 / unit.len());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("palisade", name), &text, |b, text| {
            b.iter(|| scanner.scan(text).len());
        });
        group.bench_with_input(BenchmarkId::new("regex_set", name), &text, |b, text| {
            b.iter(|| plain.scan(text));
        });
    }
    group.finish();
}

/// An answer in pieces of about a token, beside the same answer in one piece.
fn stream(c: &mut Criterion) {
    let scanner = Scanner::new();
    let mut group = c.benchmark_group("redaction/stream");
    let text = texts::with_secrets(&texts::prose(16 * 1_024));
    let whole = scanner.redact(&text);
    group.throughput(Throughput::Bytes(text.len() as u64));
    for bytes in [4, 64, text.len()] {
        let name = if bytes == text.len() {
            "whole".to_owned()
        } else {
            format!("pieces_of_{bytes}_B")
        };
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut out = Vec::with_capacity(text.len());
                let mut redactor = scanner.redactor();
                for piece in black_box(text.as_bytes()).chunks(bytes) {
                    redactor.push_bytes(piece, &mut out);
                }
                redactor.finish_bytes(&mut out);
                assert_eq!(out.len(), whole.len());
                out
            });
        });
    }
    group.finish();
}

/// A program that starts pays this once.
fn build(c: &mut Criterion) {
    let mut group = c.benchmark_group("redaction/build");
    group.sample_size(20);
    group.bench_function("palisade", |b| b.iter(Scanner::new));
    group.bench_function("regex_set", |b| b.iter(Plain::new));
    group.finish();
}

criterion_group!(benches, prompts, throughput, hostile, stream, build);
criterion_main!(benches);
