use std::sync::Arc;

use futures_channel::oneshot;
use palisade_core::StoreError;
use rusqlite::Connection;

use crate::{error::Failure, queue::Queue};

/// Something to read: run once, on whichever thread is free.
pub(crate) type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Reads until the queue is closed and empty.
pub(crate) fn work(connection: &Connection, queue: &Arc<Queue<Read>>) {
    while let Some(reads) = queue.take(1) {
        for read in reads {
            read(connection);
        }
    }
}

/// A read with an answer of type `T`. Everything it looks at is of one moment.
pub(crate) fn call<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
) -> (Read, oneshot::Receiver<Result<T, StoreError>>) {
    let (reply, answer) = oneshot::channel();
    let read = move |connection: &Connection| {
        let answer = snapshot(connection, work).map_err(|failure| failure.into_store(doing));
        // Whoever asked may have gone away.
        let _ = reply.send(answer);
    };
    (Box::new(read), answer)
}

fn snapshot<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    connection.prepare_cached("BEGIN")?.execute(())?;
    let answer = work(connection);
    // Nothing was written: whether the end of it works changes no answer, but an open transaction would keep the log.
    let ended = connection.prepare_cached("COMMIT")?.execute(());
    let answer = answer?;
    ended?;
    Ok(answer)
}
