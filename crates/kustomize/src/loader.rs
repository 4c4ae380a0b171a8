//! Reading files on behalf of a kustomization: nothing outside its directory, no cycles.
//!
//! A path may be an address: of a file behind HTTP, or of a repository. What it leads to comes through
//! [`External`](crate::External).

mod reads;
mod remote;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::build::Options;
use crate::decode;
use crate::error::{Error, Result};
use crate::external::{External, NoExternal};
use crate::files::{self, Entry, FileError, Files};
use crate::kustomization::Located;
use crate::repository::Repository;
pub(crate) use reads::Reads;
use remote::Checkout;
pub(crate) use remote::is_http;

/// Whether a kustomization may read files outside its directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictions {
    /// It may not: kustomize's default.
    #[default]
    RootOnly,
    /// It may read whatever the [`Files`] give.
    None,
}

/// The longest path that is looked up, in bytes: no system has longer ones.
const LONGEST_PATH: usize = 4096;

/// Reads files for the kustomization of one directory.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    files: &'a dyn Files,
    restrictions: LoadRestrictions,
    /// Resolved directories from the one that is built down to this one.
    roots: Vec<String>,
    /// The repositories on the way there that were checked out, the innermost last.
    checkouts: Vec<Arc<Checkout>>,
    /// The directory from which errors name files.
    named_from: Arc<str>,
    names: Arc<Mutex<FileNames>>,
    reads: Reads,
}

/// The names of the files that were read; [`Position::file`] counts in it, from 1.
#[derive(Debug, Default)]
pub struct FileNames(Vec<String>);

impl FileNames {
    /// Whether a name is that of something that was fetched, or was asked for by [`Edits`](crate::Edits): it is in angle
    /// brackets, and leads nowhere in the tree of files.
    pub fn is_of_fetched(name: &str) -> bool {
        name.starts_with('<')
    }

    /// Adds a name, and gives its number.
    pub(crate) fn add(&mut self, name: String) -> u32 {
        self.0.push(name);
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// The name with this number.
    pub fn get(&self, file: u32) -> Option<&str> {
        let index = usize::try_from(file).ok()?.checked_sub(1)?;
        self.0.get(index).map(String::as_str)
    }
}

/// A path that a kustomization names and what it leads to, looked up once.
#[derive(Debug)]
pub(crate) struct Found<'p> {
    path: &'p str,
    /// The path as an absolute one, not resolved.
    asked: String,
    entry: Result<Entry, FileError>,
}

impl<'p> Found<'p> {
    /// The path as the kustomization names it.
    pub(crate) const fn path(&self) -> &'p str {
        self.path
    }

    /// Whether it is a file; says nothing about whether it may be read.
    pub(crate) const fn is_file(&self) -> bool {
        matches!(self.entry, Ok(Entry::File(_)))
    }

    /// Whether it is a directory; says nothing about whether it may be entered.
    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.entry, Ok(Entry::Directory(_))) && !self.is_address()
    }

    /// Whether the path is an address, whatever stands on disk.
    pub(crate) fn is_address(&self) -> bool {
        is_http(self.path) || Repository::parse(self.path).is_some()
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Its content.
    pub bytes: Vec<u8>,
    /// How errors name it.
    pub name: String,
    /// Its number, for [`Position::file`].
    pub number: u32,
}

impl<'a> Loader<'a> {
    /// Starts at the directory that is built.
    ///
    /// # Errors
    /// Where it is none.
    pub(crate) fn new(files: &'a dyn Files, root: &str, options: &Options) -> Result<Self> {
        let named_from = options.named_from.as_deref().unwrap_or(root).into();
        let loader = Self {
            files,
            restrictions: options.load_restrictions,
            roots: Vec::new(),
            checkouts: Vec::new(),
            named_from,
            names: Arc::default(),
            reads: Reads::new(options),
        };
        if let Some(repository) = Repository::parse(root) {
            return loader.enter_repository(&repository);
        }
        match files.resolve(root) {
            Ok(Entry::Directory(resolved)) => Ok(loader.below(resolved)),
            Ok(Entry::File(_)) => Err(Error::new(format!("`{root}` is a file, not a directory"))
                .hint("name the directory that holds the kustomization file")),
            Err(error) => Err(Error::new(format!(
                "cannot read directory `{root}`: {error}"
            ))),
        }
    }

