//! Opening what a resolved path names, and nothing else.

use std::fs::File;
use std::io;
use std::path::{Component, Path};

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};
use rustix::io::Errno;

/// Reading without waiting for the writer of a pipe, and without becoming anybody's terminal.
pub(super) const READING: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// Opens a file or directory at a path without links for reading.
///
/// A path is resolved before it is opened. What has put a link in the place of a part of it meanwhile must not lead the way
/// out: the system is told to follow none.
///
/// # Errors
/// Where it cannot be opened, and where a part of the path has become a link.
pub(super) fn open(path: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        match openat2(CWD, path, READING, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(opened) => return Ok(opened.into()),
            // A system without it, or one that keeps it from containers.
            Err(Errno::NOSYS | Errno::PERM) => {}
            Err(error) => return Err(told(error)),
        }
    }
    open_by_parts(path)
}

/// As [`open`], a part of the path at a time.
fn open_by_parts(path: &Path) -> io::Result<File> {
    let names: Vec<_> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    let way = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let mut at = openat(CWD, "/", way, Mode::empty())?;
    let Some((last, directories)) = names.split_last() else {
        return Ok(at.into());
    };
    for name in directories {
        at = openat(&at, *name, way, Mode::empty()).map_err(told)?;
    }
    let opened = openat(&at, *last, READING | OFlags::NOFOLLOW, Mode::empty());
    opened.map(File::from).map_err(told)
}

/// The names in a directory at a path without links; none where it cannot be read.
pub(super) fn names_in(directory: &Path) -> Vec<String> {
    let entries = open(directory).and_then(|opened| Ok(Dir::new(opened)?));
    let names = entries.into_iter().flatten().filter_map(|entry| {
        let name = entry.ok()?.file_name().to_str().ok()?.to_owned();
        (!matches!(name.as_str(), "." | "..")).then_some(name)
    });
    names.collect()
}

fn told(error: Errno) -> io::Error {
    if error == Errno::LOOP {
        io::Error::other("a part of its path has become a symbolic link")
    } else {
        error.into()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn read(file: io::Result<File>) -> io::Result<String> {
        let mut text = String::new();
        file?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn no_link_is_followed_in_either_way() {
        let directory = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir_all(top.join("real/inner")).unwrap();
        fs::write(top.join("real/inner/file"), "x").unwrap();
        symlink("real", top.join("link")).unwrap();
        symlink("file", top.join("real/inner/last")).unwrap();
        for open in [open, open_by_parts] {
            assert_eq!(read(open(&top.join("real/inner/file"))).unwrap(), "x");
            assert!(open(&top.join("link/inner/file")).is_err());
            assert!(open(&top.join("real/inner/last")).is_err());
            assert!(open(&top.join("none")).is_err());
        }
        assert_eq!(names_in(&top.join("real")), ["inner"]);
        assert!(names_in(&top.join("link")).is_empty());
    }
}
