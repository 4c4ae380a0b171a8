//! Paths that are addresses: files behind HTTP, and repositories.

use std::sync::Arc;

use super::{LoadRestrictions, Loaded, Loader};
use crate::error::{Error, ErrorKind, Result};
use crate::external::ExternalError;
use crate::files::{self, Entry};
use crate::repository::{Repository, without_credentials};

/// A repository that was checked out for a build.
#[derive(Debug)]
pub(super) struct Checkout {
    repository: Repository,
    /// The directory with its top.
    directory: String,
}

impl Checkout {
    /// How errors name a path in the checkout; nothing for one outside.
    pub(super) fn name_of(&self, path: &str) -> Option<String> {
        let inner = path.strip_prefix(self.directory.as_str())?;
        let inner = match inner.strip_prefix('/') {
            Some(inner) => inner,
            None if inner.is_empty() => "",
            None => return None,
        };
        let reference = match self.repository.reference.as_str() {
            "" => String::new(),
            reference => format!("?ref={reference}"),
        };
        let url = without_credentials(&self.repository.url);
        Some(format!("<{url}//{inner}{reference}>"))
    }
}

/// Why a file behind HTTP cannot be had.
#[derive(Debug)]
pub(crate) struct HttpError(ExternalError);

impl HttpError {
    /// Whether the address may be that of a repository all the same.
    // kustomize: FileLoader.httpClientGetContent says so of any answer that is no success.
    pub(crate) const fn may_be_repository(&self) -> bool {
        !matches!(self.0, ExternalError::SwitchedOff { .. })
    }

    /// What went wrong, without the address.
    pub(crate) fn reason(&self) -> String {
        match &self.0 {
            ExternalError::SwitchedOff { .. } => "remote files are switched off".to_owned(),
            ExternalError::Status(status) => format!("the server answers with status {status}"),
            ExternalError::Failed { message, .. } => message.clone(),
        }
    }

    /// The error for whoever asked for a file and nothing else.
    pub(crate) fn into_error(self, url: &str) -> Error {
        let url = without_credentials(url);
        match self.0 {
            ExternalError::SwitchedOff { hint } => switched_off(&format!("`{url}`"), "files", hint),
            ExternalError::Status(_) => Error::new(format!(
                "cannot read `{url}`: {}",
                self.reason()
            ))
            .hint(
                "open the address in a browser; it must lead to the file itself, without a login",
            ),
            ExternalError::Failed { message, hint } => {
                Error::new(format!("cannot read `{url}`: {message}")).hint_if_known(hint)
            }
        }
    }
}

