//! How many files a build reads, and how much is in them.

use std::cell::Cell;
use std::rc::Rc;

use crate::build::Options;
use crate::deadline::Deadline;
use crate::error::{Error, Result};

/// What all loaders of one build may still read.
#[derive(Clone, Debug)]
pub(super) struct Reads(Rc<Left>);

#[derive(Debug)]
struct Left {
    files: Cell<usize>,
    most_files: usize,
    bytes: Cell<usize>,
    most_bytes: usize,
    deadline: Deadline,
}

impl Reads {
    pub(super) fn new(options: &Options) -> Self {
        let limits = &options.limits;
        Self(Rc::new(Left {
            files: Cell::new(limits.files),
            most_files: limits.files,
            bytes: Cell::new(limits.read),
            most_bytes: limits.read,
            deadline: options.deadline.clone(),
        }))
    }

    /// Counts a file that is about to be read.
    ///
    /// # Errors
    /// Where there are too many, and where there is no time left.
    pub(super) fn open(&self) -> Result<()> {
        let Left {
            files,
            most_files,
            deadline,
            ..
        } = &*self.0;
        deadline.check()?;
        let left = files.get().checked_sub(1).ok_or_else(|| {
            Error::new(format!("the build reads more than {most_files} files"))
                .hint("a file counts as often as it is listed; put small objects into one file")
        })?;
        files.set(left);
        Ok(())
    }

    /// Counts the bytes of a file that was read.
    ///
    /// # Errors
    /// Where there are too many.
    pub(super) fn count(&self, read: usize) -> Result<()> {
        let Left {
            bytes, most_bytes, ..
        } = &*self.0;
        let left = bytes.get().checked_sub(read).ok_or_else(|| {
            Error::new(format!("the build reads more than {most_bytes} bytes"))
                .hint("a file counts as often as it is listed")
        })?;
        bytes.set(left);
        Ok(())
    }
}
