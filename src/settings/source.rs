//! Settings out of files: manifests, `.env` files and directories.

use std::fs;
use std::path::Path;

use super::{Place, Settings, dotenv, manifest};
use crate::failure::{Failure, Problem};
use crate::files;

/// What the first line of a manifest may begin with.
const BEGINNINGS: [&[u8]; 8] = [
    b"---",
    b"{",
    b"apiVersion:",
    b"kind:",
    b"metadata:",
    b"data:",
    b"stringData:",
    b"items:",
];

/// Reads settings files in order into settings; what a later one says wins over what is there.
///
/// A directory holds a file for each key, as a mounted Secret does. A file that ends in `.yaml`, `.yml` or `.json`, or
/// begins as an object does, is a manifest; any other one is a `.env` file. A pipe is read until it is closed.
///
/// # Errors
/// Where one cannot be read or is none of these. No message holds a value.
pub fn read<'a>(
    paths: impl IntoIterator<Item = &'a Path>,
    settings: &mut Settings,
) -> Result<(), Failure> {
    for path in paths {
        let name = path.display().to_string();
        if fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
            directory(path, &name, settings)
        } else {
            file(path, &name, settings)
        }
        .map_err(Problem::into_failure)?;
        settings.add_source(name);
    }
    Ok(())
}

fn file(path: &Path, name: &str, settings: &mut Settings) -> Result<(), Problem> {
    let bytes = content(path, name, true)?;
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    if matches!(extension, "yaml" | "yml" | "json") || has_look_of_manifest(&bytes) {
        return manifest::read(&bytes, name, settings);
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(Problem::new("the settings file is not UTF-8 text")
            .at(name, line_of_first_wrong_byte(&bytes))
            .hint("save it as UTF-8; a manifest must end in `.yaml`, `.yml` or `.json`"));
    };
    for dotenv::Assignment { key, value, line } in dotenv::parse(text, name)? {
        settings.insert(
            key,
            value.into_bytes(),
            Place {
                file: name.to_owned(),
                line,
            },
        );
    }
    Ok(())
}

/// Whether a file begins as a manifest does, which no `.env` file can: its first line there is `KEY=VALUE`.
fn has_look_of_manifest(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let first = lines.next().unwrap_or_default();
    BEGINNINGS.iter().any(|start| first.starts_with(start))
}

fn directory(path: &Path, name: &str, settings: &mut Settings) -> Result<(), Problem> {
    let unreadable = |error: &std::io::Error| {
        Problem::new(format!(
            "cannot read the settings directory: {}",
            files::plain(error)
        ))
        .at(name, 0)
    };
    let mut paths = fs::read_dir(path)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(|error| unreadable(&error))?;
    paths.sort();
    for path in paths {
        let name = path.display().to_string();
        let key = path
            .file_name()
            .and_then(|key| key.to_str())
            .unwrap_or_default();
        // A mounted Secret keeps its versions in `..data` and the like.
        if key.starts_with('.') {
            continue;
        }
        if !super::is_key(key) {
            return Err(
                Problem::new("the file's name holds characters that no key may have")
                    .at(name, 0)
                    .hint("use letters, digits, `_`, `-` and `.`, or remove the file"),
            );
        }
        let bytes = content(&path, &name, false)?;
        settings.insert(
            key,
            bytes,
            Place {
                file: name,
                line: 0,
            },
        );
    }
    Ok(())
}

fn content(path: &Path, name: &str, is_named: bool) -> Result<Vec<u8>, Problem> {
    let bytes = if is_named {
        files::read_named(path)
    } else {
        files::read_regular(path)
    };
    bytes.map_err(|error| {
        Problem::new(format!("cannot read settings: {error}"))
            .at(name, 0)
            .hint("`--settings` takes a Secret or ConfigMap manifest, a `.env` file or a directory with a file for each key")
    })
}

fn line_of_first_wrong_byte(bytes: &[u8]) -> u32 {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let lines = bytes
        .iter()
        .take(valid)
        .filter(|byte| **byte == b'\n')
        .count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        super::read(paths, &mut settings)?;
        Ok(settings)
    }

    #[test]
    fn a_mounted_secret_is_a_directory_of_keys() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("..2026_11_01")).unwrap();
        fs::write(directory.path().join("A"), "one\n").unwrap();
        fs::write(directory.path().join("BINARY"), [0xff]).unwrap();
        let settings = read([directory.path()]).unwrap_or_else(|failure| panic!("{failure}"));
        let found = settings.get("A").ok().flatten().expect("the key is there");
        assert_eq!(found.value.reveal(), "one\n");
        assert!(found.origin.file.ends_with("/A"));
        assert!(settings.get("BINARY").is_err());
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = read([Path::new("/none/settings.yaml")])
            .err()
            .map(|failure| failure.to_string())
            .unwrap_or_default();
        let expected =
            "error: /none/settings.yaml: cannot read settings: no such file or directory\n";
        assert!(failure.starts_with(expected), "{failure}");
    }

    #[test]
    fn later_files_win() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (
            directory.path().join("a.env"),
            directory.path().join("b.env"),
        );
        fs::write(&first, "A=1\nB=1\n").unwrap();
        fs::write(&second, "A=2\nB=\n").unwrap();
        let settings =
            read([first.as_path(), second.as_path()]).unwrap_or_else(|failure| panic!("{failure}"));
        let value = |key| {
            settings
                .get(key)
                .ok()
                .flatten()
                .map(|found| found.value.reveal().to_string())
        };
        assert_eq!(
            (value("A").as_deref(), value("B").as_deref()),
            (Some("2"), Some("1"))
        );
    }
}
