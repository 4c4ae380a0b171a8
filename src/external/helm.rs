//! Charts, pulled and rendered by the real Helm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kustomize::{ChartSource, ChartTemplate, ExternalError, HelmConfig, HelmDefaults};

use super::program::{Room, offline, online, run, text_of};
use super::{failed, failed_with_hint};
use crate::files::plain;
use crate::interrupt::Scratch;
use crate::process::{Bounds, MEMORY};
use crate::progress::Progress;

/// How long Helm may take for a chart.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Bytes that Helm may print.
const OUTPUT_LIMIT: usize = 256 << 20;

/// The bytes that a chart may have on disk.
const SIZE_LIMIT: u64 = 256 << 20;

/// What to do where there is no Helm.
const NOT_INSTALLED: &str = "install Helm, or name the program with `--helm-command`";

/// A Helm program.
pub(super) struct Helm {
    program: PathBuf,
}

impl Helm {
    /// Names the program: a path, or a name that is looked up.
    pub(super) fn new(program: &Path) -> Self {
        let is_path = program.components().count() > 1;
        // Helm runs elsewhere than here.
        let absolute = std::path::absolute(program).ok().filter(|_| is_path);
        Self {
            program: absolute.unwrap_or_else(|| program.to_owned()),
        }
    }

    /// Looks at the version of the program.
    ///
    /// # Errors
    /// Where it cannot be run, and where it is neither version 3 nor 4.
    // kustomize: HelmChartInflationGeneratorPlugin.checkHelmVersion
    pub(super) fn check_version(&self) -> Result<(), ExternalError> {
        let scratch = scratch()?;
        let mut version = self.offline(&scratch, None);
        let printed = Self::run(version.args(["version", "--short"]), &scratch)?;
        let printed = String::from_utf8_lossy(&printed);
        let version = printed.trim().trim_start_matches('v');
        match version.split('.').next() {
            Some("3" | "4") => Ok(()),
            _ => Err(failed_with_hint(
                "the Helm program is of another version than 3 and 4",
                "name another one with `--helm-command`",
            )),
        }
    }

    /// Unpacks a chart into a directory of its own.
    // kustomize: HelmChartInflationGeneratorPlugin.pullCommand
    pub(super) fn pull(&self, chart: &ChartSource) -> Result<(String, Scratch), ExternalError> {
        let ChartSource {
            name,
            repository,
            version,
            devel,
            config,
        } = chart;
        let _progress = Progress::start(&format!("pulling chart {name}"));
        let scratch = scratch()?;
        let charts = scratch.path().join("charts");
        let mut pull = self.online(&scratch, config.as_ref());
        pull.args(["pull", "--untar", "--untardir"]).arg(&charts);
        if !version.is_empty() {
            pull.arg(format!("--version={version}"));
        }
        if *devel {
            pull.arg("--devel");
        }
        if repository.starts_with("oci://") {
            pull.arg("--")
                .arg(format!("{}/{name}", repository.trim_end_matches('/')));
        } else {
            pull.arg(format!("--repo={repository}")).args(["--", name]);
        }
        Self::run(&mut pull, &scratch)?;
        let resolved = fs::canonicalize(&charts)
            .map_err(|error| failed(format!("Helm has unpacked nothing: {}", plain(&error))))?;
        Ok((text_of(resolved)?, scratch))
    }

    /// What `helm template` prints.
    // kustomize: HelmChart.AsHelmArgs
    pub(super) fn template(&self, chart: &ChartTemplate) -> Result<Vec<u8>, ExternalError> {
        let ChartTemplate {
            directory,
            bounds,
            release,
            values,
            namespace: _,
            name_template: _,
            settings: _,
            includes_crds: _,
            skips_tests: _,
            skips_hooks: _,
            devel: _,
            config,
        } = chart;
        check_links(Path::new(directory), bounds)?;
        check_name_template(&chart.name_template)?;
        let _progress = Progress::start("rendering a chart");
        let scratch = scratch()?;
        let mut template = self.offline(&scratch, config.as_ref());
        template.arg("template");
        for (number, content) in values.iter().enumerate() {
            let file = scratch.path().join(format!("values-{number}.yaml"));
            fs::write(&file, content)
                .map_err(|error| failed(format!("cannot write values: {}", plain(&error))))?;
            template.arg("--values").arg(file);
        }
        template.args(options(chart));
        if release.is_empty() {
            template.args(["--generate-name", "--"]);
        } else {
            template.args(["--", release]);
        }
        template.arg(directory);
        Self::run(&mut template, &scratch)
    }

    /// A call that gets no further than this machine: templates can look at the environment.
    fn offline(&self, scratch: &Scratch, config: Option<&HelmConfig>) -> Command {
        let mut helm = offline(self.program.as_os_str());
        settle(&mut helm, scratch, config);
        helm
    }

