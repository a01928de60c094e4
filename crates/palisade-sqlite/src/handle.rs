use std::{
    fmt,
    future::poll_fn,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    task::Poll,
    thread,
};

use palisade_core::{Health, Probe, Status, StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::{
    Migrations, SqliteConfig, checkpoint,
    connection::{self, Place, Role},
    error::{self, Failure},
    gate::Gate,
    queue::{Queue, Rejected},
    reader::{self, Read},
    writer::{self, Call, Desk, Job, Transaction, Writer},
};

/// One SQLite file, and every port of palisade it can honour.
///
/// Clones share one writer and one set of readers. The work is done on threads of this crate's own, so any async runtime
/// will do, and none is needed; small writes that find the writer free are done where they are asked for (see
/// [`SqliteConfig::with_inline_writes`]).
///
/// When the last handle is dropped, what was accepted is still written, on those threads; a process that is about to end
/// awaits [`close`](Sqlite::close) to be sure.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    config: SqliteConfig,
    writes: Arc<Queue<Box<dyn Job>>>,
    /// Without readers of its own, a store in memory reads where it writes.
    reads: Option<Arc<Queue<Read>>>,
    checkpoints: Arc<Queue<()>>,
    gate: Gate,
    health: Arc<writer::Health>,
    desk: OnceLock<Arc<Desk>>,
    #[cfg(feature = "trace")]
    traces: Arc<crate::trace::Buffer>,
}

impl Sqlite {
    /// Opens the file at `path`, makes it if it is not there, and brings its tables up to date.
    ///
    /// Blocks for as long as that takes, mostly a few milliseconds. Several processes may open one file, also at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: `Corrupt` if the file is no database or its tables are those of another version, `Unwritable` if
    /// it may not be written, `Busy` if another process does not let go of it, `Unavailable` if there is no such place.
    pub fn open(path: impl AsRef<Path>, config: SqliteConfig) -> Result<Self, StoreError> {
        Self::start(Place::File(path.as_ref().to_owned()), config)
    }

    /// A store in this process's memory, gone with the last handle: for tests.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is no memory or no thread to be had.
    pub fn in_memory(config: SqliteConfig) -> Result<Self, StoreError> {
        Self::start(Place::Memory, config)
    }

    /// Writes what was accepted and closes the file. Everything that is asked later, through any clone, is answered
    /// with [`Closed`](StoreErrorKind::Closed).
    ///
    /// # Cancel safety
    ///
    /// Once polled, the closing goes on also if the future is dropped. Awaiting it again waits for the same end.
    pub async fn close(&self) {
        self.shared.shut();
        self.shared.gate.opened().await;
    }

    fn start(place: Place, config: SqliteConfig) -> Result<Self, StoreError> {
        const DOING: &str = "opening a database";
        let mut connection = connection::open(&place, Role::Write, &config)
            .map_err(|error| error::store(error, DOING))?;
        if config.read_only {
            Migrations::check(&connection).map_err(StoreError::from)?;
        } else {
            let now = config.clock.now();
            Migrations::apply(&mut connection, now).map_err(StoreError::from)?;
        }
        let shared = Shared::new(&place, config);
        // Readers first: should one fail to start, no writer is left behind.
        let handle = Self {
            shared: Arc::new(shared),
        };
        handle.start_readers(&place)?;
        handle.start_checkpoints(&place)?;
        handle.start_writer(connection)?;
        Ok(handle)
    }

    fn start_readers(&self, place: &Place) -> Result<(), StoreError> {
        const DOING: &str = "starting a reader";
        let Some(reads) = &self.shared.reads else {
            return Ok(());
        };
        for index in 0..self.shared.config.readers {
            let connection = connection::open(place, Role::Read, &self.shared.config)
                .map_err(|error| error::store(error, DOING))?;
            let (reads, pass) = (Arc::clone(reads), self.shared.gate.pass());
            spawn(format!("palisade-sqlite-read-{index}"), DOING, move || {
                reader::work(&connection, &reads);
                drop(connection);
                drop(pass);
            })?;
        }
        Ok(())
    }

    fn start_checkpoints(&self, place: &Place) -> Result<(), StoreError> {
        const DOING: &str = "starting the checkpoints";
        if self.shared.reads.is_none() || self.shared.config.read_only {
            return Ok(());
        }
        let connection = connection::open(place, Role::Checkpoint, &self.shared.config)
            .map_err(|error| error::store(error, DOING))?;
        let (queue, pass) = (
            Arc::clone(&self.shared.checkpoints),
            self.shared.gate.pass(),
        );
        spawn("palisade-sqlite-log".to_owned(), DOING, move || {
            checkpoint::work(&connection, &queue);
            drop(connection);
            drop(pass);
        })
    }

