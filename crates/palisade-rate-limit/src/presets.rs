//! Limits to start from, as data. Each is for one key; choose the key to fit (user, project, address).
//!
//! | preset | how much | of what kind | key it is made for |
//! |---|---|---|---|
//! | [`CHAT`] | 60 a minute, 10 at once | bucket | user |
//! | [`EXECUTE`] | 30 a minute, 5 at once | bucket | user |
//! | [`WEBHOOK`] | 100 a minute, 20 at once | bucket | caller |
//! | [`API`] | 100 a minute, 20 at once | bucket | API key |
//! | [`SLIDING_CHAT`] | 20 in any minute | log | user |
//! | [`BOT_CREATION`] | 10 in any hour | log | user |
//! | [`ORCHESTRATOR`] | 30 in any minute | log | project |
//! | [`GLOBAL`] | 100 in any minute | log | everybody |
//! | [`PER_ADDRESS`] | 100 in any 15 minutes | sliding window | network address |
//! | [`PER_SESSION`] | 20 in any minute | sliding window | session |
//! | [`HOURLY`] | 50 in any hour | sliding window | user |
//! | [`QUEUED`] | 60 a minute, one by one | bucket | client that [waits](crate::Queue) |

use crate::{Algorithm, Limit};

/// Conversations: 60 a minute, 10 at once.
pub const CHAT: Limit = per_minute("chat", 60, 10);
/// Runs of code or tools: 30 a minute, 5 at once.
pub const EXECUTE: Limit = per_minute("execute", 30, 5);
/// Calls from other services: 100 a minute, 20 at once.
pub const WEBHOOK: Limit = per_minute("webhook", 100, 20);
/// Everything else: 100 a minute, 20 at once.
pub const API: Limit = per_minute("api", 100, 20);
/// Conversations, where no minute may see more than 20.
pub const SLIDING_CHAT: Limit = window("sliding-chat", 20, 60, Algorithm::SlidingLog);
/// New bots: 10 in any hour.
pub const BOT_CREATION: Limit = window("bot-creation", 10, 3_600, Algorithm::SlidingLog);
/// Calls to an orchestrator: 30 in any minute.
pub const ORCHESTRATOR: Limit = window("orchestrator", 30, 60, Algorithm::SlidingLog);
/// Everybody together: 100 in any minute.
pub const GLOBAL: Limit = window("global", 100, 60, Algorithm::SlidingLog);
/// A network address: 100 in any 15 minutes.
pub const PER_ADDRESS: Limit = window("per-address", 100, 900, Algorithm::SlidingWindow);
/// A session: 20 in any minute.
pub const PER_SESSION: Limit = window("per-session", 20, 60, Algorithm::SlidingWindow);
/// A user: 50 in any hour.
pub const HOURLY: Limit = window("hourly", 50, 3_600, Algorithm::SlidingWindow);
/// A client that waits for its turn: 60 a minute, one a second.
pub const QUEUED: Limit = per_minute("queued", 60, 1);
/// All of them.
pub const ALL: [Limit; 12] = [
    CHAT,
    EXECUTE,
    WEBHOOK,
    API,
    SLIDING_CHAT,
    BOT_CREATION,
    ORCHESTRATOR,
    GLOBAL,
    PER_ADDRESS,
    PER_SESSION,
    HOURLY,
    QUEUED,
];

/// The preset of this name.
#[must_use]
pub fn named(name: &str) -> Option<Limit> {
    ALL.into_iter().find(|limit| limit.name() == name)
}

/// Evaluated by the compiler: a preset that is no valid limit does not build.
const fn per_minute(name: &str, amount: u64, burst: u64) -> Limit {
    match Limit::checked(name, amount, 60_000_000_000, burst) {
        Ok(limit) => limit,
        Err(_) => panic!("a preset is a valid limit"),
    }
}

/// The same for windows, of so many seconds.
const fn window(name: &str, amount: u64, seconds: u64, algorithm: Algorithm) -> Limit {
    match Limit::plain(name, amount, seconds * 1_000_000_000, algorithm) {
        Ok(limit) => limit,
        Err(_) => panic!("a preset is a valid limit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_found_by_its_own_name() {
        for limit in ALL {
            assert_eq!(named(limit.name()), Some(limit));
        }
        assert_eq!(named("chat "), None);
    }
}
