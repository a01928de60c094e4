use std::time::Duration;

use palisade_core::Timestamp;

use crate::{retry_after::Asked, when};

/// What an upstream says about its own limits: how much they hold, what is left, when they are full again.
///
/// Providers tell the same in a dozen dialects: OpenAI's `x-ratelimit-reset-tokens: 6m0s`, Anthropic's
/// `anthropic-ratelimit-tokens-reset: 2026-11-20T23:59:59Z`, seconds or milliseconds since the epoch, the IETF fields in
/// their older and newer form. They are read here by one table of names, and one reader of moments.
///
/// It answers two questions: *which* limit said no ([`exhausted`](UpstreamLimits::exhausted)), and what is left for a
/// limiter of ours that wants to slow down before that ([`of`](UpstreamLimits::of)).
///
/// ```
/// use std::time::Duration;
/// use palisade_core::Timestamp;
/// use palisade_resilience::{LimitOf, UpstreamLimits};
///
/// let limits = UpstreamLimits::default()
///     .with_header("x-ratelimit-remaining-requests", b"59")
///     .with_header("x-ratelimit-remaining-tokens", b"0")
///     .with_header("x-ratelimit-reset-tokens", b"6m0s");
/// let now = Timestamp::UNIX_EPOCH;
/// assert_eq!(limits.of(LimitOf::Requests, now).remaining, Some(59));
/// let (which, wait) = limits.exhausted(now).unwrap();
/// assert_eq!((which, wait), (LimitOf::Tokens, Some(Duration::from_secs(360))));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpstreamLimits {
    rows: [Row; LimitOf::ALL.len()],
}

/// What a limit of an upstream counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitOf {
    /// Requests.
    Requests,
    /// Tokens, of prompt and answer together.
    Tokens,
    /// Tokens of the prompt.
    InputTokens,
    /// Tokens of the answer.
    OutputTokens,
    /// The upstream does not say.
    Unnamed,
}

/// One limit of an upstream, as far as it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamLimit {
    /// How much it holds when full.
    pub limit: Option<u64>,
    /// What is left.
    pub remaining: Option<u64>,
    /// How long until it is full, or its window ends.
    pub resets_in: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Row {
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<Asked>,
}

#[derive(Clone, Copy)]
enum Part {
    Limit,
    Remaining,
    Reset,
}

impl LimitOf {
    /// Every one, in order of declaration.
    pub const ALL: [Self; 5] = [
        Self::Requests,
        Self::Tokens,
        Self::InputTokens,
        Self::OutputTokens,
        Self::Unnamed,
    ];

    /// A stable name, for the [`policy`](crate::Failure::policy) of a failure and the label of a metric.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "upstream-requests",
            Self::Tokens => "upstream-tokens",
            Self::InputTokens => "upstream-input-tokens",
            Self::OutputTokens => "upstream-output-tokens",
            Self::Unnamed => "upstream-limit",
        }
    }
}

