//! Serves what renders have counted to Prometheus.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream as Pipe;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use tokio::net::{TcpListener, UnixStream};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use super::metrics::Totals;
use crate::failure::Failure;
use crate::files::plain;

/// How long a connection may take, and how long its request line and headers.
const CONNECTION: Duration = Duration::from_secs(30);
const HEADERS: Duration = Duration::from_secs(5);
/// How long to wait where no connection can be taken, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the figures of a directory at `/metrics`, and `/healthz`, until the process is told to end.
///
/// # Errors
/// Where the address cannot be had.
pub fn serve(address: SocketAddr, directory: &Path) -> Result<(), Failure> {
    let cannot = |error: io::Error| Failure::internal(format!("cannot start a runtime: {error}"));
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(cannot)?;
    let end = signals().map_err(cannot)?;
    let directory: Rc<Path> = directory.into();
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::input(format!("cannot listen on `{address}`: {}", plain(&error)))
                .hint("name an address of this machine and a free port with `--listen`")
        })?;
        tokio::task::spawn_local(accept(listener, directory));
        let end = UnixStream::from_std(end).map_err(cannot)?;
        end.readable().await.map_err(cannot)
    })
}

/// What can be read from once the process is told to end. The first process of a container ends at a signal only where it
/// listens for it.
fn signals() -> io::Result<Pipe> {
    let (read, write) = Pipe::pair()?;
    for signal in [SIGTERM, SIGINT] {
        pipe::register(signal, write.try_clone()?)?;
    }
    read.set_nonblocking(true)?;
    Ok(read)
}

async fn accept(listener: TcpListener, directory: Rc<Path>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let directory = Rc::clone(&directory);
        let answer = service_fn(move |request| {
            let response = answer(&request, &directory);
            async { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .serve_connection(TokioIo::new(stream), answer);
        // Whoever is cut off asks again.
        tokio::task::spawn_local(async { drop(timeout(CONNECTION, connection).await) });
    }
}

fn answer(request: &Request<Incoming>, directory: &Path) -> Response<Full<Bytes>> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let (status, body) = match request.uri().path() {
        _ if !is_read => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
        "/metrics" => (StatusCode::OK, figures(directory)),
        "/healthz" => (StatusCode::OK, "ok\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "there is /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, kind);
    response
}

fn figures(directory: &Path) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let totals = Totals::read(directory);
    format!(
        "# HELP argocd_infisical_build_info The version of the program, in a label.\n# TYPE argocd_infisical_build_info gauge\n\
         argocd_infisical_build_info{{version=\"{version}\"}} 1\n{totals}"
    )
}
