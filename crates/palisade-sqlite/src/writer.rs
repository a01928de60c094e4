use std::{
    sync::{
        Arc, Mutex, PoisonError, TryLockError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use futures_channel::oneshot;
use palisade_core::{Clock, StoreError, StoreErrorKind, Timestamp};
use rusqlite::Connection;

use crate::{
    SqliteConfig, checkpoint,
    error::{Failure, Trouble, kind},
    queue::Queue,
};

/// The most writes in one transaction.
const GROUP_MAX: usize = 256;
/// The most writes that a caller does on its own thread.
const INLINE_MAX: usize = 32;

/// The one connection that writes.
///
/// SQLite has one writer at a time, whoever it is; callers that each open a transaction wait for one another, and for
/// the disk, one by one. So callers queue up instead, and all who wait share one transaction: the more there are, the
/// less each of them costs. One that fails does not take the others with it.
pub(crate) struct Writer {
    connection: Connection,
    clock: Arc<dyn Clock>,
    queue: Arc<Queue<Box<dyn Job>>>,
    checkpoints: Arc<Queue<()>>,
    health: Arc<Health>,
    scratch: Scratch,
    begin: &'static str,
    busy_timeout: Duration,
    /// The transaction of the next group has begun.
    begun: bool,
    /// How many rows had changed when a checkpoint was last asked for.
    checkpointed: u64,
}

/// The writer, and whoever is at it: its thread, or a caller who found it free.
///
/// Handing a write to the thread and its answer back wakes two threads, which costs as much as a small write itself. So a
/// caller who finds the writer free writes on its own thread, what others have put into the queue meanwhile included; one
/// who finds it taken leaves the write in the queue and waits. Whoever lets go of the writer looks whether something was
/// left, and wakes its thread for it. Before it looks, a caller lets the other tasks of its runtime go first, once: those
/// that are about to write then share its transaction. So a lone caller pays for no hand-over, and under load groups form
/// as before.
pub(crate) struct Desk {
    writer: Mutex<Option<Writer>>,
    queue: Arc<Queue<Box<dyn Job>>>,
}

impl Desk {
    pub(crate) fn new(writer: Writer) -> Self {
        let queue = Arc::clone(&writer.queue);
        Self {
            writer: Mutex::new(Some(writer)),
            queue,
        }
    }

    /// The thread's work: until the queue is closed and empty.
    pub(crate) fn work(&self) {
        while let Some(jobs) = self.queue.take(GROUP_MAX) {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(writer) = &mut *writer {
                writer.group(jobs);
                writer.checkpoint();
            }
        }
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            // Closing the last connection brings the log back into the file. If that fails, the next to open it does it.
            let _ = writer.connection.close();
        }
    }

    /// A caller's work, after it has put a write into the queue: does it here if the writer is free.
    pub(crate) fn lend_a_hand(&self) {
        let mut writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Whoever has it looks into the queue before it rests.
            Err(TryLockError::WouldBlock) => return,
        };
        if let Some(writer) = &mut *writer {
            let jobs = self.queue.take_now(INLINE_MAX);
            if !jobs.is_empty() {
                if let Err(jobs) = writer.group_without_waiting(jobs) {
                    self.queue.put_back(jobs);
                }
                writer.checkpoint();
            }
        }
        drop(writer);
        if self.queue.is_waited_for() {
            self.queue.wake();
        }
    }
}

/// One write: what it does, and who waits for the answer.
pub(crate) trait Job: Send {
    /// Does it, inside a transaction, and keeps the answer. It may be asked again if the transaction was lost.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Done;

    /// Gives the kept answer, or says that there is none because the transaction was lost.
    fn answer(self: Box<Self>, lost: Option<&Trouble>);
}

/// Whether what a job wrote is to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Keep,
    /// It failed; with a kind, because the store is in trouble.
    Undo(Option<StoreErrorKind>),
}

