//! The disk as the engine may see it; the only place in the render path that reads files.

#[cfg(test)]
mod bound;
mod opened;

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use kustomize::{Entry, External, FileError, Files};
use rustix::fs::Mode;

use crate::external::Outside;

/// The size above which a file is refused, in bytes.
pub const SIZE_LIMIT: u64 = 64 << 20;

/// Files on disk.
#[derive(Clone, Debug, Default)]
pub struct DiskFiles {
    bound: Option<PathBuf>,
    outside: Arc<Outside>,
    seen: Option<Arc<Seen>>,
    directories: Arc<Directories>,
}

/// Where directories are once links are followed, by the paths by which they were asked for. A build asks for many files
/// in few directories, and following a path takes a call of the system for each part of it.
#[derive(Debug, Default)]
struct Directories(Mutex<HashMap<OsString, PathBuf>>);

/// What was looked at, and what was there just before.
#[derive(Debug, Default)]
pub struct Seen(Mutex<BTreeMap<PathBuf, Stamp>>);

/// What tells a file from what it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// Nothing is there.
    Absent,
    /// A directory; when something in it came or went, where that counts.
    Directory(Option<SystemTime>),
    /// A file: its number, its size, and when it was changed.
    File(u64, u64, Option<SystemTime>),
}

impl Seen {
    /// Notes a path, unless it is known.
    pub fn note(&self, path: &Path) {
        let mut seen = self.seen();
        if !seen.contains_key(path) {
            seen.insert(path.to_owned(), Stamp::of(path));
        }
    }

    /// Notes a path; in a directory what comes and goes counts.
    pub fn note_whole(&self, path: &Path) {
        let stamp = match Stamp::of(path) {
            Stamp::Directory(_) => Stamp::Directory(modified(path)),
            other => other,
        };
        self.seen().insert(path.to_owned(), stamp);
    }

    /// What is at a path that was noted, looked at in the same way.
    pub fn stamp(&self, path: &Path) -> Stamp {
        let is_whole = matches!(self.seen().get(path), Some(Stamp::Directory(Some(_))));
        match Stamp::of(path) {
            Stamp::Directory(_) if is_whole => Stamp::Directory(modified(path)),
            other => other,
        }
    }

    /// What was noted.
    pub fn stamps(&self) -> BTreeMap<PathBuf, Stamp> {
        self.seen().clone()
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Stamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

impl Stamp {
    /// What is at a path, links followed.
    pub fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Err(_) => Self::Absent,
            Ok(metadata) if metadata.is_dir() => Self::Directory(None),
            Ok(metadata) => Self::File(metadata.ino(), metadata.len(), metadata.modified().ok()),
        }
    }
}

impl Directories {
    /// Follows the links in a path, and looks at what it leads to.
    fn resolve(&self, path: &Path) -> io::Result<(PathBuf, Metadata)> {
        if let Some((parent, name)) = split(path) {
            let resolved = self.follow(parent)?.join(name);
            let metadata = fs::symlink_metadata(&resolved)?;
            if !metadata.is_symlink() {
                if metadata.is_dir() {
                    self.known().insert(path.into(), resolved.clone());
                }
                return Ok((resolved, metadata));
            }
        }
        let resolved = fs::canonicalize(path)?;
        let metadata = fs::metadata(&resolved)?;
        Ok((resolved, metadata))
    }

