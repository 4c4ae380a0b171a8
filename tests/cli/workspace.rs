//! A directory to run the binary in.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A temporary directory with files.
pub(crate) struct Workspace {
    directory: TempDir,
}

/// What a run of the binary did.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workspace {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let workspace = Self {
            directory: TempDir::new().unwrap(),
        };
        for (path, text) in files {
            workspace.write(path, text);
        }
        workspace
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A copy of `manifests`, with room for kustomizations beside it.
    pub(crate) fn of_manifests() -> Self {
        let workspace = Self::new(&[]);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for entry in walkdir::WalkDir::new(root.join("manifests")) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let to = entry.path().strip_prefix(root).unwrap();
                workspace.write(to.to_str().unwrap(), fs::read(entry.path()).unwrap());
            }
        }
        workspace
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }

    /// Runs the binary here.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run_in(self.path(), arguments)
    }

    /// Runs the binary here; it must fail, print nothing to standard output and say exactly this.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str], message: &str) {
        let Run {
            code,
            stdout,
            stderr,
        } = self.run(arguments);
        assert_eq!(stderr, message);
        assert_eq!((code, stdout.as_str()), (1, ""));
    }

    /// Runs the binary here; it must succeed without a warning. Returns what it printed.
    #[track_caller]
    pub(crate) fn prints(&self, arguments: &[&str]) -> String {
        let Run {
            code,
            stdout,
            stderr,
        } = self.run(arguments);
        assert_eq!((code, stderr.as_str()), (0, ""));
        stdout
    }
}

/// The binary with a clean environment, but for what asks for every log that there is: nothing may come of it.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argocd-infisical"));
    command
        .env_clear()
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .stdin(Stdio::null());
    command
}

pub(crate) fn run_in(directory: &Path, arguments: &[&str]) -> Run {
    let output = binary()
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    assert_eq!(output.status.signal(), None, "the binary was killed");
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