/// What a job sees.
pub(crate) struct Transaction<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) scratch: &'a mut Scratch,
    clock: &'a dyn Clock,
}

impl Transaction<'_> {
    /// The store's time. Read inside the transaction, so that decisions are made in the order of their times.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What the writer remembers between jobs; all of it can be forgotten.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    #[cfg(feature = "quota")]
    pub(crate) quota: crate::quota::Scratch,
    #[cfg(feature = "rate-limit")]
    pub(crate) rate_limit: crate::rate_limit::Scratch,
}

/// How the last group of writes ended, for whoever asks how the store is.
#[derive(Debug, Default)]
pub(crate) struct Health(AtomicU8);

impl Health {
    fn note(&self, trouble: Option<StoreErrorKind>) {
        let code = match trouble {
            None => 0,
            Some(StoreErrorKind::Busy | StoreErrorKind::Timeout) => 1,
            Some(_) => 2,
        };
        self.0.store(code, Ordering::Relaxed);
    }

    pub(crate) fn code(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        clock: Arc<dyn Clock>,
        queue: Arc<Queue<Box<dyn Job>>>,
        checkpoints: Arc<Queue<()>>,
        health: Arc<Health>,
        config: &SqliteConfig,
    ) -> Self {
        Self {
            // The lock of the writer at once: one that is taken later, in the midst, may fail instead of waiting.
            begin: if config.read_only {
                "BEGIN"
            } else {
                "BEGIN IMMEDIATE"
            },
            connection,
            clock,
            queue,
            checkpoints,
            health,
            scratch: Scratch::default(),
            busy_timeout: config.busy_timeout,
            begun: false,
            checkpointed: 0,
        }
    }

    /// Has the log brought back into the file when enough has changed.
    fn checkpoint(&mut self) {
        let changes = self.connection.total_changes();
        if changes - self.checkpointed >= checkpoint::EVERY_CHANGES {
            self.checkpointed = changes;
            // If one waits already, it will do.
            let _ = self.checkpoints.push(());
        }
    }

    /// A group, unless another process holds the file: then the jobs come back, for somebody who may wait.
    fn group_without_waiting(&mut self, jobs: Vec<Box<dyn Job>>) -> Result<(), Vec<Box<dyn Job>>> {
        if self.connection.busy_timeout(Duration::ZERO).is_err() {
            return Err(jobs);
        }
        let begun = self.execute(self.begin);
        // The same setting as when it was opened, so it is as good now as then.
        let _ = self.connection.busy_timeout(self.busy_timeout);
        if begun.is_err() {
            return Err(jobs);
        }
        self.begun = true;
        self.group(jobs);
        Ok(())
    }

    fn group(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let mut outcome = self.attempt(&mut jobs, false);
        if matches!(outcome, Err(Lost::Spoiled)) {
            outcome = self.attempt(&mut jobs, true);
        }
        self.health.note(match &outcome {
            Ok(trouble) => *trouble,
            Err(Lost::AtOnce(trouble) | Lost::InMidst(trouble)) => Some(trouble.kind()),
            Err(Lost::Spoiled) => None,
        });
        match outcome {
            // Perhaps one of them was to blame: a row that no longer fits takes the whole transaction with it.
            Err(Lost::InMidst(_)) if jobs.len() > 1 => {
                for job in jobs {
                    self.group(vec![job]);
                }
            }
            Err(Lost::AtOnce(trouble) | Lost::InMidst(trouble)) => {
                for job in jobs {
                    job.answer(Some(&trouble));
                }
            }
            Ok(_) | Err(Lost::Spoiled) => {
                for job in jobs {
                    job.answer(None);
                }
            }
        }
    }

