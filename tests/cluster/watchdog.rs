//! Ends the programs of a cluster and removes its directory, however this process ends.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Reads the process groups to end, and those that are gone already, one a line, until its input is closed: this process
/// has ended, or wants it. A group that has been told to end is given two seconds to be gone, so that it writes into the
/// directory no more.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=
while read -r word group; do
  case $word in
    started) groups="$groups $group" ;;
    gone)
      others=
      for other in $groups; do [ "$other" = "$group" ] || others="$others $other"; done
      groups=$others
      ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
for group in $groups; do
  tries=0
  while kill -s 0 -- "-$group" 2>/dev/null && [ "$tries" -lt 40 ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
done
# A repo-server takes the right to read its checkouts from everybody.
chmod -R u+rwX -- "$1" 2>/dev/null
rm -rf -- "$1"
"#;

/// A shell that outlives this process for a moment. The pipe that it reads is closed when this process ends in whatever
/// way, by SIGKILL as well, for which no destructor runs.
pub(crate) struct Watchdog {
    shell: Child,
    input: Option<ChildStdin>,
    programs: Vec<Child>,
}

impl Watchdog {
    /// Watches over a directory, which it removes at the end.
    pub(crate) fn new(directory: &Path) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What a terminal sends to the foreground is not for it.
            .process_group(0)
            .spawn()
            .unwrap();
        let input = shell.stdin.take();
        Self {
            shell,
            input,
            programs: Vec::new(),
        }
    }

    /// Starts a program in a process group of its own, and watches over it. Returns its id.
    pub(crate) fn start(&mut self, command: &mut Command) -> u32 {
        let program = command.process_group(0).spawn().unwrap();
        let id = program.id();
        self.tell("started", id);
        self.programs.push(program);
        id
    }

    /// Kills a program that it has started.
    pub(crate) fn kill(&mut self, id: u32) {
        let mut program = self.take(id);
        program.kill().unwrap();
        program.wait().unwrap();
        self.tell("gone", id);
    }

    /// Asks a program that it has started to end, waits until it has, and returns its exit code.
    pub(crate) fn terminate(&mut self, id: u32) -> Option<i32> {
        let mut program = self.take(id);
        let pid = Pid::from_child(&program);
        kill_process(pid, Signal::TERM).unwrap();
        let status = program.wait().unwrap();
        self.tell("gone", id);
        status.code()
    }

    fn take(&mut self, id: u32) -> Child {
        let position = self.programs.iter().position(|program| program.id() == id);
        self.programs.swap_remove(position.unwrap())
    }

    fn tell(&mut self, word: &str, id: u32) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{word} {id}").unwrap();
    }

    /// Whether a program has ended.
    pub(crate) fn has_lost_one(&mut self) -> bool {
        self.programs
            .iter_mut()
            .any(|program| program.try_wait().is_ok_and(|status| status.is_some()))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.input.take());
        for program in &mut self.programs {
            drop(program.wait());
        }
        drop(self.shell.wait());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::path::PathBuf;
    use std::thread;
    use std::time::{Duration, Instant};
    use std::{env, fs};

    use super::*;

    /// The variable that makes a test the process that is killed.
    const ROLE: &str = "ARGOCD_INFISICAL_TEST_DIRECTORY";

    /// A program that takes no SIGTERM, and starts another one.
    fn stubborn() -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "trap '' TERM INT HUP; sleep 1000 & wait; sleep 1000"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// The processes of a group, without those that have ended and that nobody has asked after.
    fn members(group: u32) -> usize {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let stats =
            processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        stats
            .filter(|stat| {
                // proc_pid_stat(5): state, parent and group follow the name, which stands in parentheses.
                let fields = stat
                    .rsplit_once(") ")
                    .map(|(_, rest)| rest)
                    .unwrap_or_default();
                let mut fields = fields.split(' ');
                fields.next() != Some("Z") && fields.nth(1) == Some(&group.to_string())
            })
            .count()
    }

    fn wait_until(is_so: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < Duration::from_secs(10));
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn programs_and_directory_go_with_it() {
        let directory = tempfile::tempdir().unwrap().keep();
        let mut watchdog = Watchdog::new(&directory);
        watchdog.start(&mut stubborn());
        let group = watchdog.programs[0].id();
        wait_until(|| members(group) == 2);
        assert!(!watchdog.has_lost_one());
        drop(watchdog);
        assert_eq!(members(group), 0);
        assert!(!directory.exists());
    }

    #[test]
    fn programs_and_directory_go_with_a_process_that_is_killed() {
        if let Some(directory) = env::var_os(ROLE) {
            let mut watchdog = Watchdog::new(&PathBuf::from(directory));
            watchdog.start(&mut stubborn());
            let group = watchdog.programs[0].id();
            wait_until(|| members(group) == 2);
            std::io::stderr()
                .write_all(format!("group {group}\n").as_bytes())
                .unwrap();
            thread::sleep(Duration::from_mins(1));
            return;
        }
        let directory = tempfile::tempdir().unwrap().keep();
        let name = "watchdog::tests::programs_and_directory_go_with_a_process_that_is_killed";
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(ROLE, &directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let group = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("group ")?.parse().ok())
            .unwrap();
        assert_eq!(members(group), 2);
        process.kill().unwrap();
        process.wait().unwrap();
        wait_until(|| members(group) == 0 && !directory.exists());
    }
}
