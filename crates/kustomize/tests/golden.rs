//! Trees below `testdata/kustomize`, built and compared with what the real kustomize prints for them.
//!
//! A case is a folder with the tree in `in/` and either `want.yaml`, recorded by `tools/record-kustomize`, or `want.err`:
//! then kustomize fails, and so must the engine, with this message. `want.warn` holds what the engine notices of changes that
//! kustomize makes without a word; without it, that is nothing. `UPDATE_ERRORS=1` writes both.

#![expect(
    clippy::disallowed_methods,
    reason = "the test reads trees from the disk, which the engine itself does not"
)]

use std::error::Error;
use std::fs;
use std::path::Path;

use kustomize::{Entry, FileError, Files, LoadRestrictions, Options, Reorder, build};

datatest_stable::harness! {
    { test = golden, root = "../../testdata/kustomize", pattern = r"^[^/]+/[^/]+/want\.(yaml|err)$" },
}

type TestResult = Result<(), Box<dyn Error>>;

fn golden(want: &Path) -> TestResult {
    let case = want.parent().ok_or("no folder")?;
    let built = build_case(case)?;
    if want
        .extension()
        .is_some_and(|extension| extension == "yaml")
    {
        let (yaml, notices) = built.map_err(|error| {
            format!(
                "kustomize succeeds, the engine does not:\n{}",
                report(&error)
            )
        })?;
        let want_notices = case.join("want.warn");
        if std::env::var_os("UPDATE_ERRORS").is_some() {
            update(&want_notices, &notices)?;
        }
        compare(
            &fs::read_to_string(&want_notices).unwrap_or_default(),
            &notices,
        )?;
        return compare(&fs::read_to_string(want)?, &yaml);
    }
    let Err(error) = built else {
        return Err("kustomize fails, the engine does not".into());
    };
    let message = report(&error);
    if std::env::var_os("UPDATE_ERRORS").is_some() {
        fs::write(want, &message)?;
    }
    compare(&fs::read_to_string(want)?, &message)
}

/// Writes what was noticed; where that is nothing, there is to be no file.
fn update(want: &Path, notices: &str) -> std::io::Result<()> {
    if !notices.is_empty() {
        return fs::write(want, notices);
    }
    match fs::remove_file(want) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What is built, and what is noticed on the way.
type Built = kustomize::Result<(String, String)>;

fn build_case(case: &Path) -> Result<Built, Box<dyn Error>> {
    let top = fs::canonicalize(case.join("in"))?;
    let directory = fs::read_to_string(case.join("dir")).unwrap_or_default();
    let root = top.join(directory.trim_end());
    let mut options = Options::default();
    for flag in fs::read_to_string(case.join("args"))
        .unwrap_or_default()
        .lines()
    {
        match flag {
            "--reorder=none" => options.reorder = Reorder::None,
            "--reorder=legacy" => options.reorder = Reorder::Legacy,
            "--load-restrictor=LoadRestrictionsNone" => {
                options.load_restrictions = LoadRestrictions::None;
            }
            "--enable-managedby-label" => options.managed_by_label = true,
            _ => return Err(format!("args: unknown flag `{flag}`").into()),
        }
    }
    let root = root.to_str().ok_or("the path is not UTF-8")?;
    let built = build(&Disk, root, &options)
        .and_then(|output| Ok((output.to_yaml()?, noticed(&output.notices(&Disk)))));
    Ok(built)
}

/// The disk as it is.
struct Disk;

impl Files for Disk {
    fn resolve(&self, path: &str) -> Result<Entry, FileError> {
        let path = fs::canonicalize(path).map_err(|error| file_error(&error))?;
        let text = path
            .to_str()
            .ok_or_else(|| FileError::Other("the path is not UTF-8".into()))?
            .to_owned();
        Ok(if path.is_dir() {
            Entry::Directory(text)
        } else {
            Entry::File(text)
        })
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        fs::read(path).map_err(|error| file_error(&error))
    }
}

fn file_error(error: &std::io::Error) -> FileError {
    match error.kind() {
        std::io::ErrorKind::NotFound => FileError::NotFound,
        _ => FileError::Other(error.to_string()),
    }
}

/// What is noticed, a line for each.
fn noticed(notices: &kustomize::Notices) -> String {
    let line = |notice: &kustomize::Details| {
        let kustomize::Details {
            message,
            file,
            position,
            field,
            resource,
            ..
        } = notice;
        format!(
            "{}:{}:{}: {message} (field `{}`) (in {})\n",
            file.as_deref().unwrap_or_default(),
            position.line,
            position.column,
            field.as_deref().unwrap_or_default(),
            resource.as_deref().unwrap_or_default()
        )
    };
    let more = (notices.more > 0).then(|| format!("and {} more\n", notices.more));
    notices.list.iter().map(line).chain(more).collect()
}

/// The error as a user reads it: the message with its place, what led there, and the hint.
fn report(error: &kustomize::Error) -> String {
    let mut text = format!("error: {error}\n");
    text.extend(
        error
            .details()
            .trail
            .iter()
            .map(|step| format!("  needed by {step}\n")),
    );
    text.extend(
        error
            .details()
            .hint
            .iter()
            .map(|hint| format!("hint: {hint}\n")),
    );
    text
}

/// Fails with the lines around the first difference.
fn compare(want: &str, got: &str) -> TestResult {
    if want == got {
        return Ok(());
    }
    let (want, got): (Vec<_>, Vec<_>) = (want.split('\n').collect(), got.split('\n').collect());
    let same = want
        .iter()
        .zip(&got)
        .take_while(|(want, got)| want == got)
        .count();
    let mut text = format!("line {} differs\n", same + 1);
    let mut show = |mark: char, lines: &[&str], from: usize, count: usize| {
        text.extend(
            lines
                .iter()
                .skip(from)
                .take(count)
                .map(|line| format!("{mark} {line}\n")),
        );
    };
    show(' ', &want, same.saturating_sub(3), same.min(3));
    show('-', &want, same, 6);
    show('+', &got, same, 6);
    Err(text.into())
}
