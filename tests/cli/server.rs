//! A server for HTTP on this machine.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// What the server answers.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn file(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            location: None,
            body: body.into(),
        }
    }

    pub(crate) fn redirection(location: &str) -> Self {
        Self {
            status: 302,
            location: Some(location.to_owned()),
            body: Vec::new(),
        }
    }
}

/// Answers until the process ends.
pub(crate) struct Server {
    address: SocketAddr,
}

impl Server {
    pub(crate) fn start(answers: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Arc<BTreeMap<&str, Answer>> = Arc::new(answers.into_iter().collect());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let answers = Arc::clone(&answers);
                thread::spawn(move || drop(serve(stream.unwrap(), &answers)));
            }
        });
        Self { address }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn serve(mut stream: TcpStream, answers: &BTreeMap<&str, Answer>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let missing = Answer {
        status: 404,
        location: None,
        body: Vec::new(),
    };
    let Answer {
        status,
        location,
        body,
    } = answers.get(path).unwrap_or(&missing);
    let location = location
        .as_deref()
        .map(|location| format!("Location: {location}\r\n"))
        .unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{location}\r\n"
    )?;
    stream.write_all(body)
}
