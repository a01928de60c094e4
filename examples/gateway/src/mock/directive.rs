//! What a prompt asks the mock to do, besides answering.
//!
//! A directive stands in the prompt itself, so that it passes through any client and any gateway unchanged:
//! `[mock status=503 times=2 id=flaky]`. Values hold no spaces unless they are quoted: `[mock reply="two words"]`.

use std::time::Duration;

/// The longest wait that a directive may ask for.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// What the mock should do with one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directive {
    /// Say this instead of the usual answer.
    pub(crate) reply: Option<String>,
    /// Fail with this HTTP status.
    pub(crate) status: Option<u16>,
    /// Fail only this often (counted per `id`), then answer.
    pub(crate) times: Option<u32>,
    /// Whose failures are counted together.
    pub(crate) id: String,
    /// `Retry-After` of a failure, in seconds.
    pub(crate) retry_after: Option<u32>,
    /// Wait before the first byte.
    pub(crate) latency: Duration,
    /// Wait only this often (counted per `id`).
    pub(crate) late: Option<u32>,
    /// Wait between chunks of a stream.
    pub(crate) pause: Duration,
    /// Break the connection after so many chunks of a stream.
    pub(crate) cut: Option<usize>,
    /// Send a broken event after so many chunks of a stream.
    pub(crate) garbage: Option<usize>,
    /// Call this tool.
    pub(crate) tool: Option<String>,
    /// With these arguments, as JSON text.
    pub(crate) args: Option<String>,
    /// Say a made-up secret of this provider.
    pub(crate) leak: Option<String>,
    /// Leave the usage out of the answer.
    pub(crate) no_usage: bool,
}

impl Directive {
    /// The directive in `prompt`; none of its parts if there is none. Unknown keys and unreadable values are ignored:
    /// this is a test double, and the prompt may be anybody's.
    pub(crate) fn find(prompt: &str) -> Self {
        let mut directive = Self::default();
        let Some(start) = prompt.find("[mock ") else {
            return directive;
        };
        for (key, value) in Pairs(&prompt[start + "[mock ".len()..]) {
            directive.set(key, value);
        }
        directive
    }

    fn set(&mut self, key: &str, value: &str) {
        let wait = || {
            let millis = value.parse().unwrap_or(0);
            Duration::from_millis(millis).min(WAIT_MAX)
        };
        match key {
            "reply" => self.reply = Some(value.to_owned()),
            "status" => {
                self.status = value
                    .parse()
                    .ok()
                    .filter(|status| (400..600).contains(status));
            }
            "times" => self.times = value.parse().ok(),
            "id" => self.id = value.chars().take(64).collect(),
            "retry_after" => self.retry_after = value.parse().ok(),
            "latency_ms" => self.latency = wait(),
            "late" => self.late = value.parse().ok(),
            "pause_ms" => self.pause = wait(),
            "cut" => self.cut = value.parse().ok(),
            "garbage" => self.garbage = value.parse().ok(),
            "tool" => self.tool = Some(value.to_owned()),
            "args" => self.args = Some(value.to_owned()),
            "leak" => self.leak = Some(value.to_owned()),
            "no_usage" => self.no_usage = value == "true",
            _ => {}
        }
    }
}

/// `key=value` pairs up to the closing bracket.
struct Pairs<'a>(&'a str);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start();
        if rest.starts_with(']') {
            return None;
        }
        let (key, rest) = rest.split_once('=')?;
        let (value, rest) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted.split_once('"')?
        } else {
            let end = rest.find([' ', ']'])?;
            rest.split_at(end)
        };
        self.0 = rest;
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_is_found_anywhere_in_a_prompt() {
        let directive = Directive::find(
            "Hello [mock status=503 times=2 id=a reply=\"two words\" latency_ms=250 late=1] and more",
        );
        assert_eq!(directive.status, Some(503));
        assert_eq!(directive.times, Some(2));
        assert_eq!(directive.id, "a");
        assert_eq!(directive.reply.as_deref(), Some("two words"));
        assert_eq!(directive.latency, Duration::from_millis(250));
        assert_eq!(directive.late, Some(1));
    }

    #[test]
    fn whatever_else_a_prompt_holds_is_ignored() {
        for prompt in [
            "",
            "[mock ]",
            "[mock",
            "[mock x",
            "[mock a=\"b",
            "[mock status=999]",
            "[mock q=1]",
        ] {
            assert_eq!(Directive::find(prompt), Directive::default(), "{prompt:?}");
        }
        assert_eq!(
            Directive::find("[mock latency_ms=99999999]").latency,
            WAIT_MAX
        );
    }
}
