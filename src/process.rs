//! Other programs, within bounds of time and output.

use std::fs;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
#[cfg(target_os = "linux")]
use rustix::process::{Resource, Rlimit};

use crate::interrupt::Hold;

/// Bytes of memory that are enough for whatever is run here.
pub const MEMORY: u64 = 4 << 30;

/// What a program may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From its start to its end.
    pub time: Duration,
    /// Bytes on standard output, and as many on standard error.
    pub output: usize,
    /// Bytes of memory for data, for each process of it; where the operating system has such a bound.
    pub memory: u64,
}

/// What a program did.
#[derive(Debug)]
pub enum Ended {
    /// It ended by itself.
    Done {
        /// How.
        status: ExitStatus,
        /// What it printed to standard output.
        stdout: Vec<u8>,
        /// What it printed to standard error.
        stderr: Vec<u8>,
    },
    /// It was killed for taking too long.
    TimedOut,
    /// It was killed for printing too much.
    TooMuchOutput,
    /// It was killed because the caller had seen enough.
    Stopped,
}

/// How often a caller is asked whether it has seen enough.
const TICK: Duration = Duration::from_millis(250);

/// Runs a program with nothing on its standard input, and reads what it prints. What it has started itself is killed
/// with it.
///
/// It stays in the process group of its caller: whoever ends the group, a terminal or a supervisor, ends the program too.
///
/// # Errors
/// Where it cannot be started.
pub fn run(command: &mut Command, bounds: Bounds) -> io::Result<Ended> {
    run_while(command, bounds, &mut || true)
}

/// As [`run`], as long as `goes_on` says so; it is asked a few times a second.
///
/// # Errors
/// Where it cannot be started.
pub fn run_while(
    command: &mut Command,
    bounds: Bounds,
    goes_on: &mut dyn FnMut() -> bool,
) -> io::Result<Ended> {
    let deadline = Instant::now() + bounds.time;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let program = Pid::from_child(&child);
    let _hold = Hold::program(program);
    bound_memory(program, bounds.memory);
    let watch = Watch { deadline, goes_on };
    let ended = follow(&mut child, watch, bounds.output);
    if !matches!(ended, Ok(Ended::Done { .. })) {
        kill(&mut child)?;
    }
    ended
}

/// Which stream, and all that came out of it; nothing where that is too much.
type Stream = (usize, io::Result<Option<Vec<u8>>>);

/// Until when a program may run.
struct Watch<'a> {
    deadline: Instant,
    goes_on: &'a mut dyn FnMut() -> bool,
}

impl Watch<'_> {
    /// Why the program has to end now, if it has to.
    fn objection(&mut self) -> Option<Ended> {
        if Instant::now() >= self.deadline {
            Some(Ended::TimedOut)
        } else if (self.goes_on)() {
            None
        } else {
            Some(Ended::Stopped)
        }
    }

    /// How long to wait before asking again.
    fn pause(&self) -> Duration {
        self.deadline
            .saturating_duration_since(Instant::now())
            .min(TICK)
    }
}

fn follow(child: &mut Child, mut watch: Watch, limit: usize) -> io::Result<Ended> {
    let (sender, receiver) = mpsc::channel();
    read(0, child.stdout.take(), limit, sender.clone())?;
    read(1, child.stderr.take(), limit, sender)?;
    let mut streams = [Vec::new(), Vec::new()];
    for _ in 0..streams.len() {
        match receive(&receiver, &mut watch) {
            Err(ended) => return Ok(ended),
            Ok((_, Ok(None))) => return Ok(Ended::TooMuchOutput),
            Ok((_, Err(error))) => return Err(error),
            Ok((stream, Ok(Some(bytes)))) => {
                if let Some(slot) = streams.get_mut(stream) {
                    *slot = bytes;
                }
            }
        }
    }
    let [stdout, stderr] = streams;
    Ok(match wait(child, &mut watch)? {
        Err(ended) => ended,
        Ok(status) => Ended::Done {
            status,
            stdout,
            stderr,
        },
    })
}

/// Reads a stream on a thread of its own, which ends with the stream: nobody waits for it past the deadline.
fn read(
    number: usize,
    stream: Option<impl Read + Send + 'static>,
    limit: usize,
    sender: Sender<Stream>,
) -> io::Result<()> {
    let Some(stream) = stream else {
        return Ok(());
    };
    let enough = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let run = move || {
        let mut bytes = Vec::new();
        let read = stream.take(enough).read_to_end(&mut bytes);
        let result = read.map(|_| (bytes.len() <= limit).then_some(bytes));
        // Whoever has given up on the program does not listen any more.
        drop(sender.send((number, result)));
    };
    thread::Builder::new().spawn(run).map(drop)
}

