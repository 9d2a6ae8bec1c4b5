//! The server: it binds its address first, then serves until it is stopped.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::sleep,
};
use warp::{filters::BoxedFilter, reply::Response as HttpResponse};

use crate::in_flight::InFlight;

/// The maximum size of a request head, and of the read buffer of a connection: 64 KiB.
const HEAD_LIMIT: usize = 64 * 1024;

/// The maximum number of connections served at a time. Further connections wait in the backlog of
/// the listener.
const CONNECTIONS: usize = 1024;

/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Timeouts of a server.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a request head, and for the next request on an idle connection.
    pub head: Duration,
    /// For requests in flight when the server stops.
    pub drain: Duration,
}

/// A bound server that does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Binds the address. Port 0 selects a free port.
    ///
    /// # Errors
    /// If the address is in use or does not belong to this machine.
    pub async fn bind(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `stop` resolves. It then accepts no more connections, lets requests
    /// in flight finish until the drain timeout, and closes every connection.
    pub async fn serve(
        self,
        routes: &BoxedFilter<(HttpResponse,)>,
        timeouts: Timeouts,
        stop: impl Future<Output = ()> + Send,
    ) {
        Connections::new(CONNECTIONS, timeouts)
            .serve(self.listener, routes, stop)
            .await;
    }
}

#[derive(Debug)]
struct Connections {
    slots: Arc<Semaphore>,
    graceful: GracefulShutdown,
    in_flight: InFlight,
    tasks: JoinSet<()>,
    timeouts: Timeouts,
}

impl Connections {
    fn new(most: usize, timeouts: Timeouts) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(most)),
            graceful: GracefulShutdown::new(),
            in_flight: InFlight::default(),
            tasks: JoinSet::new(),
            timeouts,
        }
    }

    async fn serve(
        mut self,
        listener: TcpListener,
        routes: &BoxedFilter<(HttpResponse,)>,
        stop: impl Future<Output = ()> + Send,
    ) {
        tokio::pin!(stop);
        loop {
            let (stream, slot) = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = accept(&listener, &self.slots) => accepted,
            };
            self.open(stream, slot, routes.clone());
            while self.tasks.try_join_next().is_some() {}
        }
        drop(listener);
        self.drain().await;
    }

    fn open(
        &mut self,
        stream: TcpStream,
        slot: OwnedSemaphorePermit,
        routes: BoxedFilter<(HttpResponse,)>,
    ) {
        let service = TowerToHyperService::new(warp::service(routes));
        let in_flight = self.in_flight.clone();
        let service = service_fn(move |request| in_flight.watch(service.call(request)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.timeouts.head)
            .max_header_size(HEAD_LIMIT)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        self.tasks.spawn(async move {
            // A connection error concerns the client only.
            let _ = connection.await;
            drop(slot);
        });
    }

    /// Each connection ends after its current request. Connections with an incomplete request head
    /// are closed.
    async fn drain(mut self) {
        tokio::select! {
            () = self.graceful.shutdown() => {}
            () = self.in_flight.quiet() => {}
            () = sleep(self.timeouts.drain) => {}
        }
        self.tasks.shutdown().await;
    }
}

/// Waits until another connection is allowed, then accepts it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let slot = Arc::clone(slots).acquire_owned().await;
        match (slot, listener.accept().await) {
            (Ok(slot), Ok((stream, _))) => {
                // Answers are written at once, so delaying a packet to fill it only adds latency.
                let _ = stream.set_nodelay(true);
                return (stream, slot);
            }
            (_, Err(error)) => {
                // The client disconnected, or file descriptors are short for a moment.
                tracing::warn!(%error, "could not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
            (Err(_), Ok(_)) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::timeout,
    };
    use warp::{Filter, Reply};

    use super::*;

    async fn send(stream: &mut TcpStream) -> io::Result<usize> {
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await?;
        stream.read(&mut [0; 1024]).await
    }

    #[tokio::test]
    async fn connection_beyond_the_limit_waits_for_another_to_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = warp::any().map(|| "here".into_response()).boxed();
        let serve = async move {
            let forever = std::future::pending();
            let timeouts = Timeouts {
                head: Duration::from_secs(10),
                drain: Duration::ZERO,
            };
            Connections::new(1, timeouts)
                .serve(listener, &routes, forever)
                .await;
        };
        let server = tokio::spawn(serve);
        let mut first = TcpStream::connect(address).await.unwrap();
        assert!(send(&mut first).await.unwrap() > 0);
        let mut second = TcpStream::connect(address).await.unwrap();
        let waiting = timeout(Duration::from_millis(200), send(&mut second)).await;
        assert!(waiting.is_err());
        drop(first);
        assert!(second.read(&mut [0; 1024]).await.unwrap() > 0);
        server.abort();
    }
}