    fn start_writer(&self, connection: Connection) -> Result<(), StoreError> {
        let writer = Writer::new(
            connection,
            Arc::clone(&self.shared.config.clock),
            Arc::clone(&self.shared.writes),
            Arc::clone(&self.shared.checkpoints),
            Arc::clone(&self.shared.health),
            &self.shared.config,
        );
        let desk = Arc::new(Desk::new(writer));
        // Set once: this is the only start there is.
        let _ = self.shared.desk.set(Arc::clone(&desk));
        let pass = self.shared.gate.pass();
        let name = "palisade-sqlite-write".to_owned();
        spawn(name, "starting the writer", move || {
            desk.work();
            drop(pass);
        })
    }

    pub(crate) fn config(&self) -> &SqliteConfig {
        &self.shared.config
    }

    #[cfg(feature = "trace")]
    pub(crate) fn traces(&self) -> &Arc<crate::trace::Buffer> {
        &self.shared.traces
    }

    /// Has the writer do something and waits for the commit. The work may be asked for twice, if its first transaction
    /// was lost.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnMut(&mut Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (call, mut answer) = Call::new(doing, work);
        let writes = &self.shared.writes;
        let desk = self
            .shared
            .desk
            .get()
            .filter(|_| self.shared.config.writes_inline());
        match desk {
            Some(desk) => {
                writes
                    .push_quietly(Box::new(call))
                    .map_err(|rejected| refused(rejected, doing))?;
                // Whoever leaves now leaves a write behind that somebody must do.
                let left_behind = LeftBehind(writes);
                // Others that are about to write get to say so first, and all of them share one transaction.
                yield_once().await;
                if let Ok(Some(answered)) = answer.try_recv() {
                    return answered;
                }
                desk.lend_a_hand();
                drop(left_behind);
            }
            None => writes
                .push(Box::new(call))
                .map_err(|rejected| refused(rejected, doing))?,
        }
        // Nobody drops an accepted write unanswered, unless its thread has died.
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::new(StoreErrorKind::Closed, doing)))
    }

    /// The same on the writer's own thread and never on this one: for what takes longer than a runtime likes to wait.
    #[cfg(any(feature = "cost", feature = "trace"))]
    pub(crate) async fn hand_over<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnMut(&mut Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (call, answer) = Call::new(doing, work);
        self.shared
            .writes
            .push(Box::new(call))
            .map_err(|rejected| refused(rejected, doing))?;
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::new(StoreErrorKind::Closed, doing)))
    }

    /// Has a reader look something up.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl Fn(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Some(reads) = &self.shared.reads else {
            let work = move |transaction: &mut Transaction<'_>| work(transaction.connection);
            return self.write(doing, work).await;
        };
        let (read, answer) = reader::call(doing, work);
        reads
            .push(read)
            .map_err(|rejected| refused(rejected, doing))?;
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::new(StoreErrorKind::Closed, doing)))
    }
}

impl Shared {
    fn new(place: &Place, config: SqliteConfig) -> Self {
        let writes = Arc::new(Queue::new(config.queue_max));
        let reads = match place {
            Place::File(_) => Some(Arc::new(Queue::new(config.queue_max))),
            Place::Memory => None,
        };
        Self {
            #[cfg(feature = "trace")]
            traces: crate::trace::Buffer::new(&config, Arc::clone(&writes)),
            config,
            writes,
            reads,
            // One that waits is enough: it takes all there is.
            checkpoints: Arc::new(Queue::new(1)),
            gate: Gate::default(),
            health: Arc::default(),
            desk: OnceLock::new(),
        }
    }

    fn shut(&self) {
        // Traces first: what the buffer has taken, it has put into the queue of writes.
        #[cfg(feature = "trace")]
        self.traces.close();
        self.writes.close();
        self.checkpoints.close();
        if let Some(reads) = &self.reads {
            reads.close();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.shut();
    }
}

fn spawn(
    name: String,
    doing: &'static str,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), StoreError> {
    thread::Builder::new()
        .name(name)
        .spawn(work)
        .map(drop)
        .map_err(|error| StoreError::new(StoreErrorKind::Unavailable, doing).with_source(error))
}

/// Wakes the writer's thread for what is in the queue when its caller goes away.
struct LeftBehind<'a>(&'a Queue<Box<dyn Job>>);

impl Drop for LeftBehind<'_> {
    fn drop(&mut self) {
        if self.0.is_waited_for() {
            self.0.wake();
        }
    }
}

/// Lets everybody else who is ready go first, once.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn refused(rejected: Rejected, doing: &'static str) -> StoreError {
    let kind = match rejected {
        Rejected::Full => StoreErrorKind::Busy,
        Rejected::Closed => StoreErrorKind::Closed,
    };
    StoreError::new(kind, doing)
}

/// How the last group of writes went.
impl Probe for Sqlite {
    fn health(&self) -> Health {
        let (status, detail) = match self.shared.health.code() {
            0 => (Status::Up, "the last writes were kept"),
            1 => (Status::Degraded, "another process holds the file"),
            _ => (Status::Down, "the last writes were not kept"),
        };
        Health::new("sqlite", status, detail)
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}

/// A place on disk, for whoever only has the path.
impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(PathBuf::from(path))
    }
}
