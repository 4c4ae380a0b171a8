//! The real kustomize, run as a program of its own.
//!
//! Whoever runs this program names it; a repository has no say. It gets no environment but for a few fixed values, and
//! no way to the network unless that is asked for.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use kustomize::{HelmDefaults, LoadRestrictions, Options, Reorder};

use crate::diff::without_secrets;
use crate::external::{Allowed, for_network, git_environment};
use crate::failure::{Failure, printable};
use crate::files::plain;
use crate::process::{self, Bounds, Ended, MEMORY};

/// The version whose output the engine equals.
pub const VERSION: &str = kustomize::VERSION;

/// The variable that names the program.
pub const VARIABLE: &str = "ARGOCD_INFISICAL_KUSTOMIZE";

/// What a build may print, in bytes.
const OUTPUT_LIMIT: usize = 512 << 20;

/// The longest message that is passed on, in bytes.
const LONGEST_MESSAGE: usize = 4096;

/// A proxy that nobody serves: port 9 discards.
const NO_PROXY_THERE: &str = "http://127.0.0.1:9";

/// A kustomize.
#[derive(Clone, Debug)]
pub struct Reference {
    program: PathBuf,
    timeout: Duration,
    /// What it may fetch and run.
    allowed: Allowed,
    /// Whether repositories on this machine are among it.
    is_local_allowed: bool,
}

/// What a build by kustomize gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// What it printed, and the lines on standard error.
    Built(Vec<u8>, Vec<String>),
    /// Why it failed.
    Failed(String),
    /// It was killed.
    TimedOut,
}

impl Reference {
    /// Finds the program: the named one, else `kustomize` on the `PATH`. A name without a slash is looked up on the
    /// `PATH`, in which only absolute directories count.
    ///
    /// # Errors
    /// Where there is none, or nothing that can be run.
    pub fn find(named: Option<&Path>, timeout: Duration) -> Result<Self, Failure> {
        let hint = format!("name it with `--kustomize PATH` or `{VARIABLE}`");
        let name = named.unwrap_or(Path::new("kustomize"));
        let is_bare = !name.as_os_str().as_encoded_bytes().contains(&b'/');
        let found = if is_bare {
            on_path(name.as_os_str(), env::var_os("PATH"))
        } else {
            // The program runs elsewhere than here.
            std::path::absolute(name)
                .ok()
                .filter(|path| is_program(path))
        };
        let Some(program) = found else {
            let place = if is_bare { " on the `PATH`" } else { "" };
            let message = format!("there is no program `{}`{place}", name.display());
            return Err(Failure::usage(message).hint(hint));
        };
        Ok(Self {
            program,
            timeout,
            allowed: Allowed::default(),
            is_local_allowed: false,
        })
    }

    /// Lets it fetch and run what is allowed; repositories on this machine where nothing restricts what is loaded.
    #[must_use]
    pub fn with_allowed(self, allowed: &Allowed, options: &Options) -> Self {
        Self {
            allowed: allowed.clone(),
            is_local_allowed: options.load_restrictions == LoadRestrictions::None,
            ..self
        }
    }

