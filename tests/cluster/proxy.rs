//! What stands between the binary and the server: a forwarder of TCP connections that is in the way.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How it is in the way.
#[derive(Clone, Copy)]
pub(crate) enum Behaviour {
    /// Every connection waits before anything is forwarded.
    Slow(Duration),
    /// So many connections are closed, those after them are forwarded.
    Flaky(usize),
    /// Connections are taken, and nothing is ever forwarded.
    Silent,
}

/// Forwards to a port on 127.0.0.1, and returns the port on which it does until the process ends.
pub(crate) fn start(target: u16, behaviour: Behaviour) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let count = AtomicUsize::new(0);
        for client in listener.incoming() {
            let client = client.unwrap();
            let before = count.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || match behaviour {
                Behaviour::Flaky(closed) if before < closed => drop(client),
                Behaviour::Flaky(_) => forward(client, target),
                Behaviour::Slow(pause) => {
                    thread::sleep(pause);
                    forward(client, target);
                }
                Behaviour::Silent => loop {
                    thread::park();
                },
            });
        }
    });
    port
}

/// Forwards to a port on 127.0.0.1 as well, and says of each connection how long its client said nothing at most, between
/// its first and its last word.
pub(crate) fn start_listening(target: u16) -> (u16, Receiver<Duration>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, sender) = (client.unwrap(), sender.clone());
            let server = TcpStream::connect(("127.0.0.1", target)).unwrap();
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || sender.send(longest_silence(from, to)).unwrap_or_default());
            thread::spawn(move || carry(server, client));
        }
    });
    (port, receiver)
}

fn longest_silence(mut from: TcpStream, mut to: TcpStream) -> Duration {
    let mut buffer = [0; 1 << 14];
    let mut longest = Duration::ZERO;
    let mut last = None;
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let now = Instant::now();
        longest = longest.max(last.replace(now).map_or(Duration::ZERO, |last| now - last));
        to.write_all(&buffer[..length]).unwrap();
    }
    drop(to.shutdown(Shutdown::Write));
    longest
}

/// Carries both directions until both have ended.
fn forward(client: TcpStream, target: u16) {
    let server = TcpStream::connect(("127.0.0.1", target)).unwrap();
    let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let upwards = thread::spawn(move || carry(from, to));
    carry(server, client);
    upwards.join().unwrap();
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    // Either side may go away at any time.
    drop(io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Write));
}
