//! The rates at which documents are read and written.
//!
//! usage: `cargo bench --bench rate -- ROUNDS FILE…`
//!
//! Prints a line for each: what, the bytes, and the least nanoseconds of the rounds, as `tools/yaml-rate` does of go-yaml;
//! `tools/bench-yaml` runs both.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use goyaml::{Limits, Node};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    // Cargo adds an option of its own to those of a bench.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments = arguments.iter().filter(|argument| *argument != "--bench");
    let rounds: u32 = match arguments.next() {
        Some(rounds) => rounds.parse()?,
        // `cargo test --benches` runs it without any.
        None => return Ok(()),
    };
    let files: Vec<Vec<u8>> = arguments.map(std::fs::read).collect::<Result<_, _>>()?;
    let nodes: Vec<Node> = files
        .iter()
        .map(|text| goyaml::parse_documents(text, &Limits::default()))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
    report("parse", rounds, || {
        for text in &files {
            black_box(goyaml::parse_documents(text, &Limits::default())?);
        }
        Ok(files.iter().map(Vec::len).sum())
    })?;
    report("emit", rounds, || {
        let mut text = String::new();
        for node in &nodes {
            goyaml::emit_canonical(node, &mut text)?;
        }
        Ok(black_box(text).len())
    })
}

fn report(
    what: &str,
    rounds: u32,
    mut run: impl FnMut() -> Result<usize, goyaml::Error>,
) -> Result<(), Failure> {
    let (mut size, mut least) = (0, Duration::MAX);
    for _ in 0..rounds {
        let start = Instant::now();
        size = run()?;
        least = least.min(start.elapsed());
    }
    println!("{what} {size} {}", least.as_nanos());
    Ok(())
}