    /// Builds a tree that the engine here has built or refused. kustomize takes what stands in a tree as it is: one that
    /// was refused is not known to ask for nothing but what it may have, and gets no way out.
    ///
    /// # Errors
    /// As for [`Self::build`].
    pub fn build_beside(
        &self,
        is_built_here: bool,
        directory: &Path,
        options: &Options,
    ) -> Result<Answer, Failure> {
        if is_built_here {
            return self.build(directory, options);
        }
        let offline = Self {
            allowed: Allowed::default(),
            ..self.clone()
        };
        offline.build(directory, options)
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The version that it says it is.
    ///
    /// # Errors
    /// Where it does not run or does not say.
    pub fn version(&self) -> Result<String, Failure> {
        let fault = |why: &str| {
            let program = self.program.display();
            Failure::input(format!("`{program} version` {why}"))
                .hint("name a kustomize, not a script that needs an environment")
        };
        match self.run([OsStr::new("version")])? {
            Answer::TimedOut => Err(fault("takes too long")),
            Answer::Failed(message) => Err(fault(&format!("fails: {message}"))),
            Answer::Built(stdout, _) => {
                let text = String::from_utf8_lossy(&stdout);
                let version = printable(text.trim());
                if version.is_empty() || version.len() > 100 || version.contains('\n') {
                    return Err(fault("prints no version"));
                }
                Ok(version)
            }
        }
    }

    /// Builds the kustomization in a directory, an absolute path.
    ///
    /// # Errors
    /// Where the program cannot be run at all.
    pub fn build(&self, directory: &Path, options: &Options) -> Result<Answer, Failure> {
        self.run(self.arguments(directory, options))
    }

    /// As [`Self::build`], but it writes a file for each resource into an existing directory.
    ///
    /// # Errors
    /// As for [`Self::build`].
    pub fn build_into(
        &self,
        directory: &Path,
        options: &Options,
        output: &Path,
    ) -> Result<Answer, Failure> {
        let mut arguments = self.arguments(directory, options);
        arguments.push("--output".into());
        arguments.push(output.into());
        self.run(arguments)
    }

    fn arguments(&self, directory: &Path, options: &Options) -> Vec<OsString> {
        let Options {
            load_restrictions,
            reorder,
            managed_by_label,
            limits: _,
            deadline: _,
            named_from: _,
            threads: _,
            // Nobody asks a real kustomize for them.
            edits: _,
        } = options;
        let mut arguments: Vec<OsString> = vec!["build".into(), directory.into()];
        if *load_restrictions == LoadRestrictions::None {
            arguments.push("--load-restrictor=LoadRestrictionsNone".into());
        }
        match reorder {
            Reorder::Unspecified => {}
            Reorder::Legacy => arguments.push("--reorder=legacy".into()),
            Reorder::None => arguments.push("--reorder=none".into()),
        }
        if *managed_by_label {
            arguments.push("--enable-managedby-label".into());
        }
        if self.allowed.helm {
            arguments.extend(helm_arguments(&self.allowed));
        }
        arguments
    }

    fn run(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Answer, Failure> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir("/").env_clear();
        command.envs([("HOME", "/nonexistent"), ("LC_ALL", "C")]);
        if self.allowed.remote || self.allowed.helm {
            command.envs(for_network());
            command.envs(git_environment(self.is_local_allowed));
            // A repository must not bring programs along as plugins of Helm.
            command.env("HELM_PLUGINS", "/nonexistent");
        } else {
            // It would fetch what is remote without asking: with `git`, and by itself.
            command.env("PATH", "/nonexistent");
            command.envs(["HTTP_PROXY", "HTTPS_PROXY"].map(|name| (name, NO_PROXY_THERE)));
        }
        let bounds = Bounds {
            time: self.timeout,
            output: OUTPUT_LIMIT,
            memory: MEMORY,
        };
        match process::run(&mut command, bounds) {
            Err(error) => Err(self.does_not_start(&error)),
            Ok(Ended::TimedOut | Ended::Stopped) => Ok(Answer::TimedOut),
            Ok(Ended::TooMuchOutput) => {
                let message = format!("it prints more than {OUTPUT_LIMIT} bytes");
                Ok(Answer::Failed(message))
            }
            Ok(Ended::Done {
                status,
                stdout,
                stderr,
            }) => {
                let stderr = printable(&String::from_utf8_lossy(&stderr));
                Ok(if status.success() {
                    let lines = stderr.lines().map(str::to_owned);
                    Answer::Built(stdout, lines.collect())
                } else {
                    Answer::Failed(complaint(&stderr, status))
                })
            }
        }
    }

    fn does_not_start(&self, error: &io::Error) -> Failure {
        let program = self.program.display();
        Failure::input(format!("cannot run `{program}`: {}", plain(error)))
            .hint("name a kustomize that runs on this machine")
    }
}

/// What kustomize says about a failure, without the warnings before it.
fn complaint(stderr: &str, status: ExitStatus) -> String {
    let text = match stderr.rfind("\nError: ") {
        Some(at) => stderr.get(at..).unwrap_or_default(),
        None => stderr,
    };
    let text = text.trim();
    let text = without_secrets(text.strip_prefix("Error: ").unwrap_or(text));
    let end = text.floor_char_boundary(LONGEST_MESSAGE);
    let text = text.get(..end).unwrap_or_default();
    let how = match (status.signal(), status.code()) {
        (None, _) if !text.is_empty() => return text.to_owned(),
        (Some(signal), _) => format!("it was killed by signal {signal}"),
        (None, Some(code)) => format!("it ended with status {code} and no message"),
        (None, None) => "it ended without a status".to_owned(),
    };
    if text.is_empty() {
        how
    } else {
        format!("{how}: {text}")
    }
}

/// The first program of a name in the absolute directories of a search path.
fn on_path(name: &OsStr, path: Option<OsString>) -> Option<PathBuf> {
    env::split_paths(&path?)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// How kustomize is told what is told to Helm here.
fn helm_arguments(allowed: &Allowed) -> Vec<OsString> {
    let HelmDefaults {
        api_versions,
        kube_version,
        debug,
    } = &allowed.helm_defaults;
    let with = |flag: &str, value: &OsStr| {
        let mut argument = OsString::from(flag);
        argument.push(value);
        argument
    };
    // kustomize runs elsewhere than here; a name without a slash is looked up.
    let command = &allowed.helm_command;
    let command = if command.components().count() > 1 {
        std::path::absolute(command).unwrap_or_else(|_| command.clone())
    } else {
        command.clone()
    };
    let mut arguments = vec![
        "--enable-helm".into(),
        with("--helm-command=", command.as_os_str()),
    ];
    if !kube_version.is_empty() {
        arguments.push(with("--helm-kube-version=", OsStr::new(kube_version)));
    }
    for version in api_versions {
        arguments.push(with("--helm-api-versions=", OsStr::new(version)));
    }
    if *debug {
        arguments.push("--helm-debug".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stand-in for the program, and the directory that it lives in.
    fn stand_in(script: &str) -> (tempfile::TempDir, Reference) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kustomize");
        // Were the file written here, a program that another test starts at the same time could hold it open for
        // writing, and it could not be run.
        let write = "printf '#!/bin/sh\n%s\n' \"$0\" >\"$1\" && chmod +x \"$1\"";
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", write, script]).arg(&path);
        assert!(shell.status().unwrap().success());
        let reference = Reference::find(Some(&path), Duration::from_secs(30)).unwrap();
        (directory, reference)
    }

    fn answer(script: &str) -> Answer {
        let (_directory, reference) = stand_in(script);
        reference
            .build(Path::new("/x"), &Options::default())
            .unwrap()
    }

    fn failed(script: &str) -> String {
        match answer(script) {
            Answer::Failed(message) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_environment_is_cleared() {
        let Answer::Built(stdout, _) = answer("export -p; pwd") else {
            panic!("it fails");
        };
        let text = String::from_utf8(stdout).unwrap();
        let names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split('=').next())
            .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
            .collect();
        assert_eq!(
            names,
            ["HOME", "HTTPS_PROXY", "HTTP_PROXY", "LC_ALL", "PATH"]
        );
        assert!(text.contains("PATH='/nonexistent'") || text.contains("PATH=\"/nonexistent\""));
        assert!(text.ends_with("\n/\n"), "{text}");
    }

    #[test]
    fn flags_that_mean_the_same_are_passed_on() {
        let (_directory, reference) = stand_in("echo \"$@\"");
        let options = Options {
            load_restrictions: LoadRestrictions::None,
            reorder: Reorder::Legacy,
            managed_by_label: true,
            ..Options::default()
        };
        let build = |reference: &Reference, options: &Options| match reference
            .build(Path::new("/x"), options)
        {
            Ok(Answer::Built(stdout, _)) => String::from_utf8(stdout).unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(build(&reference, &Options::default()), "build /x\n");
        let allowed = Allowed {
            helm: true,
            helm_command: "/bin/helm".into(),
            helm_defaults: HelmDefaults {
                api_versions: vec!["a/v1".into()],
                kube_version: "1.30.0".into(),
                debug: false,
            },
            ..Allowed::default()
        };
        assert_eq!(
            build(&reference.with_allowed(&allowed, &options), &options),
            "build /x --load-restrictor=LoadRestrictionsNone --reorder=legacy --enable-managedby-label --enable-helm \
             --helm-command=/bin/helm --helm-kube-version=1.30.0 --helm-api-versions=a/v1\n"
        );
    }

    #[test]
    fn failures_say_what_it_said() {
        let script =
            "echo '# Warning: old' >&2; printf 'Error: a\\033[1m is\\nwrong\\n\\n' >&2; exit 1";
        assert_eq!(failed(script), "a\u{fffd}[1m is\nwrong");
        assert_eq!(failed("exit 3"), "it ended with status 3 and no message");
        assert_eq!(failed("kill -9 $$"), "it was killed by signal 9");
        assert_eq!(
            failed("echo 'panic: x' >&2; kill -6 $$"),
            "it was killed by signal 6: panic: x"
        );
        let long =
            failed("i=0; while [ $i -lt 900 ]; do echo abcdefghi; i=$((i+1)); done >&2; exit 1");
        assert!(long.len() <= LONGEST_MESSAGE && long.starts_with("abcdefghi\nabc"));
        assert!(!failed("echo 'Error: invalid literal source x1' >&2; exit 1").contains("x1"));
    }

    #[test]
    fn it_is_killed_when_it_takes_too_long() {
        let (_directory, mut reference) = stand_in("while :; do :; done");
        reference.timeout = Duration::from_millis(100);
        let answer = reference.build(Path::new("/x"), &Options::default());
        assert_eq!(answer.unwrap(), Answer::TimedOut);
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kustomize");
        let find = |path: &Path| Reference::find(Some(path), Duration::from_secs(1)).is_ok();
        assert!(!find(&path) && !find(directory.path()));
        fs::write(&path, "").unwrap();
        assert!(!find(&path));
        let relative = on_path(OsStr::new("sh"), Some("bin:".into()));
        assert_eq!(relative, None);
        let absolute = on_path(OsStr::new("sh"), Some("bin::/bin".into()));
        assert_eq!(absolute, Some(PathBuf::from("/bin/sh")));
    }

    #[test]
    fn a_version_is_one_line() {
        let version = |script| stand_in(script).1.version();
        let (_directory, reference) = stand_in("echo \"v5.8.2\"");
        assert_eq!(reference.version().unwrap(), VERSION);
        assert!(version("exit 1").is_err());
        let (_directory, reference) = stand_in("echo; echo a; echo b");
        assert!(reference.version().is_err());
    }
}