    /// All jobs in one transaction. An error means that none of them has done anything; otherwise each has, or has
    /// failed by itself, and the worst trouble of those is returned.
    ///
    /// A savepoint for each job costs a tenth of the time, and a job that fails has hardly ever written before. So the
    /// first attempt does without, and if one has, all of them are done again `guarded`.
    fn attempt(
        &mut self,
        jobs: &mut [Box<dyn Job>],
        guarded: bool,
    ) -> Result<Option<StoreErrorKind>, Lost> {
        if !std::mem::take(&mut self.begun) {
            // A job that panicked on its caller's thread has left its transaction open.
            if !self.connection.is_autocommit() {
                let _ = self.execute("ROLLBACK");
            }
            self.execute(self.begin).map_err(Lost::AtOnce)?;
        }
        let mut trouble = None;
        for job in jobs {
            if guarded {
                self.step("SAVEPOINT job")?;
            }
            let before = self.connection.total_changes();
            let mut transaction = Transaction {
                connection: &self.connection,
                scratch: &mut self.scratch,
                clock: &*self.clock,
            };
            let done = job.run(&mut transaction);
            // Some errors (a full disk, damage) undo everything, and SQLite says so in this way only.
            if self.connection.is_autocommit() {
                return Err(Lost::InMidst(Trouble::undone()));
            }
            if let Done::Undo(kind) = done {
                trouble = trouble.or(kind);
                if guarded {
                    self.step("ROLLBACK TO job")?;
                } else if self.connection.total_changes() != before {
                    self.step("ROLLBACK")?;
                    return Err(Lost::Spoiled);
                }
            }
            if guarded {
                self.step("RELEASE job")?;
            }
        }
        self.step("COMMIT")?;
        Ok(trouble)
    }

    fn step(&self, sql: &str) -> Result<(), Lost> {
        self.execute(sql).map_err(|trouble| self.lose(trouble))
    }

    fn lose(&self, trouble: Trouble) -> Lost {
        if !self.connection.is_autocommit() {
            // If even this fails, the connection is beyond use and every later transaction says so.
            let _ = self.execute("ROLLBACK");
        }
        Lost::InMidst(trouble)
    }

    fn execute(&self, sql: &str) -> Result<(), Trouble> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(()))
            .map(drop)
            .map_err(|error| Trouble::of(&error))
    }
}

/// A transaction of which nothing is left.
enum Lost {
    /// It did not begin.
    AtOnce(Trouble),
    /// It ended before its end.
    InMidst(Trouble),
    /// A job failed after it had written, and only a savepoint could have kept the others.
    Spoiled,
}

/// A write with an answer of type `T`.
pub(crate) struct Call<T, F> {
    doing: &'static str,
    work: F,
    result: Option<Result<T, Failure>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Call<T, F>
where
    T: Send,
    F: FnMut(&mut Transaction<'_>) -> Result<T, Failure> + Send,
{
    pub(crate) fn new(
        doing: &'static str,
        work: F,
    ) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        let call = Self {
            doing,
            work,
            result: None,
            reply,
        };
        (call, answer)
    }
}

impl<T, F> Job for Call<T, F>
where
    T: Send,
    F: FnMut(&mut Transaction<'_>) -> Result<T, Failure> + Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Done {
        let result = self.result.insert((self.work)(transaction));
        match result {
            Ok(_) => Done::Keep,
            Err(Failure::Sqlite(error)) => Done::Undo(Some(kind(error))),
            Err(Failure::Store(_)) => Done::Undo(None),
        }
    }

    fn answer(self: Box<Self>, lost: Option<&Trouble>) {
        let answer = match (self.result, lost) {
            // A job's own trouble says more than the loss it caused.
            (Some(Err(failure)), _) => Err(failure.into_store(self.doing)),
            (_, Some(trouble)) => Err(trouble.error(self.doing)),
            (Some(Ok(value)), None) => Ok(value),
            // Every job of a transaction that was not lost has run.
            (None, None) => Err(StoreError::new(StoreErrorKind::Unavailable, self.doing)),
        };
        // Whoever asked may have gone away; the write stands.
        let _ = self.reply.send(answer);
    }
}
