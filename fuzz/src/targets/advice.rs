use std::time::Duration;

use palisade_core::{Instant, RetryAfter, Timestamp};
use palisade_resilience::{
    HttpReply, LimitOf, ProviderError, RetryOwner, UpstreamLimits, format_duration, parse_duration,
};

pub(super) const PIECES: &[&str] = &[
    "\n",
    ":",
    "retry-after:",
    "retry-after-ms:",
    "grpc-retry-pushback-ms:",
    "x-should-retry:true",
    "date:",
    "x-ratelimit-remaining-tokens:0",
    "x-ratelimit-reset-tokens:",
    "x-ratelimit-reset:",
    "anthropic-ratelimit-requests-reset:",
    "anthropic-ratelimit-requests-remaining:0",
    "ratelimit:",
    "ratelimit-reset:",
    "x-amzn-errortype:ThrottlingException",
    "\"minute\";r=0;t=30",
    "retry-owner:",
    "\"gateway\";n=2;max=3;left=12000",
    "\"",
    ";n=",
    ";max=",
    ";left=",
    ";",
    "4294967296",
    "999999999999999",
    "limit=1, remaining=0, reset=8",
    "6m0s",
    "59.964s",
    "120ms",
    "1d2h",
    "2026-11-20T23:59:59Z",
    "2026-11-20T23:59:59.5+01:00",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "1795132830",
    "1795132830000",
    "18446744073709551616",
    "-1",
    "0",
    "7",
    ".",
    ", ",
    "\n\n",
    r#"{"error":{"code":429,"type":"tokens","status":"RESOURCE_EXHAUSTED","#,
    r#""message":"try again in "#,
    r#""details":[{"retryDelay":"3s"},{"violations":[{"quotaId":"PerDay"}]}]"#,
    "}}",
];

/// Whatever a server says, the answer is a failure exactly if the status is one, its advice is not shorter than what the
/// header states outright, and what is read as a length of time is written so that it is read again. So is who owns the
/// retries.
pub fn advice(data: &[u8]) {
    let now = Timestamp::from_secs(1_795_132_800);
    let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &data[..0]),
    };
    let status = 200 + u16::from(data.first().copied().unwrap_or_default()) * 2;
    let mut reply = HttpReply::new(status);
    let mut limits = UpstreamLimits::default();
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let Ok(name) = str::from_utf8(&line[..colon]) else {
            continue;
        };
        let value = &line[colon + 1..];
        reply = reply.with_header(name, value);
        limits = limits.with_header(name, value);
        if let Some(length) = str::from_utf8(value).ok().and_then(parse_duration) {
            let told = length.min(Duration::from_nanos(u64::MAX));
            assert_eq!(parse_duration(&format_duration(told)), Some(told));
        }
    }
    for value in head.split(|byte| matches!(byte, b'\n' | b':')) {
        owner(value);
    }
    let reply = reply.with_error(ProviderError::from_body(body));
    let failure = reply.failure(now);
    assert_eq!(failure.is_some(), status >= 400);
    for which in LimitOf::ALL {
        // Later is never sooner.
        let later = Timestamp::from_secs(1_795_132_900);
        let (early, late) = (limits.of(which, now), limits.of(which, later));
        assert!(late.resets_in <= early.resets_in);
        assert_eq!(late.remaining, early.remaining);
    }
    if let Some(failure) = failure {
        assert!((400..600).contains(&failure.http_status()));
        if let Some(RetryAfter::After(wait)) = failure.advice() {
            let seconds = failure.advice().and_then(RetryAfter::as_secs_ceil);
            assert!(seconds.is_some_and(|seconds| seconds >= wait.as_secs()));
        }
    }
}

/// Who is read from a header has a name that one could have been given here, and says the same again, in what a header may
/// hold and on whatever clock.
fn owner(value: &[u8]) {
    let now = Instant::from_nanos(7_000_000_000);
    let Some(owner) = RetryOwner::parse(value, now) else {
        return;
    };
    assert!(RetryOwner::new(owner.name()).is_ok());
    let written = owner.header_value(now);
    assert!(written.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    for clock in [now, Instant::ORIGIN] {
        let again = RetryOwner::parse(written.as_bytes(), clock).expect("what is said is read");
        assert_eq!(again.header_value(clock), written);
    }
}
