//! The server: bound at once, then serving until it is told to stop.

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

/// The largest head of a request, and of each connection's read buffer: 64 KiB.
const HEAD_LIMIT: usize = 64 * 1024;

/// Connections served at a time; further ones wait in the listener's backlog.
const CONNECTIONS: usize = 1024;

/// How long to wait before accepting again after that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a server waits for its clients.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a request's head, and for the next request on an idle connection.
    pub head: Duration,
    /// For requests that have begun, once the server is told to stop.
    pub drain: Duration,
}

/// A server that is bound and not yet answering.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Binds the address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken or is not this machine's.
    pub async fn bind(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address it is bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `stop` resolves, then accepts nothing more, lets what has begun finish
    /// for as long as its patience goes, and closes every connection.
    pub async fn serve(
        self,
        routes: &BoxedFilter<(HttpResponse,)>,
        patience: Timeouts,
        stop: impl Future<Output = ()> + Send,
    ) {
        Connections::new(CONNECTIONS, patience)
            .serve(self.listener, routes, stop)
            .await;
    }
}

/// The open connections of a server.
#[derive(Debug)]
struct Connections {
    slots: Arc<Semaphore>,
    graceful: GracefulShutdown,
    in_flight: InFlight,
    tasks: JoinSet<()>,
    patience: Timeouts,
}

impl Connections {
    fn new(most: usize, patience: Timeouts) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(most)),
            graceful: GracefulShutdown::new(),
            in_flight: InFlight::default(),
            tasks: JoinSet::new(),
            patience,
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
            .header_read_timeout(self.patience.head)
            .max_header_size(HEAD_LIMIT)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        self.tasks.spawn(async move {
            // How a connection ends is the client's business.
            let _ = connection.await;
            drop(slot);
        });
    }

    /// Connections end by themselves after the request they are at. One whose client has not even
    /// finished asking is not waited for.
    async fn drain(mut self) {
        tokio::select! {
            () = self.graceful.shutdown() => {}
            () = self.in_flight.quiet() => {}
            () = sleep(self.patience.drain) => {}
        }
        self.tasks.shutdown().await;
    }
}

/// The next connection, once there is room for one more.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let slot = Arc::clone(slots).acquire_owned().await;
        match (slot, listener.accept().await) {
            (Ok(slot), Ok((stream, _))) => {
                // Answers are written in one piece; holding one back to fill a packet only delays it.
                let _ = stream.set_nodelay(true);
                return (stream, slot);
            }
            (_, Err(error)) => {
                // The client is gone already, or files are short, which passes.
                tracing::warn!(%error, "a connection was not accepted");
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

    async fn ask(stream: &mut TcpStream) -> io::Result<usize> {
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await?;
        stream.read(&mut [0; 1024]).await
    }

    #[tokio::test]
    async fn a_connection_too_many_waits_until_another_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = warp::any().map(|| "here".into_response()).boxed();
        let serve = async move {
            let forever = std::future::pending();
            let patience = Timeouts {
                head: Duration::from_secs(10),
                drain: Duration::ZERO,
            };
            Connections::new(1, patience)
                .serve(listener, &routes, forever)
                .await;
        };
        let server = tokio::spawn(serve);
        let mut first = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut first).await.unwrap() > 0);
        let mut second = TcpStream::connect(address).await.unwrap();
        let waiting = timeout(Duration::from_millis(200), ask(&mut second)).await;
        assert!(waiting.is_err());
        drop(first);
        assert!(second.read(&mut [0; 1024]).await.unwrap() > 0);
        server.abort();
    }
}