    /// Follows the links in the path of a directory.
    fn follow(&self, directory: &Path) -> io::Result<PathBuf> {
        if let Some(resolved) = self.known().get(directory.as_os_str()) {
            return Ok(resolved.clone());
        }
        let resolved = fs::canonicalize(directory)?;
        self.known().insert(directory.into(), resolved.clone());
        Ok(resolved)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<OsString, PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The directory that a path names an entry of, and the entry's name; nothing for `a/..`, `a/.` and `a/`.
fn split(path: &Path) -> Option<(&Path, &OsStr)> {
    let (parent, name) = (path.parent()?, path.file_name()?);
    let is_last = path.as_os_str().as_bytes().ends_with(name.as_bytes());
    (is_last && !parent.as_os_str().is_empty()).then_some((parent, name))
}

impl DiskFiles {
    /// All of the disk, and nothing from elsewhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with what may be fetched from elsewhere.
    #[must_use]
    pub fn with_outside(self, outside: Arc<Outside>) -> Self {
        Self { outside, ..self }
    }

    /// The same, with notes of what is looked at.
    #[must_use]
    pub fn noting(self, seen: Arc<Seen>) -> Self {
        Self {
            seen: Some(seen),
            ..self
        }
    }

    fn note(&self, path: &Path) {
        if let Some(seen) = &self.seen {
            seen.note(path);
        }
    }

    /// One directory and what is below it, wherever symbolic links lead.
    ///
    /// # Errors
    /// Where there is no such directory.
    pub fn within(directory: &Path) -> Result<Self, FileError> {
        Ok(Self {
            bound: Some(fs::canonicalize(directory).map_err(|error| said(&error))?),
            ..Self::default()
        })
    }

    fn check_bound(&self, path: &Path) -> Result<(), FileError> {
        match &self.bound {
            Some(bound) if !path.starts_with(bound) && !self.outside.has_fetched(path) => {
                // Where the checkout lies is nobody's business, and another place for each call of the plugin: Argo CD
                // would take the same failure for a new one each time.
                Err(FileError::Outside("the repository".into()))
            }
            _ => Ok(()),
        }
    }
}

impl Files for DiskFiles {
    fn resolve(&self, path: &str) -> Result<Entry, FileError> {
        self.note(Path::new(path));
        let found = self.directories.resolve(Path::new(path));
        let (resolved, metadata) = found.map_err(|error| {
            // What is not there may lie outside as well, and of that nobody learns whether it is there.
            let mut above = Path::new(path).ancestors().skip(1);
            let there = above.find_map(|above| self.directories.follow(above).ok());
            let is_inside = there.map_or(Ok(()), |there| self.check_bound(&there));
            is_inside.err().unwrap_or_else(|| said(&error))
        })?;
        self.check_bound(&resolved)?;
        let Ok(resolved) = resolved.into_os_string().into_string() else {
            return Err(FileError::Other(
                "the path that it leads to is not UTF-8".into(),
            ));
        };
        Ok(if metadata.is_dir() {
            Entry::Directory(resolved)
        } else {
            Entry::File(resolved)
        })
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.check_bound(Path::new(path))?;
        self.note(Path::new(path));
        read_resolved(Path::new(path))
    }

    fn external(&self) -> &dyn External {
        self.outside.as_ref()
    }

    fn names_in(&self, directory: &str) -> Vec<String> {
        let directory = Path::new(directory);
        if self.check_bound(directory).is_err() {
            return Vec::new();
        }
        let mut names = opened::names_in(directory);
        names.sort();
        names
    }
}

/// As [`read_regular`], of a path without links: where one has come since the path was resolved, it is not followed.
fn read_resolved(path: &Path) -> Result<Vec<u8>, FileError> {
    read_opened(path, opened::open(path))
}

/// Reads a regular file of at most [`SIZE_LIMIT`] bytes; a pipe or a device is refused before it can block.
///
/// # Errors
/// Where it cannot be read, is something else, or is larger.
pub fn read_regular(path: &Path) -> Result<Vec<u8>, FileError> {
    read_opened(path, open(path))
}

/// Reads what was opened without waiting, if it is a regular file. It is looked at once it is open: the name may be given
/// to something else at any time.
fn read_opened(path: &Path, opened: io::Result<File>) -> Result<Vec<u8>, FileError> {
    let file = opened.map_err(|error| {
        // What cannot be opened may be none that could be read.
        let metadata = fs::metadata(path).ok();
        let checked = metadata.map_or(Ok(()), |metadata| check_regular(&metadata));
        checked.err().unwrap_or_else(|| said(&error))
    })?;
    let metadata = file.metadata().map_err(|error| said(&error))?;
    check_regular(&metadata)?;
    read_limited(file, metadata.len())
}

/// Reads what somebody has named on the command line: a regular file, or a pipe until its writer closes it, as a shell
/// makes one for `<(…)`; at most [`SIZE_LIMIT`] bytes.
///
/// # Errors
/// Where it cannot be read, is something else, or is larger.
pub fn read_named(path: &Path) -> Result<Vec<u8>, FileError> {
    let is_pipe = fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo());
    if !is_pipe {
        return read_regular(path);
    }
    let file = File::open(path).map_err(|error| said(&error))?;
    read_limited(file, 0)
}

fn read_limited(file: File, expected: u64) -> Result<Vec<u8>, FileError> {
    let expected = usize::try_from(expected).unwrap_or(0);
    let mut bytes = vec![0; expected.saturating_add(1)];
    let mut file = file.take(SIZE_LIMIT + 1);
    let read = match file.read(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::Interrupted => 0,
        read => read.map_err(|error| said(&error))?,
    };
    bytes.truncate(read);
    // Most often there is no more than there was said to be, and no other call is needed to see that.
    if read != expected || expected == 0 {
        file.read_to_end(&mut bytes).map_err(|error| said(&error))?;
    }
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > SIZE_LIMIT {
        return Err(FileError::TooLarge(SIZE_LIMIT));
    }
    Ok(bytes)
}

/// Opens what is at a path, whatever it is, without waiting: for the writer of a pipe, say.
fn open(path: &Path) -> io::Result<File> {
    Ok(rustix::fs::open(path, opened::READING, Mode::empty())?.into())
}

fn check_regular(metadata: &Metadata) -> Result<(), FileError> {
    if metadata.is_dir() {
        return Err(FileError::Other("is a directory".into()));
    }
    if !metadata.is_file() {
        return Err(FileError::Other("is not a regular file".into()));
    }
    if metadata.len() > SIZE_LIMIT {
        return Err(FileError::TooLarge(SIZE_LIMIT));
    }
    Ok(())
}

fn said(error: &io::Error) -> FileError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => FileError::NotFound,
        ErrorKind::PermissionDenied => FileError::Other("permission denied".into()),
        ErrorKind::InvalidFilename => FileError::Other("file name too long".into()),
        ErrorKind::InvalidInput => {
            FileError::Other("the path holds a character that no file name may have".into())
        }
        _ => FileError::Other(plain(error)),
    }
}

