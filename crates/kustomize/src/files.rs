//! The only way in: a tree of files as a trait, and a tree in memory.

use std::collections::BTreeMap;

use crate::external::{External, NoExternal};

/// The names that a kustomization file may have.
pub const KUSTOMIZATION_FILES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A tree of files that a build reads from.
///
/// Paths are absolute, with `/` between the parts. An implementation decides what exists and what may be read; the
/// engine's own rule, that a kustomization reads nothing outside its directory, stands above it.
pub trait Files: Sync {
    /// Resolves a path to what it leads to, following symbolic links.
    ///
    /// # Errors
    /// Where nothing is there, where links form a loop, and where the implementation refuses.
    fn resolve(&self, path: &str) -> Result<Entry, FileError>;

    /// The content of the file at a resolved path.
    ///
    /// # Errors
    /// Where it is no readable file.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;

    /// As [`Self::resolve`], for somebody who is going to read the path if it leads to a file.
    ///
    /// # Errors
    /// As for [`Self::resolve`].
    fn look_up(&self, path: &str) -> Result<Found, FileError> {
        self.resolve(path).map(Found::from)
    }

    /// What lies outside of the tree; nothing, unless this is written.
    fn external(&self) -> &dyn External {
        &NoExternal
    }

    /// The names in the directory at a resolved path, for hints and for patterns; none where it cannot or must not be
    /// looked into.
    fn names_in(&self, directory: &str) -> Vec<String> {
        let _ = directory;
        Vec::new()
    }
}

/// What a path leads to: its own absolute path, free of `.`, `..` and symbolic links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A directory.
    Directory(String),
    /// A file.
    File(String),
}

/// What a path leads to, and maybe a file that is open already.
pub struct Found {
    /// What it leads to.
    pub entry: Entry,
    /// What reads the file, where it is open already; what it gives is as from [`Files::read`].
    pub opened: Option<Opened>,
}

/// Reads a file that is open.
pub type Opened = Box<dyn FnOnce() -> Result<Vec<u8>, FileError> + Send>;

impl From<Entry> for Found {
    fn from(entry: Entry) -> Self {
        Self {
            entry,
            opened: None,
        }
    }
}

/// Why a path cannot be resolved or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Nothing is there.
    #[error("no such file or directory")]
    NotFound,
    /// It lies outside of what may be read; the text says of what.
    #[error("outside of {0}")]
    Outside(String),
    /// It is larger than the limit, in bytes.
    #[error("larger than the limit of {0} bytes")]
    TooLarge(u64),
    /// What the operating system says.
    #[error("{0}")]
    Other(String),
}

/// A tree of files in memory, for tests and for callers that have no disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: BTreeMap<String, Content>,
}

#[derive(Clone, Debug)]
enum Content {
    Bytes(Vec<u8>),
    Link(String),
}

impl MemoryFiles {
    /// An empty tree.
    pub const fn new() -> Self {
        Self {
            files: BTreeMap::new(),
        }
    }

    /// Adds a file; directories come into being with the files in them.
    pub fn insert(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files
            .insert(clean(path), Content::Bytes(content.into()));
    }

    /// Adds a symbolic link; a relative target counts from the link's directory.
    pub fn link(&mut self, path: &str, target: &str) {
        let path = clean(path);
        let target = join(parent(&path), target);
        self.files.insert(path, Content::Link(target));
    }

    fn follow(&self, path: &str, hops: u32) -> Result<Entry, FileError> {
        if hops > 40 {
            return Err(FileError::Other("too many levels of symbolic links".into()));
        }
        let mut at = String::from("/");
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        while let Some(part) = parts.next() {
            at = join(&at, part);
            if let Some(Content::Link(target)) = self.files.get(&at) {
                let rest = parts.collect::<Vec<_>>().join("/");
                return self.follow(&join(target, &rest), hops + 1);
            }
        }
        if matches!(self.files.get(&at), Some(Content::Bytes(_))) {
            return Ok(Entry::File(at));
        }
        let prefix = if at == "/" {
            at.clone()
        } else {
            format!("{at}/")
        };
        let is_directory = self
            .files
            .range(prefix.clone()..)
            .next()
            .is_some_and(|(name, _)| name.starts_with(&prefix));
        if is_directory {
            Ok(Entry::Directory(at))
        } else {
            Err(FileError::NotFound)
        }
    }
}

impl Files for MemoryFiles {
    fn resolve(&self, path: &str) -> Result<Entry, FileError> {
        self.follow(&clean(path), 0)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match self.files.get(path) {
            Some(Content::Bytes(bytes)) => Ok(bytes.clone()),
            Some(Content::Link(_)) | None => Err(FileError::NotFound),
        }
    }

    fn names_in(&self, directory: &str) -> Vec<String> {
        let within = |path: &'_ String| -> Option<String> {
            let rest = path.strip_prefix(directory.trim_end_matches('/'))?;
            rest.strip_prefix('/')?.split('/').next().map(str::to_owned)
        };
        let mut names: Vec<String> = self.files.keys().filter_map(within).collect();
        names.dedup();
        names
    }
}

/// Joins a path to a directory and cleans the result; an absolute path replaces the directory.
pub fn join(directory: &str, path: &str) -> String {
    if path.starts_with('/') {
        clean(path)
    } else {
        clean(&format!("{directory}/{path}"))
    }
}

/// Resolves `.`, `..` and repeated slashes in an absolute path, as text.
pub fn clean(path: &str) -> String {
    if is_clean(path) {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether a path has nothing to resolve; said of most that have not.
pub(crate) fn is_clean(path: &str) -> bool {
    let starts_odd_part = |pair: &[u8; 2]| matches!(pair, [b'/', b'/' | b'.']);
    path.len() > 1
        && path.starts_with('/')
        && !path.ends_with('/')
        && !path.as_bytes().array_windows().any(starts_odd_part)
}

/// The directory that an absolute path lies in.
pub fn parent(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(index) => path.get(..index).unwrap_or("/"),
    }
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path is a directory or lies below it.
pub fn is_within(path: &str, directory: &str) -> bool {
    directory == "/"
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
