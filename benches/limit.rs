//! What a build takes beside the least that it can take: loading the same files through the same loader, reading them,
//! and writing the same resources. Both on one thread; and the build as the command does it, on those of the machine.
//!
//! usage: `cargo bench --bench limit -- DIRECTORY [ROUNDS]`
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::hint::black_box;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use argocd_infisical::files::DiskFiles;
use goyaml::Node;
use kustomize::{Entry, External, FileError, Files, Found, Options, Output, Threads};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a build has asked its files for.
enum Asked {
    Resolve(String),
    LookUp(String),
    Read(String),
}

/// Files that note what they are asked for.
struct Noting {
    disk: DiskFiles,
    asked: Mutex<Vec<Asked>>,
}

impl Noting {
    fn note(&self, asked: Asked) {
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(asked);
    }
}

impl Files for Noting {
    fn resolve(&self, path: &str) -> Result<Entry, FileError> {
        self.note(Asked::Resolve(path.to_owned()));
        self.disk.resolve(path)
    }

    fn look_up(&self, path: &str) -> Result<Found, FileError> {
        self.note(Asked::LookUp(path.to_owned()));
        self.disk.look_up(path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.note(Asked::Read(path.to_owned()));
        self.disk.read(path)
    }

    fn external(&self) -> &dyn External {
        self.disk.external()
    }

    fn names_in(&self, directory: &str) -> Vec<String> {
        self.disk.names_in(directory)
    }
}

fn main() -> Result<(), Failure> {
    // Cargo adds an option of its own to those of a bench.
    let arguments = std::env::args().skip(1);
    let mut arguments = arguments.filter(|argument| argument != "--bench");
    // `cargo test --benches` runs it without any.
    let Some(directory) = arguments.next() else {
        return Ok(());
    };
    let rounds = arguments.next().map_or(Ok(10), |rounds| rounds.parse())?;
    let directory = std::fs::canonicalize(directory)?;
    let root = directory
        .to_str()
        .ok_or("the path is not UTF-8")?
        .to_owned();
    // A stack as large as the program has.
    let thread = std::thread::Builder::new().stack_size(kustomize::STACK_SIZE);
    let ended = thread.spawn(move || compare(&root, rounds))?.join();
    ended.map_err(|_| "the build has ended in a panic")?
}

fn compare(root: &str, rounds: u32) -> Result<(), Failure> {
    let noting = Noting {
        disk: DiskFiles::new(),
        asked: Mutex::default(),
    };
    let output = build(&noting, root, Threads::One)?;
    let resources = output.resources.len();
    let asked = noting.asked.lock();
    let asked = asked.unwrap_or_else(PoisonError::into_inner).split_off(0);
    let (mut least, mut whole, mut together) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..rounds {
        least = least.min(timed(|| {
            let read = load(&asked)?;
            Ok((output.to_yaml()?, read))
        })?);
        let build = |threads| {
            timed(|| {
                let built = build(&DiskFiles::new(), root, threads)?;
                Ok((built.to_yaml()?, built))
            })
        };
        whole = whole.min(build(Threads::One)?);
        together = together.min(build(Threads::OfMachine)?);
    }
    let times = |time: Duration| time.as_secs_f64() / least.as_secs_f64();
    println!(
        "{resources} resources, the least of {rounds} rounds: load, parse and emit {least:.2?}; build {whole:.2?}, {:.2} times that; on all threads {together:.2?}, {:.2} times",
        times(whole),
        times(together)
    );
    Ok(())
}

fn build(files: &dyn Files, root: &str, threads: Threads) -> kustomize::Result<Output> {
    let options = Options {
        threads,
        ..Options::default()
    };
    kustomize::build(files, root, &options)
}

/// Loads what a build has loaded, and reads what is YAML.
fn load(asked: &[Asked]) -> Result<Vec<Node>, Failure> {
    let disk = DiskFiles::new();
    let mut documents = Vec::new();
    let mut parse = |path: &str, bytes: &[u8]| {
        if [".yaml", ".yml"].iter().any(|end| path.ends_with(end)) {
            documents.extend(goyaml::parse_documents(bytes, &goyaml::Limits::default())?);
        }
        Ok::<(), Failure>(())
    };
    for asked in asked {
        match asked {
            // Most files that are looked for under one of several names are not there.
            Asked::Resolve(path) => drop(black_box(disk.resolve(path))),
            // What is opened is read; the build asks for what is not in a call of its own.
            Asked::LookUp(path) => {
                if let Ok(Found {
                    opened: Some(read), ..
                }) = disk.look_up(path)
                {
                    parse(path, &read()?)?;
                }
            }
            Asked::Read(path) => parse(path, &disk.read(path)?)?,
        }
    }
    Ok(documents)
}

/// The time until there is a text. What has been read and made is taken apart when the clock has stopped, as the command
/// leaves it to the end of its process.
fn timed<T>(run: impl FnOnce() -> Result<(String, T), Failure>) -> Result<Duration, Failure> {
    let start = Instant::now();
    let made = run()?;
    let took = start.elapsed();
    black_box(made);
    Ok(took)
}
