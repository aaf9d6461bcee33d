//! Taking connections: how many there may be, in all and of one network, and how long the head of a request may take.
//!
//! A connection holds its place until it is closed, also as a WebSocket. One that finds none is closed at once: whoever
//! opens many keeps others out no longer than their own network's places last.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use troupe_actors::task;

use crate::{config, http::network::Network};

/// Files that are not for connections: the store's, the runs', the log.
const FILES_RESERVED: u64 = 512;
/// Of a connection, for what it reads and writes: a request's head is smaller.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// When the process has no file left for a connection, in spite of all.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The places for connections. A clone shares them.
#[derive(Clone, Debug)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    in_all: usize,
    /// `None`: they all come from a load balancer.
    per_network: Option<usize>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: usize,
    by_network: HashMap<Network, usize>,
}

/// One of them. Its place is free again when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Place>);

impl Connection {
    /// Whatever is under way. What has become a WebSocket is closed as one.
    pub fn close(&self) {
        self.0.closed.notify_one();
    }
}

#[derive(Debug)]
struct Place {
    places: Places,
    network: Network,
    closed: Notify,
}

impl Places {
    /// As many as are configured, and as this process may open files for.
    pub fn new(config: &config::Server) -> Self {
        let files = files_max().saturating_sub(FILES_RESERVED);
        let in_all = config.connections_max.min(usize::try_from(files).unwrap_or(usize::MAX));
        if in_all < config.connections_max {
            tracing::warn!(
                connections_max = in_all,
                "this process may open too few files for the configured connections: raise its limit (`ulimit -n`)"
            );
        }
        let per_network = (!config.trust_forwarded_for).then_some(config.connections_per_network_max);
        Self(Arc::new(Inner { in_all, per_network, taken: Mutex::default() }))
    }

    fn take(&self, network: Network) -> Option<Connection> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = taken.by_network.get(&network).copied().unwrap_or(0);
        if taken.in_all >= self.0.in_all || self.0.per_network.is_some_and(|max| of_network >= max) {
            return None;
        }
        taken.in_all += 1;
        taken.by_network.insert(network, of_network + 1);
        Some(Connection(Arc::new(Place { places: self.clone(), network, closed: Notify::new() })))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.in_all -= 1;
        if let Some(of_network) = taken.by_network.get_mut(&self.network) {
            *of_network -= 1;
            if *of_network == 0 {
                taken.by_network.remove(&self.network);
            }
        }
    }
}

/// Serves connections until `stop`, and then what has begun.
pub async fn serve(listener: TcpListener, router: Router, config: &config::Server, stop: impl Future<Output = ()>) {
    let (places, head_timeout) = (Places::new(config), Duration::from_secs(config.request_head_timeout_s));
    let (stopping, open) = (CancellationToken::new(), TaskTracker::new());
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
                continue;
            }
            Err(error) => {
                tracing::error!(%error, "no connection can be taken; trying again");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                continue;
            }
        };
        let Some(connection) = places.take(peer.ip().into()) else {
            metrics::counter!("troupe_connections_refused_total").increment(1);
            tracing::debug!(%peer, "there is no place for a connection");
            continue;
        };
        let served = http(stream, peer, connection.clone(), router.clone(), head_timeout);
        let (stopping, is_open) = (stopping.clone(), open.token());
        task::spawn("connection", async move {
            let mut served = pin!(served);
            let ended = tokio::select! {
                ended = served.as_mut() => ended,
                () = connection.0.closed.notified() => return,
                () = stopping.cancelled() => {
                    served.as_mut().graceful_shutdown();
                    served.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
            drop(is_open);
        });
    }
    stopping.cancel();
    open.close();
    open.wait().await;
}

type Service = TowerToHyperService<
    tower::util::BoxCloneService<Request<Incoming>, axum::response::Response, std::convert::Infallible>,
>;

fn http(
    stream: TcpStream,
    peer: SocketAddr,
    connection: Connection,
    router: Router,
    head_timeout: Duration,
) -> http1::UpgradeableConnection<TokioIo<TcpStream>, Service> {
    // A small frame must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays as it is");
    }
    let service = router.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(connection.clone());
        request
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service.boxed_clone()))
        .with_upgrades()
}

/// How many files this process may open, once it has asked for all that it can get.
fn files_max() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || limit.maximum.is_none() {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn places(in_all: usize, per_network: Option<usize>) -> Places {
        Places(Arc::new(Inner { in_all, per_network, taken: Mutex::default() }))
    }

    fn network(last: u8) -> Network {
        IpAddr::from([10, 0, 0, last]).into()
    }

    /// [SEC-1] One network takes its own places only, and gives them back.
    #[test]
    fn a_network_keeps_out_itself_only() {
        let places = places(10, Some(2));
        let first = places.take(network(1)).unwrap();
        let second = places.take(network(1)).unwrap();
        assert!(places.take(network(1)).is_none());
        assert!(places.take(network(2)).is_some());
        let upgraded = first.clone();
        drop(first);
        assert!(places.take(network(1)).is_none(), "a WebSocket holds the place of its connection");
        drop((upgraded, second));
        assert!(places.take(network(1)).is_some());
        assert!(places.0.taken.lock().unwrap().by_network.is_empty(), "nothing is kept of who has gone");
    }

    /// [SEC-1] Behind a load balancer, which all connections come from, all places are there for all.
    #[test]
    fn a_load_balancer_has_all_places() {
        let places = places(3, None);
        let taken: Vec<_> = (0..3).map(|_| places.take(network(1)).unwrap()).collect();
        assert!(places.take(network(1)).is_none());
        drop(taken);
        assert!(places.take(network(1)).is_some());
    }
}
