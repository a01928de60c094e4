//! Limits to start from, as data. Each is for one key; choose the key to fit (user, project, address).

use crate::Limit;

/// Conversations: 60 a minute, 10 at once.
pub const CHAT: Limit = per_minute("chat", 60, 10);
/// Runs of code or tools: 30 a minute, 5 at once.
pub const EXECUTE: Limit = per_minute("execute", 30, 5);
/// Calls from other services: 100 a minute, 20 at once.
pub const WEBHOOK: Limit = per_minute("webhook", 100, 20);
/// Everything else: 100 a minute, 20 at once.
pub const API: Limit = per_minute("api", 100, 20);
/// All of them.
pub const ALL: [Limit; 4] = [CHAT, EXECUTE, WEBHOOK, API];

/// Evaluated by the compiler: a preset that is no valid limit does not build.
const fn per_minute(name: &str, amount: u64, burst: u64) -> Limit {
    match Limit::checked(name, amount, 60_000_000_000, burst) {
        Ok(limit) => limit,
        Err(_) => panic!("a preset is a valid limit"),
    }
}
