//! Connections: how many at a time, how patient with slow ones, and how they end when the service stops.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};

use tower::ServiceExt as _;

use crate::{config::Server, linger};

/// How long to wait when the system has no connection to give, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(250);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    connections_max: usize,
    header_timeout: Duration,
    grace: Duration,
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

/// Serves `routes` until `stop` says so. Then no new connection is taken, idle ones are closed, and answers under way may
/// last for the grace; what is still there after that is cut off, and its guards fall before this returns.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout);
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            // An error means that whoever could stop us is gone: stop.
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &places) => accepted,
        };
        // Those that have ended leave nothing to be done but to be forgotten.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, place)) => {
                let routes = routes.clone();
                let service = service_fn(move |request| {
                    let routes = routes.clone();
                    async move {
                        let (request, unread) = linger::lend(request);
                        let response = routes.oneshot(request).await?;
                        Ok::<_, Infallible>(unread.clear(response).await)
                    }
                });
                let connection =
                    graceful.watch(http.serve_connection(TokioIo::new(stream), service));
                connections.spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection broke off");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop((listener, routes));
    if tokio::time::timeout(limits.grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(grace = ?limits.grace, "answers did not end in time and are cut off");
    }
    connections.shutdown().await;
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<(TcpStream, Place)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small events of a stream must not wait for each other.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps Nagle's algorithm");
                }
                return Ok((stream, place));
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
