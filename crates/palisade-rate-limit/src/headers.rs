//! The values of the header fields that tell clients how they stand, as text; no HTTP library is needed.
//!
//! | field | from | value |
//! |---|---|---|
//! | `RateLimit-Policy` | [`policy`] | `"chat";q=60;w=60, "tokens";q=90000;w=60` |
//! | `RateLimit` | [`allowed`], [`denied`] | `"chat";r=9;t=1` |
//! | `Retry-After` | [`retry_after`] | `2` |
//! | `X-RateLimit-Limit`, `-Remaining`, `-Reset` | [`Legacy`] | `10`, `9`, `1` |
//!
//! The first two follow the Internet-Draft `RateLimit` *header fields for HTTP* (draft-ietf-httpapi-ratelimit-headers-11, May 2026), which
//! are lists in the sense of RFC 9651. What the draft leaves open is settled so:
//!
//! - `q` and `w` are the sustained rate: the amount and the period in whole seconds. The burst is not in them; it shows in
//!   `r`, which is never more than the burst.
//! - `r` is what may pass at this instant.
//! - `t` is the time until the whole burst is back; in a refusal it is cut to the wait, so that `Retry-After` never points
//!   to a time before the end of it, as the draft asks.
//! - Seconds are rounded up. A client that waits as told is never too early.
//! - `qu` for limits on concurrency alone, which have no `w`: the draft's registry has no unit for tokens. Let the policy's
//!   name say what it counts.
//! - `pk` only where it is asked for ([`policy_with`], [`allowed_with`], [`denied_with`]), and then hashed under a
//!   [`PartitionSecret`](crate::PartitionSecret): in the clear it would tell how the service tells its users apart.

use std::{fmt::Write as _, time::Duration};

use crate::{Algorithm, Allowed, Denied, Limit, PartitionKey, Status};

/// The value of `RateLimit-Policy`: what the limits are. Names of limits never need an escape.
pub fn policy<'a>(statuses: impl IntoIterator<Item = &'a Status>) -> String {
    policy_with(statuses, [])
}

/// The same with the partition keys of the statuses, in their order; one that is missing is left out.
pub fn policy_with<'a>(
    statuses: impl IntoIterator<Item = &'a Status>,
    keys: impl IntoIterator<Item = PartitionKey>,
) -> String {
    let mut value = String::new();
    let mut keys = keys.into_iter();
    for status in statuses {
        separate(&mut value);
        let name = status.limit.name();
        // Writing to a string cannot fail.
        let _ = if status.limit.algorithm() == Algorithm::Concurrency {
            let quota = status.limit.amount();
            write!(value, "\"{name}\";q={quota};qu=\"concurrent-requests\"")
        } else {
            let (quota, window) = quota_and_window(&status.limit);
            write!(value, "\"{name}\";q={quota};w={window}")
        };
        append(&mut value, keys.next());
    }
    value
}

/// The value of `RateLimit` beside a request that went through.
#[must_use]
pub fn allowed(allowed: &Allowed) -> String {
    allowed_with(allowed, [])
}

/// The same with the partition keys of the statuses, in their order.
pub fn allowed_with(allowed: &Allowed, keys: impl IntoIterator<Item = PartitionKey>) -> String {
    rate_limit(allowed.statuses(), keys, u64::MAX)
}

/// The value of `RateLimit` beside a refusal.
#[must_use]
pub fn denied(denied: &Denied) -> String {
    denied_with(denied, [])
}

/// The same with the partition keys of the statuses, in their order.
pub fn denied_with(denied: &Denied, keys: impl IntoIterator<Item = PartitionKey>) -> String {
    rate_limit(
        denied.statuses(),
        keys,
        denied.retry_after().as_secs_ceil().unwrap_or(u64::MAX),
    )
}

/// The value of `Retry-After` (RFC 9110 §10.2.3), in whole seconds rounded up. `None` if the request can never pass:
/// sending a number would make an obedient client ask for ever.
#[must_use]
pub fn retry_after(denied: &Denied) -> Option<String> {
    denied.retry_after().as_secs_ceil().map(|s| s.to_string())
}

/// The `X-RateLimit-*` fields that many clients know. They have room for one limit: give them the binding one.
///
/// The three belong together and describe the bucket: how much it holds, how much is in it, how many seconds until it
/// is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Legacy {
    /// `X-RateLimit-Limit`: the burst.
    pub limit: u64,
    /// `X-RateLimit-Remaining`.
    pub remaining: u64,
    /// `X-RateLimit-Reset`, in seconds from now, rounded up. Not a date: it would depend on the client's clock.
    pub reset_secs: u64,
}

impl From<&Status> for Legacy {
    fn from(status: &Status) -> Self {
        Self {
            limit: status.limit.burst(),
            remaining: status.remaining,
            reset_secs: secs_ceil(status.reset),
        }
    }
}