    /// A call that fetches.
    fn online(&self, scratch: &Scratch, config: Option<&HelmConfig>) -> Command {
        let mut helm = online(self.program.as_os_str());
        settle(&mut helm, scratch, config);
        helm
    }

    fn run(command: &mut Command, scratch: &Scratch) -> Result<Vec<u8>, ExternalError> {
        let bounds = Bounds {
            time: TIMEOUT,
            output: OUTPUT_LIMIT,
            memory: MEMORY,
        };
        let mut room = Room::new(scratch.path(), SIZE_LIMIT);
        let result = run(command, bounds, NOT_INSTALLED, &mut || room.is_left());
        if room.was_enough() {
            result
        } else {
            Err(failed(format!(
                "the chart has more than {SIZE_LIMIT} bytes"
            )))
        }
    }
}

/// The options that a kustomization asks for; each is one word, so that no value can become an option of its own.
// kustomize: HelmChart.AsHelmArgs
fn options(chart: &ChartTemplate) -> Vec<String> {
    let HelmDefaults {
        api_versions,
        kube_version,
        debug,
    } = &chart.settings;
    let mut options = Vec::new();
    let texts = [
        ("namespace", &chart.namespace),
        ("name-template", &chart.name_template),
        ("kube-version", kube_version),
    ];
    let versions = api_versions.iter().map(|version| ("api-versions", version));
    for (option, value) in texts.into_iter().chain(versions) {
        if !value.is_empty() {
            options.push(format!("--{option}={value}"));
        }
    }
    let switches = [
        ("include-crds", chart.includes_crds),
        ("skip-tests", chart.skips_tests),
        ("no-hooks", chart.skips_hooks),
        ("debug", *debug),
        ("devel", chart.devel),
    ];
    for (switch, _) in switches.into_iter().filter(|(_, is_on)| *is_on) {
        options.push(format!("--{switch}"));
    }
    options
}

/// Gives Helm directories of its own, and those that the kustomization names.
fn settle(helm: &mut Command, scratch: &Scratch, config: Option<&HelmConfig>) {
    let home = scratch.path().join("helm");
    let directory = config.map_or_else(|| home.clone(), |config| PathBuf::from(&config.directory));
    helm.current_dir(scratch.path())
        .env("HELM_CONFIG_HOME", directory)
        .env("HELM_CACHE_HOME", home.join(".cache"))
        .env("HELM_DATA_HOME", home.join(".data"))
        // A repository must not bring programs along as plugins of Helm.
        .env("HELM_PLUGINS", home.join("no-plugins"))
        .env("TMPDIR", scratch.path())
        .env("HOME", &home);
    if !config.is_some_and(|config| config.is_trusted) {
        // Nor may it use credentials, or name programs that know some.
        helm.env("HELM_REGISTRY_CONFIG", home.join("no-registry.json"));
    }
}

/// A directory for one call of Helm.
fn scratch() -> Result<Scratch, ExternalError> {
    Scratch::new(None)
        .map_err(|error| failed(format!("cannot make a directory: {}", plain(&error))))
}

/// Refuses a template for a name that looks around: unlike a chart's own it may use all of Helm's functions.
fn check_name_template(template: &str) -> Result<(), ExternalError> {
    let looks_around = ["env", "getHostByName"]
        .iter()
        .any(|function| template.contains(function));
    if template.contains("{{") && looks_around {
        return Err(failed(
            "`nameTemplate` asks for the environment or for an address of the network",
        ));
    }
    Ok(())
}

/// Refuses a chart with symbolic links out of the bounds: Helm follows them, and a template can print what they lead to.
fn check_links(chart: &Path, bounds: &[String]) -> Result<(), ExternalError> {
    if bounds.is_empty() {
        return Ok(());
    }
    let entries = walkdir::WalkDir::new(chart)
        .into_iter()
        .filter_map(Result::ok);
    for entry in entries.filter(walkdir::DirEntry::path_is_symlink) {
        let leads_to = fs::canonicalize(entry.path());
        let is_inside =
            leads_to.is_ok_and(|target| bounds.iter().any(|bound| target.starts_with(bound)));
        if !is_inside {
            let name = entry.path().strip_prefix(chart).unwrap_or(entry.path());
            return Err(failed_with_hint(
                format!(
                    "the symbolic link `{}` leads out of the chart",
                    name.display()
                ),
                "put the file itself there, or allow it with `--load-restrictor LoadRestrictionsNone`",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_out_of_a_chart_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        let chart = root.join("chart");
        fs::create_dir(&chart).unwrap();
        fs::write(chart.join("real"), "x").unwrap();
        fs::write(root.join("outside"), "x").unwrap();
        symlink("real", chart.join("inner")).unwrap();
        let bounds = [chart.to_str().unwrap().to_owned()];
        assert_eq!(check_links(&chart, &bounds), Ok(()));
        symlink("../outside", chart.join("outer")).unwrap();
        assert!(check_links(&chart, &bounds).is_err());
        assert_eq!(check_links(&chart, &[]), Ok(()));
    }
}
