//! Connections: how many at a time, how patient with slow ones, who serves them, and how they end when the service stops.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use crate::{config::Server, workers::Workers};

/// How long to wait when the system has no connection to give, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(250);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    connections_max: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) grace: Duration,
}

impl From<&Server> for Limits {
    fn from(server: &Server) -> Self {
        Self {
            connections_max: server.connections_max,
            header_timeout: Duration::from_millis(server.header_timeout_ms),
            grace: Duration::from_millis(server.shutdown_grace_ms),
        }
    }
}

/// A client, and the place it takes among those we serve at a time.
pub(crate) struct Connection {
    pub(crate) stream: std::net::TcpStream,
    pub(crate) place: OwnedSemaphorePermit,
}

/// Serves each of `routes` on a thread of its own until `stop` says so. Then no new connection is taken, idle ones are
/// closed, and answers under way may last for the grace; what is still there after that is cut off, and its guards fall
/// before this returns.
///
/// # Errors
///
/// If a thread cannot be had.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Vec<Router>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut workers = Workers::start(routes, limits)?;
    let places = Arc::new(Semaphore::new(limits.connections_max));
    loop {
        let accepted = tokio::select! {
            biased;
            // An error means that whoever could stop us is gone: stop.
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok(connection) => workers.hand(connection)?,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    workers.stop().await;
    Ok(())
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Connection> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                return Ok(Connection {
                    stream: ready(stream)?,
                    place,
                });
            }
            // The client has gone again: no trouble of ours.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => return Err(error),
        }
    }
}

/// A stream that any thread may take over.
fn ready(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    // Small events of a stream must not wait for each other.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    stream.into_std()
}
