use rusqlite::Connection;

use crate::queue::Queue;

/// How many changed rows make it worth bringing the log back into the file. A page that changes in every transaction is
/// written to the file once for all of them, so more is cheaper; and the log they make, some 10 MiB, is read again when
/// the file is opened after a crash.
pub(crate) const EVERY_CHANGES: u64 = 20_000;

/// Brings the log back into the file whenever asked to, until the queue is closed.
///
/// Left to itself SQLite does this within a commit, which then waits for the disk, and with it everybody in the queue.
/// On a thread and a connection of its own it stands in nobody's way. Under writes without a pause the log may still grow;
/// from a size on, the writer does it after all.
pub(crate) fn work(connection: &Connection, queue: &Queue<()>) {
    while queue.take(1).is_some() {
        // Busy or full: the next time will do, and a lasting trouble shows in the writer's own work.
        let _ = connection
            .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
            .and_then(|mut statement| statement.query_row((), |_| Ok(())));
    }
}