/// What the operating system says, in the way of all messages here: lower case, without its number.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text
        .split_once(" (os error")
        .map_or(text.as_str(), |(text, _)| text);
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn text(path: &Path) -> &str {
        path.to_str()
            .expect("temporary directories have plain names")
    }

    #[test]
    fn links_are_resolved() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::write(root.join("real"), "x").unwrap();
        symlink("real", root.join("link")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let files = DiskFiles::new();
        assert_eq!(
            files.resolve(text(&root.join("link"))),
            Ok(Entry::File(text(&root.join("real")).into()))
        );
        assert_eq!(
            files.resolve(text(&root.join("./."))),
            Ok(Entry::Directory(text(&root).into()))
        );
        assert_eq!(
            files.resolve(text(&root.join("none"))),
            Err(FileError::NotFound)
        );
        let error = files.resolve(text(&root.join("loop"))).unwrap_err();
        assert_eq!(error.to_string(), "too many levels of symbolic links");
    }

    #[test]
    fn a_bound_holds_behind_links() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("inside");
        fs::create_dir(&inside).unwrap();
        fs::write(directory.path().join("outside"), "x").unwrap();
        symlink("../outside", inside.join("link")).unwrap();
        let files = DiskFiles::within(&inside).unwrap();
        assert!(matches!(
            files.resolve(text(&inside.join("link"))),
            Err(FileError::Outside(bound)) if bound == "the repository"
        ));
        assert!(matches!(
            files.resolve(text(&directory.path().join("none/x"))),
            Err(FileError::Outside(_))
        ));
        assert!(matches!(
            files.resolve(text(&inside.join("none/x"))),
            Err(FileError::NotFound)
        ));
        assert!(matches!(
            files.read(text(&directory.path().join("outside"))),
            Err(FileError::Outside(_))
        ));
    }

    #[test]
    fn devices_and_large_files_are_refused_at_once() {
        let files = DiskFiles::new();
        assert_eq!(
            files.read("/dev/zero"),
            Err(FileError::Other("is not a regular file".into()))
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large");
        File::create(&path)
            .unwrap()
            .set_len(SIZE_LIMIT + 1)
            .unwrap();
        assert_eq!(
            files.read(text(&path)),
            Err(FileError::TooLarge(SIZE_LIMIT))
        );
        assert_eq!(
            files.read(text(directory.path())),
            Err(FileError::Other("is a directory".into()))
        );
    }
}