fn rate_limit<'a>(
    statuses: impl Iterator<Item = &'a Status>,
    keys: impl IntoIterator<Item = PartitionKey>,
    window_max: u64,
) -> String {
    let mut value = String::new();
    let mut keys = keys.into_iter();
    for status in statuses {
        let remaining = status.remaining.min(INTEGER_MAX);
        let window = secs_ceil(status.reset).min(window_max);
        separate(&mut value);
        let _ = write!(
            value,
            "\"{}\";r={remaining};t={window}",
            status.limit.name()
        );
        append(&mut value, keys.next());
    }
    value
}

fn append(value: &mut String, key: Option<PartitionKey>) {
    if let Some(key) = key {
        let _ = write!(value, ";pk={key}");
    }
}

/// The largest integer of a structured field (RFC 9651 §3.3.1). More than that is said as that.
const INTEGER_MAX: u64 = 999_999_999_999_999;

/// The rate over whole seconds: the period rounded up, and as much of the amount as falls into it, rounded down.
fn quota_and_window(limit: &Limit) -> (u64, u64) {
    let window = secs_ceil(limit.period());
    let scaled =
        u128::from(limit.amount()) * u128::from(window) * 1_000_000_000 / limit.period().as_nanos();
    (
        u64::try_from(scaled).unwrap_or(u64::MAX).min(INTEGER_MAX),
        window,
    )
}

fn secs_ceil(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn separate(list: &mut String) {
    if !list.is_empty() {
        list.push_str(", ");
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::RetryAfter;

    use super::*;

    fn status(limit: Limit, remaining: u64, reset_millis: u64) -> Status {
        Status::new(limit, remaining, Duration::from_millis(reset_millis), None)
    }

    #[test]
    fn fields_read_as_the_draft_says() {
        let chat = Limit::per_minute("chat", 60)
            .and_then(|limit| limit.with_burst(10))
            .unwrap();
        let tokens = Limit::per_minute("tokens", 90_000).unwrap();
        let answer =
            Allowed::from_statuses([status(chat, 9, 1_000), status(tokens, 88_800, 801)]).unwrap();
        assert_eq!(
            policy(answer.statuses()),
            r#""chat";q=60;w=60, "tokens";q=90000;w=60"#
        );
        assert_eq!(allowed(&answer), r#""chat";r=9;t=1, "tokens";r=88800;t=1"#);
        let legacy = Legacy::from(answer.binding());
        assert_eq!(
            (legacy.limit, legacy.remaining, legacy.reset_secs),
            (10, 9, 1)
        );
    }

    #[test]
    fn partition_keys_stand_beside_the_limits_they_are_of() {
        let secret = crate::PartitionSecret::new([1; 16]);
        let chat = Limit::per_minute("chat", 60).unwrap();
        let answer =
            Allowed::from_statuses([status(chat, 9, 1_000), status(chat, 8, 801)]).unwrap();
        let key = secret.of(&chat, &palisade_core::Key::global());
        assert_eq!(
            policy_with(answer.statuses(), [key]),
            format!(r#""chat";q=60;w=60;pk={key}, "chat";q=60;w=60"#)
        );
        assert_eq!(
            allowed_with(&answer, [key, key]),
            format!(r#""chat";r=9;t=1;pk={key}, "chat";r=8;t=1;pk={key}"#)
        );
    }

    #[test]
    fn retry_after_is_never_before_the_end_of_the_window() {
        let chat = Limit::per_minute("chat", 60).unwrap();
        let api = Limit::per_hour("api", 60).unwrap();
        let mut refused = status(chat, 0, 60_000);
        refused.retry_after = Some(RetryAfter::After(Duration::from_millis(1_001)));
        let answer = Denied::from_statuses([refused, status(api, 7, 3_000_000)]).unwrap();
        assert_eq!(retry_after(&answer).as_deref(), Some("2"));
        assert_eq!(denied(&answer), r#""chat";r=0;t=2, "api";r=7;t=2"#);

        refused.retry_after = Some(RetryAfter::Never);
        let answer = Denied::from_statuses([refused]).unwrap();
        assert_eq!(retry_after(&answer), None);
        assert_eq!(denied(&answer), r#""chat";r=0;t=60"#);
    }

    #[test]
    fn a_period_of_no_whole_second_is_told_over_whole_seconds() {
        let fields = |amount, millis| {
            let limit = Limit::new("x", amount, Duration::from_millis(millis)).unwrap();
            policy([&status(limit, 0, 0)])
        };
        assert_eq!(fields(10, 500), r#""x";q=20;w=1"#);
        assert_eq!(fields(3, 1_500), r#""x";q=4;w=2"#);
        let huge = Limit::new("x", u64::from(u32::MAX), Duration::from_nanos(1)).unwrap();
        assert_eq!(
            policy([&status(huge, 0, 0)]),
            r#""x";q=999999999999999;w=1"#
        );
    }
}
