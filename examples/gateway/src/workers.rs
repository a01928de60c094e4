//! The threads that serve connections.
//!
//! Each has a runtime of its own and keeps a connection from its first byte to its last, the calls to the providers
//! included. A request then wakes no other thread on its way, which costs more than most guards do; what the threads share
//! are the tables and books of the guards, which are made for it. New connections go to the thread with the fewest.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tower::ServiceExt as _;

use crate::{
    linger,
    listen::{Connection, Limits},
};

/// All of them. When this is dropped they stop as if they had been told to.
pub(crate) struct Workers(Vec<Worker>);

struct Worker {
    /// What waits here has a place, and the places are limited.
    queue: mpsc::UnboundedSender<Connection>,
    load: Arc<AtomicUsize>,
    ended: oneshot::Receiver<()>,
}

impl Workers {
    /// One for each of `routes`.
    pub(crate) fn start(routes: Vec<Router>, limits: Limits) -> io::Result<Self> {
        let start = |(index, routes)| Worker::start(index, routes, limits);
        routes
            .into_iter()
            .enumerate()
            .map(start)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Gives a connection to the one that has the fewest.
    ///
    /// # Errors
    ///
    /// If none is left.
    pub(crate) fn hand(&mut self, mut connection: Connection) -> io::Result<()> {
        loop {
            let least = self.0.iter().enumerate();
            let least = least.min_by_key(|(_, worker)| worker.load.load(Ordering::Relaxed));
            let Some((index, worker)) = least else {
                return Err(io::Error::other("no thread is left that serves"));
            };
            worker.load.fetch_add(1, Ordering::Relaxed);
            match worker.queue.send(connection) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::SendError(back)) => {
                    tracing::error!("a thread that served connections is gone");
                    connection = back;
                    self.0.swap_remove(index);
                }
            }
        }
    }

    /// Tells them to stop, and waits until they have.
    pub(crate) async fn stop(self) {
        let ending: Vec<_> = self.0.into_iter().map(|worker| worker.ended).collect();
        for ended in ending {
            // One that fell apart has ended too.
            let _ = ended.await;
        }
    }
}

impl Worker {
    fn start(index: usize, routes: Router, limits: Limits) -> io::Result<Self> {
        let (queue, connections) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let load = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let counted = Arc::clone(&load);
        thread::Builder::new()
            .name(format!("gateway-{index}"))
            .spawn(move || {
                runtime.block_on(work(connections, routes, limits, &counted));
                // With it fall the connections to the providers.
                drop(runtime);
                // Nobody waits if nobody stopped us.
                let _ = end.send(());
            })?;
        Ok(Self { queue, load, ended })
    }
}

/// Serves what comes until nothing more can, then lets answers end.
async fn work(
    mut queue: mpsc::UnboundedReceiver<Connection>,
    routes: Router,
    limits: Limits,
    load: &Arc<AtomicUsize>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    while let Some(Connection { stream, place }) = queue.recv().await {
        // Those that have ended leave nothing to be done but to be forgotten.
        while connections.try_join_next().is_some() {}
        let taken = Taken(Arc::clone(load));
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                continue;
            }
        };
        let routes = routes.clone();
        let service = service_fn(move |request| {
            let routes = routes.clone();
            async move {
                let (request, unread) = linger::lend(request);
                let response = routes.oneshot(request).await?;
                Ok::<_, Infallible>(unread.clear(response).await)
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop((place, taken));
        });
    }
    drop(routes);
    if tokio::time::timeout(limits.grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(grace = ?limits.grace, "answers did not end in time and are cut off");
    }
    connections.shutdown().await;
}

/// A connection among those of a thread.
struct Taken(Arc<AtomicUsize>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream as Client},
        sync::watch,
    };

    use super::*;
    use crate::{config::Config, listen};

    /// Which thread answers.
    async fn ask(client: &mut Client) -> String {
        let request = b"GET / HTTP/1.1\r\nhost: gateway\r\n\r\n";
        client.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"!") {
            assert_ne!(client.read_buf(&mut answer).await.unwrap(), 0);
        }
        let answer = String::from_utf8(answer).unwrap();
        answer.rsplit("\r\n").next().unwrap().to_owned()
    }

    async fn thread_name() -> String {
        format!("{}!", thread::current().name().unwrap_or_default())
    }

    #[tokio::test]
    async fn connections_stay_with_the_thread_that_had_the_fewest() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits::from(&Config::parse("").unwrap().server);
        let routes = (0..3)
            .map(|_| Router::new().route("/", get(thread_name)))
            .collect();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listen::serve(listener, routes, limits, stopped));

        let mut clients = Vec::new();
        let mut threads = Vec::new();
        for _ in 0..6 {
            let mut client = Client::connect(address).await.unwrap();
            threads.push(ask(&mut client).await);
            clients.push(client);
        }
        let mut each = threads.clone();
        each.sort();
        let two_each = ["gateway-0!", "gateway-1!", "gateway-2!"].map(|name| [name, name]);
        assert_eq!(each, two_each.concat());
        for (client, thread) in clients.iter_mut().zip(&threads) {
            assert_eq!(ask(client).await, *thread);
        }

        stop.send(true).unwrap();
        serving.await.unwrap().unwrap();
        let mut rest = Vec::new();
        assert_eq!(clients[0].read_to_end(&mut rest).await.unwrap(), 0);
    }
}