fn receive(receiver: &Receiver<Stream>, watch: &mut Watch) -> Result<Stream, Ended> {
    loop {
        match receiver.recv_timeout(watch.pause()) {
            Ok(stream) => return Ok(stream),
            Err(RecvTimeoutError::Disconnected) => return Err(Ended::TimedOut),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(ended) = watch.objection() {
                    return Err(ended);
                }
            }
        }
    }
}

/// Waits for a program that has closed its streams, which is as good as ended unless it means harm.
fn wait(child: &mut Child, watch: &mut Watch) -> io::Result<Result<ExitStatus, Ended>> {
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ok(status));
        }
        if let Some(ended) = watch.objection() {
            return Ok(Err(ended));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Gives a program, and what it will start, a bound on memory. It has hardly begun; where it has ended nothing is left to
/// bound.
fn bound_memory(program: Pid, memory: u64) {
    #[cfg(target_os = "linux")]
    {
        let limit = Rlimit {
            current: Some(memory),
            maximum: Some(memory),
        };
        let _ = rustix::process::prlimit(Some(program), Resource::Data, limit);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (program, memory);
}

/// Kills a program and what it has started.
fn kill(child: &mut Child) -> io::Result<()> {
    kill_all(Pid::from_child(child));
    child.wait().map(drop)
}

/// Kills a process and what it has started.
pub(crate) fn kill_all(program: Pid) {
    // What does not run starts nothing while it is looked at. Whoever has ended meanwhile needs no killing.
    let _ = kill_process(program, Signal::STOP);
    let started = descendants(program);
    for process in std::iter::once(program).chain(started) {
        let _ = kill_process(process, Signal::KILL);
    }
}

/// The processes that a process has started, and those that they have started; none where there is no `/proc`.
fn descendants(ancestor: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten();
    let relations: Vec<(Pid, Pid)> = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|process| Some((Pid::from_raw(process)?, parent(process)?)))
        .collect();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&process) = found.get(next) {
        let children = relations.iter().filter(|(_, parent)| *parent == process);
        found.extend(children.map(|(child, _)| *child));
        next += 1;
    }
    found.split_off(1)
}

/// The process that has started another.
fn parent(process: i32) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name in parentheses, which may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    Pid::from_raw(rest.split_whitespace().nth(1)?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, bounds: Bounds) -> Ended {
        run(Command::new("/bin/sh").args(["-c", script]), bounds).unwrap()
    }

    const BOUNDS: Bounds = Bounds {
        time: Duration::from_secs(30),
        output: 1 << 20,
        memory: MEMORY,
    };
    const SHORT: Bounds = Bounds {
        time: Duration::from_millis(200),
        ..BOUNDS
    };

    #[test]
    fn both_streams_are_read_to_their_ends() {
        let script = "yes | head -c 300000; yes | head -c 200000 >&2; exit 3";
        let Ended::Done {
            status,
            stdout,
            stderr,
        } = shell(script, BOUNDS)
        else {
            panic!("it does not end");
        };
        let found = (status.code(), stdout.len(), stderr.len());
        assert_eq!(found, (Some(3), 300_000, 200_000));
    }

    #[test]
    fn what_takes_too_long_is_killed_with_what_it_started() {
        let start = Instant::now();
        // The first holds its streams open, the second closes them, the third leaves a child behind that holds them.
        for script in ["sleep 60", "exec >/dev/null 2>&1; sleep 60", "sleep 60 &"] {
            assert!(matches!(shell(script, SHORT), Ended::TimedOut), "{script}");
        }
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn what_it_has_started_is_known() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "/bin/sh -c 'sleep 60; :'; :"])
            .spawn()
            .unwrap();
        let program = Pid::from_child(&child);
        let start = Instant::now();
        let mut started = Vec::new();
        while started.len() < 2 && start.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(10));
            started = descendants(program);
        }
        assert_eq!(started.len(), 2);
        kill(&mut child).unwrap();
        let is_gone = |process: &Pid| {
            fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()))
                .map_or(true, |stat| stat.contains(") Z "))
        };
        while !started.iter().all(is_gone) {
            assert!(start.elapsed() < Duration::from_secs(20), "they live on");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_caller_that_has_seen_enough_ends_it() {
        let mut asked = 0;
        let mut goes_on = || {
            asked += 1;
            asked < 3
        };
        let ended = run_while(Command::new("/bin/sleep").arg("60"), BOUNDS, &mut goes_on);
        assert!(matches!(ended.unwrap(), Ended::Stopped));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_bounded() {
        let bounds = Bounds {
            memory: 64 << 20,
            ..BOUNDS
        };
        // The first waits until the bound is there.
        let script = "sleep 0.2; a=x; while :; do a=$a$a; done";
        let Ended::Done { status, .. } = shell(script, bounds) else {
            panic!("it goes on");
        };
        assert!(!status.success());
    }

    #[test]
    fn what_prints_too_much_is_killed() {
        for script in ["yes", "yes >&2"] {
            assert!(
                matches!(shell(script, BOUNDS), Ended::TooMuchOutput),
                "{script}"
            );
        }
    }
}
