//! Hostile documents and trees, made of real ones: none makes the engine panic, hang, take much memory or contradict
//! itself.
//!
//! usage: `cargo run --profile fuzz -p kustomize --example fuzz -- yaml|build [--executions N] [--seconds N] [--seed N]
//! [--threads N] [--from N] [--only N] [--findings DIR] [--repeat FILE] [--corpus DIR]…`
//!
//! Executions start from the repository's test data, the conformance cases beside it where they are there, and what is in
//! `--corpus`. Each is made of the seed and its number alone, so that `--only NUMBER` repeats it. What is found is stored in
//! `--findings`, as it was (`.whole`) and made smaller (`.small`), and `--repeat FILE` tries such a file again.
#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(
    clippy::disallowed_methods,
    reason = "it reads seeds from the disk and has a clock, which the engine itself has not"
)]

mod plant;
mod random;
mod run;
mod seeds;
mod shrink;
mod target;
mod text;
mod tree;

use std::path::{Path, PathBuf};
use std::time::Duration;

use run::Plan;
use seeds::Seeds;
use target::Target;
use tree::Tree;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What was asked for.
struct Arguments {
    plan: Plan,
    repeat: Option<PathBuf>,
    only: Option<u64>,
    corpus: Vec<PathBuf>,
}

fn main() -> Result<(), Failure> {
    let Arguments {
        plan,
        repeat,
        only,
        mut corpus,
    } = arguments(std::env::args().skip(1))?;
    run::catch_panics();
    if let Some(file) = repeat {
        return once(plan.target, plan.target.read(&std::fs::read(file)?));
    }
    let beside =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/kustomize");
    if beside.is_dir() {
        corpus.push(beside);
    } else {
        println!(
            "SKIPPED: the conformance cases are no seeds: there is no {}",
            beside.display()
        );
    }
    let seeds = Seeds::read(&corpus)?;
    if let Some(number) = only {
        let tree = run::make(&plan, &seeds, number);
        println!("{}", String::from_utf8_lossy(&tree.to_text()));
        return once(plan.target, tree);
    }
    println!(
        "{} documents, {} trees that build, {} that do not",
        seeds.documents.len(),
        seeds.trees.len(),
        seeds.refused.len()
    );
    let summary = run::run(&plan, &seeds, &|line| println!("{line}"))?;
    println!("{}, seed {}: {summary}", plan.target.name(), plan.seed);
    if summary.faults.is_empty() {
        Ok(())
    } else {
        Err("there are faults".into())
    }
}

/// Tries an input, and tells what comes of it.
fn once(target: Target, tree: Tree) -> Result<(), Failure> {
    let checked = on_large_stack(move || run::check(target, &tree))?;
    println!("{checked:?}");
    checked.map(drop).map_err(|fault| fault.kind.into())
}

/// Runs something on a stack as the program has it.
fn on_large_stack<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let thread = std::thread::Builder::new()
        .stack_size(kustomize::STACK_SIZE)
        .spawn(work)?;
    thread.join().map_err(|_| "it has ended in a panic".into())
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, Failure> {
    let target = match given.next().as_deref() {
        Some("yaml") => Target::Yaml,
        Some("build") => Target::Build,
        _ => return Err("name what is tried: `yaml` or `build`".into()),
    };
    let mut arguments = Arguments {
        plan: Plan {
            target,
            seed: 1,
            from: 0,
            executions: 1_000_000,
            time: Duration::MAX,
            threads: 1,
            findings: None,
        },
        repeat: None,
        only: None,
        corpus: Vec::new(),
    };
    while let Some(option) = given.next() {
        let value = given.next().ok_or("an option has no value")?;
        let plan = &mut arguments.plan;
        match option.as_str() {
            "--executions" => plan.executions = value.parse()?,
            "--seconds" => plan.time = Duration::from_secs(value.parse()?),
            "--seed" => plan.seed = value.parse()?,
            "--threads" => plan.threads = value.parse()?,
            "--from" => plan.from = value.parse()?,
            "--only" => arguments.only = Some(value.parse()?),
            "--findings" => plan.findings = Some(value.into()),
            "--repeat" => arguments.repeat = Some(value.into()),
            "--corpus" => arguments.corpus.push(value.into()),
            other => return Err(format!("there is no option `{other}`").into()),
        }
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn finds_nothing(target: Target, executions: u64) {
        let plan = Plan {
            target,
            seed: 1,
            from: 0,
            executions,
            time: Duration::MAX,
            threads: 2,
            findings: None,
        };
        let seeds = Seeds::read(&[]).unwrap();
        let found = std::sync::Mutex::new(Vec::new());
        let tell = |line: &str| found.lock().unwrap().push(line.to_owned());
        let summary = run::run(&plan, &seeds, &tell).unwrap();
        assert!(summary.faults.is_empty(), "{:#?}", found.lock().unwrap());
        assert_eq!(summary.executions, executions);
        assert!(summary.accepted > executions / 10, "{summary:?}");
    }

    #[test]
    fn a_short_run_over_documents_finds_nothing() {
        finds_nothing(Target::Yaml, 3_000);
    }

    #[test]
    fn a_short_run_over_trees_finds_nothing() {
        finds_nothing(Target::Build, 600);
    }

    #[test]
    fn what_was_found_once_stays_mended() {
        run::catch_panics();
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz");
        let mut count = 0;
        for target in [Target::Yaml, Target::Build] {
            for entry in fs::read_dir(corpus.join(target.name())).unwrap() {
                let path = entry.unwrap().path();
                let tree = target.read(&fs::read(&path).unwrap());
                let checked = on_large_stack(move || run::check(target, &tree)).unwrap();
                assert!(checked.is_ok(), "{}: {checked:?}", path.display());
                count += 1;
            }
        }
        assert!(count > 0);
    }
}
