//! A small server of texts over HTTP, and the signals that end it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream as Pipe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::failure::Failure;
use crate::files::plain;

/// How long a connection may take, and how long its request line and headers.
const CONNECTION: Duration = Duration::from_secs(30);
const HEADERS: Duration = Duration::from_secs(5);
/// How many connections there may be at a time, and how much of a request is read: whoever can reach the address could
/// otherwise use up the memory.
const CONNECTIONS: usize = 64;
const REQUEST: usize = 16 << 10;
/// How long to wait where no connection can be taken, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// What is answered to a path.
pub(crate) type Answer = dyn Fn(&str) -> (StatusCode, String) + Send + Sync;

/// Listens on an address.
///
/// # Errors
/// Where the address cannot be had.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::input(format!("cannot listen on `{address}`: {}", plain(&error)))
            .hint("name an address of this machine and a free port with `--listen`")
    })
}

/// Answers until the runtime ends.
pub(crate) async fn serve(listener: TcpListener, answer: Arc<Answer>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    // The places are never taken away.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let answer = Arc::clone(&answer);
        let service = service_fn(move |request| {
            let response = respond(&request, &*answer);
            async { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(REQUEST)
            .serve_connection(TokioIo::new(stream), service);
        // Whoever is cut off asks again.
        tokio::spawn(async {
            drop(timeout(CONNECTION, connection).await);
            drop(place);
        });
    }
}

fn respond(request: &Request<Incoming>, answer: &Answer) -> Response<Full<Bytes>> {
    let (status, body) = match *request.method() {
        Method::GET | Method::HEAD => answer(request.uri().path()),
        _ => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// The signals that tell the process to end. The first process of a container ends at one only where it listens for it.
pub(crate) struct Signals(UnixStream);

impl Signals {
    /// Begins to listen for them.
    ///
    /// # Errors
    /// Where that cannot be done.
    pub(crate) fn listen() -> io::Result<Self> {
        let (read, write) = Pipe::pair()?;
        for signal in [SIGTERM, SIGINT] {
            pipe::register(signal, write.try_clone()?)?;
        }
        read.set_nonblocking(true)?;
        UnixStream::from_std(read).map(Self)
    }

    /// Waits for one.
    ///
    /// # Errors
    /// Where none can come any more.
    pub(crate) async fn wait(&self) -> io::Result<()> {
        self.0.readable().await
    }
}
