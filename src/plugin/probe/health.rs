//! `grpc.health.v1.Health/Check` over a Unix socket.
//!
//! The two messages of it have no field and one field, so they are written and read here, over HTTP/2 by the `h2` package.

use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{self, SendRequest};
use http::{HeaderMap, Request};
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// A message of gRPC begins with a byte that says whether it is compressed, and its length in four.
const PREFIX: usize = 5;
/// A request that asks for the server as a whole: a message without fields.
const REQUEST: [u8; PREFIX] = [0; PREFIX];
/// What comes before the status in the answer: field 1, a number.
const STATUS_TAG: u8 = 0x08;
/// The status of a server that is well.
const SERVING: u8 = 1;
/// Bytes of an answer that are more than any server has to say.
const LONGEST: usize = 1024;

/// Why a server cannot be said to be well.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is no socket.
    NoSocket,
    /// There is a socket, and nobody at its other end.
    Unheard,
    /// The socket belongs to somebody else.
    Forbidden,
    /// There is no connection for another reason.
    Unreachable(io::Error),
    /// The time is over.
    Silent,
    /// The answer is not of this protocol.
    NoGrpc,
    /// The server has no answer, but a status of gRPC.
    Refused(String),
    /// The server says that it is not well.
    Unwell(u8),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoSocket,
            io::ErrorKind::ConnectionRefused => Self::Unheard,
            io::ErrorKind::PermissionDenied => Self::Forbidden,
            _ => Self::Unreachable(error),
        }
    }
}

impl From<h2::Error> for Trouble {
    fn from(_: h2::Error) -> Self {
        Self::NoGrpc
    }
}

/// Asks a server whether it is well.
///
/// # Errors
/// Where it does not say so within a time.
pub(super) fn check(socket: &Path, limit: Duration) -> Result<(), Trouble> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let asked = runtime.block_on(async { timeout(limit, ask(socket)).await });
    asked.unwrap_or(Err(Trouble::Silent))
}

async fn ask(socket: &Path) -> Result<(), Trouble> {
    let stream = UnixStream::connect(socket).await?;
    let (client, connection) = client::handshake(stream).await?;
    // It ends with the runtime.
    drop(tokio::spawn(connection));
    let (headers, message, trailers) = exchange(client).await?;
    // A server that has no answer puts its status into the only headers that there are.
    let status = trailers.as_ref().unwrap_or(&headers).get("grpc-status");
    let status = status.ok_or(Trouble::NoGrpc)?.to_str().unwrap_or_default();
    if status != "0" {
        let code: String = status
            .chars()
            .filter(char::is_ascii_digit)
            .take(3)
            .collect();
        return Err(Trouble::Refused(code));
    }
    match read_status(&message) {
        Some(SERVING) => Ok(()),
        Some(other) => Err(Trouble::Unwell(other)),
        None => Err(Trouble::NoGrpc),
    }
}

async fn exchange(
    client: SendRequest<Bytes>,
) -> Result<(HeaderMap, Vec<u8>, Option<HeaderMap>), Trouble> {
    let mut client = client.ready().await?;
    let request = Request::post("http://localhost/grpc.health.v1.Health/Check")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .map_err(|_| Trouble::NoGrpc)?;
    let (answer, mut stream) = client.send_request(request, false)?;
    stream.send_data(Bytes::from_static(&REQUEST), true)?;
    let (head, mut body) = answer.await?.into_parts();
    let mut message = Vec::new();
    while let Some(part) = body.data().await {
        let part = part?;
        body.flow_control().release_capacity(part.len())?;
        message.extend_from_slice(&part);
        if message.len() > LONGEST {
            return Err(Trouble::NoGrpc);
        }
    }
    Ok((head.headers, message, body.trailers().await?))
}

/// The status in an answer. A field that is zero is not written.
fn read_status(message: &[u8]) -> Option<u8> {
    match message {
        [0, 0, 0, 0, 0] => Some(0),
        [0, 0, 0, 0, 2, STATUS_TAG, status] => Some(*status),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        assert_eq!(read_status(&[0, 0, 0, 0, 2, 8, 1]), Some(SERVING));
        assert_eq!(read_status(&[0, 0, 0, 0, 2, 8, 2]), Some(2));
        assert_eq!(read_status(&[0, 0, 0, 0, 0]), Some(0));
        for other in [
            &[][..],
            &[0, 0, 0, 0, 2, 8],
            &[1, 0, 0, 0, 2, 8, 1],
            &[0, 0, 0, 0, 2, 16, 1],
        ] {
            assert_eq!(read_status(other), None);
        }
    }
}