impl UpstreamLimits {
    /// The names of the fields that are read, in lower case.
    pub fn fields() -> impl Iterator<Item = &'static str> {
        let ietf = ["ratelimit", "x-ratelimit"];
        NAMES.iter().map(|(name, ..)| *name).chain(ietf)
    }

    /// The same with a field of a header. Other fields, and values that make no sense, change nothing.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &[u8]) -> Self {
        self.read(name, value);
        self
    }

    /// What is known of one limit at `now`, which is compared with the dates.
    #[must_use]
    pub fn of(&self, which: LimitOf, now: Timestamp) -> UpstreamLimit {
        let row = self.rows[which as usize];
        UpstreamLimit {
            limit: row.limit,
            remaining: row.remaining,
            resets_in: row.reset.map(|reset| reset.from(now)),
        }
    }

    /// The limit that is used up, and how long until it is reset if that was told. Of several, the one that takes longest.
    ///
    /// A limit of which only the reset is told counts as used up where nothing else is said to be: that is what some send
    /// with a refusal.
    #[must_use]
    pub fn exhausted(&self, now: Timestamp) -> Option<(LimitOf, Option<Duration>)> {
        let longest = |used_up: fn(&Row) -> bool| {
            LimitOf::ALL
                .into_iter()
                .filter(|which| used_up(&self.rows[*which as usize]))
                .map(|which| (which, self.of(which, now).resets_in))
                .max_by_key(|(_, wait)| *wait)
        };
        longest(|row| row.remaining == Some(0))
            .or_else(|| longest(|row| row.remaining.is_none() && row.reset.is_some()))
    }

    /// Whether nothing was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Notes a field if it is one of them, and says whether its name is.
    pub(crate) fn read(&mut self, name: &str, value: &[u8]) -> bool {
        if !(3..=64).contains(&name.len()) {
            return false;
        }
        let mut lower = [0; 64];
        let lower = &mut lower[..name.len()];
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        let lower = &*lower;
        if lower == b"ratelimit" || lower == b"x-ratelimit" {
            self.read_ietf(value);
            return true;
        }
        let Some(&(_, which, part)) = NAMES.iter().find(|(name, ..)| name.as_bytes() == lower)
        else {
            return false;
        };
        let row = &mut self.rows[which as usize];
        match part {
            Part::Limit => row.limit = quantity(value).or(row.limit),
            Part::Remaining => row.remaining = quantity(value).or(row.remaining),
            Part::Reset => row.reset = when::reset(value).or(row.reset),
        }
        true
    }

    /// `"minute";r=0;t=30, "day";r=90;t=7000` of the newer IETF drafts, and
    /// `limit=100, remaining=0, reset=30` of the older ones. Of several policies the one with the least left is kept, and
    /// of those the one that takes longest.
    fn read_ietf(&mut self, value: &[u8]) {
        let Some(text) = (value.len() <= 1_024)
            .then(|| std::str::from_utf8(value).ok())
            .flatten()
        else {
            return;
        };
        let mut old = Row::default();
        for item in text.split(',').take(16) {
            let mut parameters = item.split(';').map(str::trim_ascii);
            let name = parameters.next().unwrap_or_default();
            if let Some((key, number)) = name.split_once('=') {
                match key.trim_ascii() {
                    "limit" => old.limit = quantity(number.as_bytes()),
                    "remaining" => old.remaining = quantity(number.as_bytes()),
                    "reset" => old.reset = seconds(number),
                    _ => {}
                }
                continue;
            }
            let mut row = Row::default();
            for parameter in parameters {
                match parameter.split_once('=') {
                    Some(("r", number)) => row.remaining = quantity(number.as_bytes()),
                    Some(("t", number)) => row.reset = seconds(number),
                    _ => {}
                }
            }
            self.keep_tighter(named(name), row);
        }
        self.keep_tighter(LimitOf::Unnamed, old);
    }

    fn keep_tighter(&mut self, which: LimitOf, new: Row) {
        if new == Row::default() {
            return;
        }
        let row = &mut self.rows[which as usize];
        let left = |row: &Row| row.remaining.unwrap_or(u64::MAX);
        let wait = |row: &Row| row.reset.map(|reset| reset.from(Timestamp::UNIX_EPOCH));
        if *row == Row::default()
            || left(&new) < left(row)
            || (left(&new) == left(row) && wait(&new) > wait(row))
        {
            *row = new;
        }
    }
}

/// What a policy counts, as far as its name says so.
pub(crate) fn named(name: &str) -> LimitOf {
    let has = |word: &str| {
        name.as_bytes()
            .windows(word.len())
            .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    };
    match (has("token"), has("input"), has("output")) {
        (true, true, _) => LimitOf::InputTokens,
        (true, _, true) => LimitOf::OutputTokens,
        (true, false, false) => LimitOf::Tokens,
        (false, ..) if has("request") => LimitOf::Requests,
        (false, ..) => LimitOf::Unnamed,
    }
}

/// A whole number. Less than nothing is nothing; older drafts append `, 100;w=60` to a limit, of which the first counts.
fn quantity(value: &[u8]) -> Option<u64> {
    let text = crate::retry_after::short_text(value)?;
    let first = text.split([',', ';']).next()?.trim_ascii();
    let (negative, digits) = match first.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, first),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(if negative {
        0
    } else {
        digits.parse().unwrap_or(u64::MAX)
    })
}

