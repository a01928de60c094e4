//! A proxy that passes everything through and looks at nothing: what the gateway is measured against.
//!
//! `bare-proxy LISTEN UPSTREAM`, both as `host:port`.

use std::net::SocketAddr;

use anyhow::Context as _;
use http::{Request, Response, Uri, header, uri::Authority};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

// The gateway's too: allocators are not what is compared.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Upstream = Client<HttpConnector, Incoming>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: bare-proxy LISTEN UPSTREAM";
    let listen: SocketAddr = arguments.next().context(usage)?.parse()?;
    let authority: Authority = arguments.next().context(usage)?.parse()?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let listener = TcpListener::bind(listen).await?;
    println!("bare proxy on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, authority) = (client.clone(), authority.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| pass(&client, &authority, request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            // A client that goes away is no event here.
            let _ = connection.await;
        });
    }
}

async fn pass(
    client: &Upstream,
    authority: &Authority,
    mut request: Request<Incoming>,
) -> anyhow::Result<Response<Incoming>> {
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::builder()
        .scheme("http")
        .authority(authority.clone())
        .path_and_query(path.context("a request without a path")?)
        .build()?;
    for name in [header::CONNECTION, header::HOST] {
        request.headers_mut().remove(name);
    }
    let mut response = client.request(request).await?;
    for name in [header::CONNECTION, header::TRANSFER_ENCODING] {
        response.headers_mut().remove(name);
    }
    Ok(response)
}