    /// A loader for a directory that this one's kustomization leads to.
    fn below(&self, root: String) -> Self {
        let mut below = self.clone();
        below.roots.push(root);
        below
    }

    /// The resolved directory.
    pub(crate) fn root(&self) -> &str {
        self.roots.last().map_or("/", String::as_str)
    }

    /// The names of all files that this loader and those made of it have read.
    pub(crate) fn names(&self) -> MutexGuard<'_, FileNames> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, for whoever goes on when the loader is gone.
    pub(crate) fn shared_names(&self) -> Arc<Mutex<FileNames>> {
        Arc::clone(&self.names)
    }

    /// The same for a branch of the build, without the way out of the tree of files.
    pub(crate) fn in_branch(self, reads: &Reads) -> Self {
        Self {
            reads: reads.clone(),
            ..self
        }
    }

    /// What a branch of the build may still read.
    pub(crate) fn reads_apart(&self) -> Reads {
        self.reads.apart()
    }

    /// The way out of the tree of files.
    pub(crate) fn external(&self) -> &'a dyn External {
        if self.reads.is_of_branch() {
            return &NoExternal;
        }
        self.files.external()
    }

    /// Whether files outside of the directory are out of reach.
    pub(crate) fn is_restricted(&self) -> bool {
        self.restrictions == LoadRestrictions::RootOnly
    }

    /// How errors name an absolute path.
    pub(crate) fn display(&self, path: &str) -> String {
        let mut checkouts = self.checkouts.iter().rev();
        let named = checkouts.find_map(|checkout| checkout.name_of(path));
        named.unwrap_or_else(|| relative(&self.named_from, path))
    }

    /// Reads a file named by a kustomization.
    ///
    /// # Errors
    /// Where it is not there, not readable, or outside of the kustomization's directory.
    pub(crate) fn load(&self, path: &Located) -> Result<Loaded> {
        self.load_path(&path.text)
            .map_err(|error| error.position(path.position))
    }

    /// As [`Self::load`], where the path stands in no file.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub(crate) fn load_path(&self, path: &str) -> Result<Loaded> {
        self.load_found(&self.find(path))
    }

    /// Resolves an absolute path.
    ///
    /// # Errors
    /// As for [`Files::resolve`].
    pub(crate) fn resolve(&self, path: &str) -> Result<Entry, FileError> {
        self.files.resolve(path)
    }

    /// The names in the directory at a resolved path.
    pub(crate) fn names_in(&self, directory: &str) -> Vec<String> {
        self.files.names_in(directory)
    }

    /// Reads a file in a directory that is not the kustomization's, such as that of a chart.
    ///
    /// # Errors
    /// Where it cannot be read, and where it is not in the directory.
    pub(crate) fn load_within(&self, path: &str, directory: &str) -> Result<Vec<u8>> {
        match self.files.resolve(path) {
            Ok(Entry::File(resolved)) if files::is_within(&resolved, directory) => {
                self.read(&resolved, path, &self.reads)
            }
            Ok(Entry::File(_) | Entry::Directory(_)) => Err(Error::new(format!(
                "`{}` is no file of `{}`",
                self.display(path),
                self.display(directory)
            ))),
            Err(error) => Err(self.unreadable(&self.display(path), &error)),
        }
    }

    /// Looks up a path that counts from the kustomization's directory.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Found<'p> {
        let asked = files::join(self.root(), path);
        let entry = if path.len() > LONGEST_PATH {
            Err(FileError::Other("file name too long".to_owned()))
        } else {
            self.files.resolve(&asked)
        };
        Found { path, asked, entry }
    }

    /// As [`Self::load_path`], for a path that has been looked up.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub(crate) fn load_found(&self, found: &Found) -> Result<Loaded> {
        self.load_counted(found, &self.reads)
    }

    /// As [`Self::load_found`], counted there.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub(crate) fn load_counted(&self, found: &Found, reads: &Reads) -> Result<Loaded> {
        let Found { path, asked, entry } = found;
        if is_http(path) {
            return self.load_http(path).map_err(|error| error.into_error(path));
        }
        let resolved = match entry {
            Ok(Entry::File(resolved)) => resolved,
            Ok(Entry::Directory(_)) => {
                return Err(Error::new(format!(
                    "`{path}` is a directory where a file is expected"
                ))
                .hint("name one of the files in it"));
            }
            Err(error) => return Err(self.unreadable(path, error)),
        };
        if self.is_restricted() && !files::is_within(resolved, self.root()) {
            return Err(Error::new(format!(
                "file `{path}` is not in or below the kustomization's directory `{}`",
                self.display(self.root())
            ))
            .hint("move it below that directory, or make the directory it is in a base with a kustomization of its own"));
        }
        let bytes = self.read(resolved, path, reads)?;
        Ok(self.note(self.display(asked), bytes))
    }

    /// Reads the file at a resolved path, which messages name as it was asked for.
    fn read(&self, resolved: &str, path: &str, reads: &Reads) -> Result<Vec<u8>> {
        reads.open()?;
        let bytes = self.files.read(resolved);
        let bytes = bytes.map_err(|error| self.unreadable(path, &error))?;
        reads.count(bytes.len())?;
        Ok(bytes)
    }

    /// Gives a file that was read its number.
    fn note(&self, name: String, bytes: Vec<u8>) -> Loaded {
        let number = self.names().add(name.clone());
        Loaded {
            bytes,
            name,
            number,
        }
    }

    /// A loader for a base or component of this kustomization.
    ///
    /// # Errors
    /// Where the path is no directory, or one that is being built already.
    // kustomize: FileLoader.New
    pub(crate) fn enter(&self, found: &Found) -> Result<Self> {
        let Found {
            path,
            asked: _,
            entry,
        } = found;
        if path.is_empty() {
            return Err(Error::new("the path of a base is empty").hint("remove the empty entry"));
        }
        if let Some(repository) = Repository::parse(path) {
            self.check_repository_cycle(&repository)?;
            self.check_locality(&repository)?;
            return self.enter_repository(&repository);
        }
        if path.starts_with('/') {
            return Err(
                Error::new(format!("the path of a base cannot be absolute: `{path}`"))
                    .hint("name the base by a path relative to the kustomization"),
            );
        }
        if let Some(part) = path
            .split('/')
            .find(|part| !matches!(*part, "." | "..") && part.contains(".."))
        {
            return Err(
                Error::new(format!("the path `{path}` is ambiguous: what is `{part}`?"))
                    .hint("check the indentation of the list in the kustomization file"),
            );
        }
        let root = match entry {
            Ok(Entry::Directory(root)) => root,
            Ok(Entry::File(_)) => {
                return Err(Error::new(format!(
                    "`{path}` is a file where a directory with a kustomization is expected"
                ))
                .hint("name the directory that the file is in"));
            }
            Err(error) => return Err(self.unreadable(path, error)),
        };
        self.check_containment(path, root)?;
        self.check_cycle(path, root)?;
        Ok(self.below(root.clone()))
    }

    /// Refuses a directory that is being built already, or that holds one that is.
    // kustomize: FileLoader.errIfArgEqualOrHigher
    fn check_cycle(&self, path: &str, root: &str) -> Result<()> {
        if let Some(visited) = self
            .roots
            .iter()
            .rev()
            .find(|visited| files::is_within(visited, root))
        {
            let (directory, inner) = (self.display(root), self.display(visited));
            let reason = if directory == inner {
                String::new()
            } else {
                format!(" contains `{inner}`, which")
            };
            return Err(Error::new(format!("cycle: `{path}` leads to `{directory}`, which{reason} is being built"))
            .hint("a base cannot be the kustomization itself, one that uses it, or a directory above them"));
        }
        Ok(())
    }

    /// The path that may have been meant by one that leads nowhere: a part of it spelled otherwise, or one `..` more or
    /// less.
    fn nearest(&self, path: &str) -> Option<String> {
        let leads = |path: &str| {
            let entry = self.files.resolve(&files::join(self.root(), path))?;
            let (Entry::Directory(found) | Entry::File(found)) = &entry;
            // What is outside of a repository that was fetched is none of its business, names least of all.
            match self.checkout() {
                Some(top) if !files::is_within(found, top) => Err(FileError::NotFound),
                _ => Ok(entry),
            }
        };
        let parts: Vec<&str> = path.split('/').collect();
        for (index, part) in parts.iter().enumerate() {
            let (before, rest) = (parts.get(..index)?.join("/"), parts.get(index + 1..)?);
            let Ok(Entry::Directory(directory)) = leads(&before) else {
                break;
            };
            let names = self.files.names_in(&directory);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if names.contains(part) || matches!(*part, "" | "." | "..") {
                continue;
            }
            let mut meant = parts.get(..index)?.to_vec();
            meant.push(nearest_name(part, &names)?);
            meant.extend(rest);
            return Some(meant.join("/")).filter(|path| leads(path).is_ok());
        }
        let higher = format!("../{path}");
        let candidates = [Some(higher.as_str()), path.strip_prefix("../")];
        let mut candidates = candidates.into_iter().flatten();
        candidates
            .find(|path| leads(path).is_ok())
            .map(str::to_owned)
    }

    /// What to do where the directory has no kustomization file.
    pub(crate) fn where_to_build(&self) -> String {
        let names = self.files.names_in(self.root());
        let alike = |name: &&String| {
            let name = name.to_ascii_lowercase();
            let wanted = files::KUSTOMIZATION_FILES.map(str::to_ascii_lowercase);
            name.starts_with("kustomiz")
                && wanted
                    .iter()
                    .any(|wanted| decode::nearest(&name, &[wanted]).is_some())
        };
        if let Some(name) = names.iter().find(alike) {
            return format!("rename `{name}` to `kustomization.yaml`");
        }
        let is_built = |name: &&String| {
            let file = |file| files::join(self.root(), &format!("{name}/{file}"));
            files::KUSTOMIZATION_FILES
                .iter()
                .any(|name| matches!(self.files.resolve(&file(*name)), Ok(Entry::File(_))))
        };
        let below: Vec<&str> = names
            .iter()
            .filter(is_built)
            .map(String::as_str)
            .take(3)
            .collect();
        if !below.is_empty() {
            return format!("name a directory that has one: `{}`", below.join("`, `"));
        }
        match names
            .iter()
            .find(|name| matches!(name.rsplit_once('.'), Some((_, "yaml" | "yml"))))
        {
            Some(name) => format!("add a `kustomization.yaml` with `resources: [{name}]`"),
            None => "add a `kustomization.yaml`, or name the directory that has one".to_owned(),
        }
    }

    fn unreadable(&self, path: &str, error: &FileError) -> Error {
        if path.len() > LONGEST_PATH {
            let shown: String = path.chars().take(80).collect();
            return Error::new(format!("cannot read `{shown}…`: {error}"));
        }
        let made = Error::new(format!("cannot read `{path}`: {error}"));
        if *error == FileError::NotFound {
            if let Some(near) = self.nearest(path) {
                return made.hint(format!("did you mean `{near}`?"));
            }
            let place = self.display(self.root());
            return made.hint(if place == "." {
                "nothing of that name is beside the kustomization file, from where the path counts"
                    .to_owned()
            } else {
                format!("the path counts from the kustomization's directory, `{place}`")
            });
        }
        made
    }
}

/// The name that differs least from another, if it differs in its ending only or in few letters.
fn nearest_name<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let stem = |name: &str| {
        name.rsplit_once('.')
            .map_or(name.len(), |(stem, _)| stem.len())
    };
    let same_stem = |other: &&&str| other.get(..stem(other)) == name.get(..stem(name));
    names
        .iter()
        .find(same_stem)
        .copied()
        .or_else(|| decode::nearest(name, names))
}

/// A path as somebody in a directory would write it: with `..` where both share a directory, else absolute.
fn relative(from: &str, path: &str) -> String {
    // Most files are below the directory.
    if let Some(rest) = path.strip_prefix(from)
        && let Some(rest) = rest.strip_prefix('/')
        && !rest.is_empty()
        && files::is_clean(path)
    {
        return rest.to_owned();
    }
    let from_parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let shared = from_parts
        .iter()
        .zip(&parts)
        .take_while(|(left, right)| left == right)
        .count();
    if shared == 0 && !from_parts.is_empty() {
        return path.to_owned();
    }
    let mut result: Vec<&str> = vec![".."; from_parts.len() - shared];
    result.extend(parts.iter().skip(shared));
    if result.is_empty() {
        ".".to_owned()
    } else {
        result.join("/")
    }
}
