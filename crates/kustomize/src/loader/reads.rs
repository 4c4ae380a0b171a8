//! How many files a build reads, and how much is in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::build::Options;
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::limits::take;

/// What all loaders of one build may still read.
#[derive(Clone, Debug)]
pub(crate) struct Reads {
    all: Arc<Left>,
    /// What was read in one branch of the build.
    own: Option<Arc<Own>>,
}

#[derive(Debug)]
struct Left {
    files: AtomicUsize,
    most_files: usize,
    bytes: AtomicUsize,
    most_bytes: usize,
    deadline: Deadline,
}

#[derive(Debug, Default)]
struct Own {
    files: AtomicUsize,
    bytes: AtomicUsize,
}

impl Reads {
    pub(super) fn new(options: &Options) -> Self {
        let limits = &options.limits;
        Self {
            all: Arc::new(Left {
                files: AtomicUsize::new(limits.files),
                most_files: limits.files,
                bytes: AtomicUsize::new(limits.read),
                most_bytes: limits.read,
                deadline: options.deadline.clone(),
            }),
            own: None,
        }
    }

    /// The same for a branch of the build, which may turn out to have read for nothing.
    pub(super) fn apart(&self) -> Self {
        Self {
            all: Arc::clone(&self.all),
            own: Some(Arc::default()),
        }
    }

    /// Whether it is that of a branch.
    pub(super) const fn is_of_branch(&self) -> bool {
        self.own.is_some()
    }

    /// Gives back what a branch has read: all of it is read again.
    pub(crate) fn give_back(&self) {
        if let Some(own) = &self.own {
            let files = own.files.swap(0, Ordering::Relaxed);
            self.all.files.fetch_add(files, Ordering::Relaxed);
            let bytes = own.bytes.swap(0, Ordering::Relaxed);
            self.all.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
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
        } = &*self.all;
        deadline.check()?;
        if !take(files, 1) {
            return Err(
                Error::new(format!("the build reads more than {most_files} files")).hint(
                    "a file counts as often as it is listed; put small objects into one file",
                ),
            );
        }
        if let Some(own) = &self.own {
            own.files.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Counts the bytes of a file that was read.
    ///
    /// # Errors
    /// Where there are too many.
    pub(super) fn count(&self, read: usize) -> Result<()> {
        let Left {
            bytes, most_bytes, ..
        } = &*self.all;
        if !take(bytes, read) {
            return Err(
                Error::new(format!("the build reads more than {most_bytes} bytes"))
                    .hint("a file counts as often as it is listed"),
            );
        }
        if let Some(own) = &self.own {
            own.bytes.fetch_add(read, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_branch_reads_for_nothing_does_not_count() {
        let mut options = Options::default();
        options.limits.files = 2;
        options.limits.read = 10;
        let all = Reads::new(&options);
        let branch = all.apart();
        branch.open().unwrap();
        branch.count(10).unwrap();
        assert!(all.count(1).is_err());
        branch.give_back();
        branch.give_back();
        for _ in 0..2 {
            all.open().unwrap();
            all.count(5).unwrap();
        }
        assert!(all.open().is_err());
        assert!(branch.open().is_err());
        assert!(branch.count(1).is_err());
    }
}