/// Seconds from now: the only form the IETF fields have.
fn seconds(text: &str) -> Option<Asked> {
    crate::retry_after::decimal_seconds(text.trim_ascii(), 1_000_000_000).map(Asked::Wait)
}

/// Every name that is known, in lower case, and what it tells.
#[rustfmt::skip]
const NAMES: &[(&str, LimitOf, Part)] = &[
    // OpenAI, Azure, Groq, Together, xAI and others
    ("x-ratelimit-limit-requests",       LimitOf::Requests,     Part::Limit),
    ("x-ratelimit-remaining-requests",   LimitOf::Requests,     Part::Remaining),
    ("x-ratelimit-reset-requests",       LimitOf::Requests,     Part::Reset),
    ("x-ratelimit-limit-tokens",         LimitOf::Tokens,       Part::Limit),
    ("x-ratelimit-remaining-tokens",     LimitOf::Tokens,       Part::Remaining),
    ("x-ratelimit-reset-tokens",         LimitOf::Tokens,       Part::Reset),
    ("x-ratelimit-limit-input-tokens",       LimitOf::InputTokens,  Part::Limit),
    ("x-ratelimit-remaining-input-tokens",   LimitOf::InputTokens,  Part::Remaining),
    ("x-ratelimit-reset-input-tokens",       LimitOf::InputTokens,  Part::Reset),
    ("x-ratelimit-limit-output-tokens",      LimitOf::OutputTokens, Part::Limit),
    ("x-ratelimit-remaining-output-tokens",  LimitOf::OutputTokens, Part::Remaining),
    ("x-ratelimit-reset-output-tokens",      LimitOf::OutputTokens, Part::Reset),
    // Anthropic
    ("anthropic-ratelimit-requests-limit",          LimitOf::Requests,     Part::Limit),
    ("anthropic-ratelimit-requests-remaining",      LimitOf::Requests,     Part::Remaining),
    ("anthropic-ratelimit-requests-reset",          LimitOf::Requests,     Part::Reset),
    ("anthropic-ratelimit-tokens-limit",            LimitOf::Tokens,       Part::Limit),
    ("anthropic-ratelimit-tokens-remaining",        LimitOf::Tokens,       Part::Remaining),
    ("anthropic-ratelimit-tokens-reset",            LimitOf::Tokens,       Part::Reset),
    ("anthropic-ratelimit-input-tokens-limit",      LimitOf::InputTokens,  Part::Limit),
    ("anthropic-ratelimit-input-tokens-remaining",  LimitOf::InputTokens,  Part::Remaining),
    ("anthropic-ratelimit-input-tokens-reset",      LimitOf::InputTokens,  Part::Reset),
    ("anthropic-ratelimit-output-tokens-limit",     LimitOf::OutputTokens, Part::Limit),
    ("anthropic-ratelimit-output-tokens-remaining", LimitOf::OutputTokens, Part::Remaining),
    ("anthropic-ratelimit-output-tokens-reset",     LimitOf::OutputTokens, Part::Reset),
    ("anthropic-ratelimit-unified-reset",           LimitOf::Unnamed,      Part::Reset),
    // Those who count one thing: OpenRouter and GitHub (since the epoch), older drafts of the IETF (seconds)
    ("x-ratelimit-limit",        LimitOf::Unnamed, Part::Limit),
    ("x-ratelimit-remaining",    LimitOf::Unnamed, Part::Remaining),
    ("x-ratelimit-reset",        LimitOf::Unnamed, Part::Reset),
    ("x-ratelimit-reset-after",  LimitOf::Unnamed, Part::Reset),
    ("x-rate-limit-limit",       LimitOf::Unnamed, Part::Limit),
    ("x-rate-limit-remaining",   LimitOf::Unnamed, Part::Remaining),
    ("x-rate-limit-reset",       LimitOf::Unnamed, Part::Reset),
    ("ratelimit-limit",          LimitOf::Unnamed, Part::Limit),
    ("ratelimit-remaining",      LimitOf::Unnamed, Part::Remaining),
    ("ratelimit-reset",          LimitOf::Unnamed, Part::Reset),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20T00:00:00Z.
    const NOW: Timestamp = Timestamp::from_secs(1_795_132_800);

    fn exhausted(fields: &[(&str, &str)]) -> Option<(LimitOf, Option<u64>)> {
        let limits = fields
            .iter()
            .fold(UpstreamLimits::default(), |limits, (name, value)| {
                limits.with_header(name, value.as_bytes())
            });
        let (which, wait) = limits.exhausted(NOW)?;
        Some((which, wait.map(|wait| wait.as_secs())))
    }

    #[test]
    #[rustfmt::skip]
    fn every_dialect_says_which_limit_and_for_how_long() {
        use LimitOf::{InputTokens, Requests, Tokens, Unnamed};
        for (fields, expected) in [
            // OpenAI
            (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6m0s"),
               ("x-ratelimit-remaining-tokens", "149984"), ("x-ratelimit-reset-tokens", "1h")][..], Some((Requests, Some(360)))),
            // Groq: both are used up, and the longer wait counts
            (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "7.66s"),
               ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "2m59.56s")], Some((Tokens, Some(179)))),
            // Anthropic
            (&[("Anthropic-RateLimit-Input-Tokens-Remaining", "0"),
               ("anthropic-ratelimit-input-tokens-reset", "2026-11-20T00:00:30Z"),
               ("anthropic-ratelimit-requests-remaining", "12"),
               ("anthropic-ratelimit-requests-reset", "2026-11-20T01:00:00Z")], Some((InputTokens, Some(30)))),
            (&[("anthropic-ratelimit-unified-reset", "1795132860")], Some((Unnamed, Some(60)))),
            // Milliseconds and seconds since the epoch
            (&[("X-RateLimit-Limit", "20"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1795132860000")], Some((Unnamed, Some(60)))),
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795132860")], Some((Unnamed, Some(60)))),
            // The IETF fields, newest first
            (&[("RateLimit", r#""minute";r=0;t=30, "day";r=90;t=7000"#)], Some((Unnamed, Some(30)))),
            (&[("RateLimit", r#""tokens-per-minute";r=0;t=30, "requests";r=0;t=7"#)], Some((Tokens, Some(30)))),
            (&[("RateLimit", "default;r=0;t=9")], Some((Unnamed, Some(9)))),
            (&[("RateLimit", "limit=100, remaining=0, reset=8")], Some((Unnamed, Some(8)))),
            (&[("RateLimit-Limit", "100, 100;w=60"), ("RateLimit-Remaining", "0"), ("RateLimit-Reset", "7")], Some((Unnamed, Some(7)))),
            // Used up, without a word on how long
            (&[("x-ratelimit-remaining-requests", "-1")], Some((Requests, None))),
            // Nothing is used up, and nothing is told
            (&[("x-ratelimit-remaining-requests", "5"), ("x-ratelimit-reset-requests", "6m0s")], None),
            (&[("x-request-id", "0"), ("x-ratelimit-remaining-requests", "none"), ("ratelimit", "\u{fffd}")], None),
        ] {
            assert_eq!(exhausted(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn what_is_left_is_told_before_it_is_used_up() {
        let limits = UpstreamLimits::default()
            .with_header("x-ratelimit-limit-tokens", b"150000")
            .with_header("x-ratelimit-remaining-tokens", b"149984")
            .with_header(
                "anthropic-ratelimit-requests-reset",
                b"2026-11-20T00:00:30Z",
            );
        let tokens = limits.of(LimitOf::Tokens, NOW);
        assert_eq!(
            (tokens.limit, tokens.remaining),
            (Some(150_000), Some(149_984))
        );
        let requests = limits.of(LimitOf::Requests, NOW);
        assert_eq!(requests.resets_in, Some(Duration::from_secs(30)));
        assert!(UpstreamLimits::default().is_empty());
    }

    #[test]
    fn the_names_are_in_lower_case_and_fit() {
        for (name, ..) in NAMES {
            assert!(name.len() <= 64 && name.bytes().all(|byte| !byte.is_ascii_uppercase()));
        }
    }
}