impl Loader<'_> {
    /// Reads a file behind an HTTP address.
    pub(crate) fn load_http(&self, url: &str) -> Result<Loaded, HttpError> {
        let bytes = self.external().get(url).map_err(HttpError)?;
        Ok(self.note(format!("<{}>", without_credentials(url)), bytes))
    }

    /// A loader for a directory in a repository.
    ///
    /// # Errors
    /// Where the repository cannot be had, and where there is no such directory in it.
    // kustomize: newLoaderAtGitClone
    pub(crate) fn enter_repository(&self, repository: &Repository) -> Result<Self> {
        let written = without_credentials(&repository.written);
        let directory = self
            .external()
            .check_out(repository)
            .map_err(|error| match error {
                ExternalError::SwitchedOff { hint } => {
                    switched_off(&format!("base `{written}`"), "bases", hint)
                }
                ExternalError::Status(status) => {
                    Error::new(format!("cannot fetch `{written}`: status {status}"))
                }
                ExternalError::Failed { message, hint } => {
                    Error::new(format!("cannot fetch `{written}`: {message}")).hint_if_known(hint)
                }
            })?;
        let root = match self.files.resolve(&files::join(
            &directory,
            &format!("./{}", repository.directory),
        )) {
            Ok(Entry::Directory(root)) if files::is_within(&root, &directory) => root,
            Ok(Entry::Directory(_)) => {
                return Err(Error::new(format!(
                    "`{written}` leads out of its repository through a symbolic link"
                )));
            }
            Ok(Entry::File(_)) => {
                return Err(Error::new(format!(
                    "`{written}` is a file where a directory with a kustomization is expected"
                )));
            }
            Err(error) => {
                return Err(Error::new(format!(
                    "`{}`: there is no directory `{}` in the repository: {error}",
                    written, repository.directory
                ))
                .hint(
                    "the directory stands behind `//`, the branch, tag or commit behind `?ref=`",
                ));
            }
        };
        let mut below = self.below(root);
        below.restrictions = LoadRestrictions::RootOnly;
        below.checkouts.push(Arc::new(Checkout {
            repository: repository.clone(),
            directory,
        }));
        Ok(below)
    }

    /// Refuses a repository on this machine where a kustomization, not the command line, asks for it.
    pub(super) fn check_locality(&self, repository: &Repository) -> Result<()> {
        if !(repository.is_local() && self.is_restricted()) {
            return Ok(());
        }
        Err(Error::new(format!(
            "`{}` is a repository on this machine, outside of the kustomization's directory",
            repository.written
        ))
        .kind(ErrorKind::NeedsLocalRepository)
        .hint("name the base by a path"))
    }

    /// Refuses a repository that is being built already.
    // kustomize: FileLoader.errIfRepoCycle
    pub(super) fn check_repository_cycle(&self, repository: &Repository) -> Result<()> {
        let written = &repository.written;
        let visited = self
            .checkouts
            .iter()
            .rev()
            .map(|checkout| &checkout.repository.written)
            .find(|visited| visited.starts_with(written.as_str()));
        match visited {
            None => Ok(()),
            Some(visited) => Err(Error::new(format!(
                "cycle: `{written}` is used by `{visited}`, which is being built"
            ))
            .hint("a base cannot be the kustomization itself, or one that uses it")),
        }
    }

    /// The top of the repository that asks.
    pub(super) fn checkout(&self) -> Option<&str> {
        self.checkouts
            .last()
            .map(|checkout| checkout.directory.as_str())
    }

    /// Refuses a base outside of the repository that asks for it.
    // kustomize: FileLoader.errIfGitContainmentViolation
    pub(super) fn check_containment(&self, path: &str, root: &str) -> Result<()> {
        match self.checkouts.last() {
            Some(checkout) if !files::is_within(root, &checkout.directory) => {
                Err(Error::new(format!(
                    "base `{path}` lies outside of the repository `{}`",
                    checkout.repository.url
                )))
            }
            _ => Ok(()),
        }
    }
}

fn switched_off(what: &str, kind: &str, hint: Option<&'static str>) -> Error {
    Error::new(format!(
        "{what} is remote, and remote {kind} are switched off"
    ))
    .kind(ErrorKind::NeedsRemote)
    .hint(hint.unwrap_or("copy it into the repository and name it by its path"))
}

/// Whether a path is the address of a file behind HTTP.
// kustomize: loader.IsRemoteFile
pub(crate) fn is_http(path: &str) -> bool {
    let has_scheme = path.split_once(':').is_some_and(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    });
    has_scheme && is_parsable(path)
}

/// Whether Go would take the text for a URL at all; what it does not take is a path to it.
// Go: url.Parse, as far as kustomizations could tell
fn is_parsable(path: &str) -> bool {
    let is_escaped =
        |rest: &[u8]| rest.len() >= 2 && rest.iter().take(2).all(u8::is_ascii_hexdigit);
    let bytes = path.as_bytes();
    let before_query = path.split(['?', '#']).next().unwrap_or(path);
    path.bytes().all(|byte| byte > b' ' && byte != 0x7f)
        && before_query
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'%')
            .all(|(index, _)| is_escaped(bytes.get(index.saturating_add(1)..).unwrap_or_default()))
}
