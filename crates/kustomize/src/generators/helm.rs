//! Helm charts: which chart with which values, and what to make of the objects that Helm renders.

use goyaml::{Limits, Node, Text, TextPlace, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::external::{ChartSource, ChartTemplate, ExternalError, HelmConfig, HelmDefaults};
use crate::files::{self, Entry};
use crate::kustomization::{HelmChart, HelmGlobals};
use crate::load;
use crate::loader::Loader;
use crate::metadata;
use crate::patches::strategic_merge;
use crate::resource::Resource;
use crate::schema::Schema;

/// Where charts are looked for and put unless the kustomization says otherwise.
const CHART_HOME: &str = "charts";

/// Renders a chart.
///
/// # Errors
/// Where the chart or its values cannot be had, and where Helm fails or prints no objects.
// kustomize: HelmChartInflationGeneratorPlugin
pub(crate) fn helm_chart(
    chart: &HelmChart,
    globals: &HelmGlobals,
    loader: &Loader,
    limits: &Limits,
) -> Result<Vec<Resource>> {
    let inflation = Inflation {
        chart,
        globals,
        loader,
    };
    inflation
        .run(limits)
        .map_err(|error| error.position(chart.position).field("helmCharts"))
}

/// One chart and what is needed to render it.
struct Inflation<'a> {
    chart: &'a HelmChart,
    globals: &'a HelmGlobals,
    loader: &'a Loader<'a>,
}

/// A chart that is there.
struct Present {
    /// The directory in which a kustomization takes it to be, as an absolute path.
    asked: String,
    /// The directory in which it is.
    directory: String,
}

impl Inflation<'_> {
    fn run(&self, limits: &Limits) -> Result<Vec<Resource>> {
        self.check()?;
        let additional = (self.chart.additional_values_files.iter())
            .map(|path| Ok(self.loader.load(path)?.bytes))
            .collect::<Result<Vec<_>>>()?;
        let present = self.find_chart()?;
        let mut values = vec![self.values(&present, limits)?];
        values.extend(additional);
        let mut bounds = Vec::new();
        if self.loader.is_restricted() {
            bounds.push(self.loader.root().to_owned());
            bounds.push(present.directory.clone());
        }
        let template = ChartTemplate {
            directory: present.directory,
            bounds,
            release: self.chart.release_name.to_string(),
            values,
            namespace: self.chart.namespace.to_string(),
            name_template: self.chart.name_template.to_string(),
            settings: self.settings(self.loader.external().helm_defaults()),
            includes_crds: self.chart.include_crds,
            skips_tests: self.chart.skip_tests,
            skips_hooks: self.chart.skip_hooks,
            devel: self.chart.devel,
            config: self.config()?,
        };
        let printed = self
            .loader
            .external()
            .template_chart(&template)
            .map_err(|error| self.failed(error))?;
        let mut resources = read_output(&printed, limits).map_err(|error| self.misread(&error))?;
        for resource in &mut resources {
            resource.notes.is_helm_generated = true;
            let place = TextPlace::at(self.chart.position);
            resource.node_mut().set_text_place(place);
        }
        Ok(resources)
    }

    // kustomize: HelmChartInflationGeneratorPlugin.validateArgs
    fn check(&self) -> Result<()> {
        let HelmChart {
            name,
            release_name,
            values_merge,
            ..
        } = self.chart;
        if name.is_empty() {
            return Err(Error::new("a chart needs a name").hint("add `name`"));
        }
        for (field, text) in [("name", name), ("releaseName", release_name)] {
            if text.starts_with('-') {
                return Err(Error::new(format!(
                    "`{field}` of a chart begins with `-` and would be taken for an option of Helm: `{text}`"
                )));
            }
        }
        if name.starts_with('/') || name.split('/').any(|part| part == "..") {
            return Err(Error::new(format!(
                "`name` of a chart leads out of the directory with charts: `{name}`"
            ))
            .hint("name the directory with charts in `helmGlobals.chartHome`"));
        }
        if !matches!(values_merge.as_str(), "" | "override" | "merge" | "replace") {
            return Err(Error::new(format!(
                "`valuesMerge` of chart `{name}` must be `override`, `merge` or `replace`, not `{values_merge}`"
            )));
        }
        Ok(())
    }

    /// The directory with charts, as an absolute path.
    // kustomize: HelmChartInflationGeneratorPlugin.absChartHome
    fn chart_home(&self) -> String {
        let home = match self.globals.chart_home.as_str() {
            "" => CHART_HOME,
            home => home,
        };
        let home = files::join(self.loader.root(), home);
        let HelmChart {
            name,
            version,
            repository,
            ..
        } = self.chart;
        if version.is_empty() || repository.is_empty() {
            return home;
        }
        files::join(&home, &format!("./{name}-{version}"))
    }

    /// Helm's configuration, where the kustomization names one.
    fn config(&self) -> Result<Option<HelmConfig>> {
        let home = &self.globals.config_home;
        if home.is_empty() {
            return Ok(None);
        }
        let asked = files::join(self.loader.root(), home);
        let directory = match self.loader.resolve(&asked) {
            Ok(Entry::Directory(resolved)) => resolved,
            Ok(Entry::File(_)) | Err(_) => asked,
        };
        self.check_place(&directory, "configHome")?;
        Ok(Some(HelmConfig {
            directory,
            is_trusted: !self.loader.is_restricted(),
        }))
    }

    /// Refuses a directory that the kustomization has no business with.
    fn check_place(&self, directory: &str, field: &str) -> Result<()> {
        if !self.loader.is_restricted() || files::is_within(directory, self.loader.root()) {
            return Ok(());
        }
        Err(Error::new(format!(
            "`{field}` leads to `{}`, outside of the kustomization's directory",
            self.loader.display(directory)
        ))
        .hint("put it below the kustomization's directory, or lift the load restriction"))
    }

    /// Finds the chart in the directory with charts, or has it pulled. The tree of files stays as it is: a chart that is
    /// pulled goes elsewhere.
    fn find_chart(&self) -> Result<Present> {
        let name = format!("./{}", self.chart.name);
        let asked = files::join(&self.chart_home(), &name);
        if let Ok(Entry::Directory(directory)) = self.loader.resolve(&asked) {
            self.check_place(&directory, "chartHome")?;
            return Ok(Present { asked, directory });
        }
        if self.chart.repository.is_empty() {
            return Err(Error::new(format!(
                "there is no chart in `{}`, and no `repo` to pull it from",
                self.loader.display(&asked)
            ))
            .hint("put the chart there, or add `repo` and `version`"));
        }
        let source = ChartSource {
            name: self.chart.name.to_string(),
            repository: self.chart.repository.to_string(),
            version: self.chart.version.to_string(),
            devel: self.chart.devel,
            config: self.config()?,
        };
        let pulled = self
            .loader
            .external()
            .pull_chart(&source)
            .map_err(|error| self.failed(error))?;
        let directory = files::join(&pulled, &name);
        match self.loader.resolve(&directory) {
            Ok(Entry::Directory(directory)) => Ok(Present { asked, directory }),
            Ok(Entry::File(_)) | Err(_) => Err(Error::new(format!(
                "what was pulled has no directory `{}`",
                self.chart.name
            ))
            .hint("`name` must be the name that the chart gives itself")),
        }
    }

    /// The values file that Helm gets: that of the kustomization or the chart, with the inline values.
    // kustomize: HelmChartInflationGeneratorPlugin.createNewMergedValuesFile
    fn values(&self, present: &Present, limits: &Limits) -> Result<Vec<u8>> {
        let inline = match (&self.chart.values_inline, self.chart.values_merge.as_str()) {
            (None, _) => return self.values_file(present),
            (Some(inline), "replace") => return written(inline),
            (Some(inline), _) => inline,
        };
        let file = self.values_file(present)?;
        let parsed = goyaml::parse(&file, limits).map_err(|error| Error::malformed(&error));
        let mut chart_values = parsed
            .and_then(|node| node.ok_or_else(|| Error::new("it holds no values")))
            .map_err(|error| {
                let reason = &error.details().message;
                Error::new(format!(
                    "the values file cannot be merged with `valuesInline`: {reason}"
                ))
                .hint("`valuesMerge: replace` leaves the values file out")
            })?;
        chart_values
            .expand_aliases(limits)
            .map_err(|error| Error::malformed(&error))?;
        let inline = Node::from_value(inline);
        let merged = if self.chart.values_merge == "merge" {
            strategic_merge::apply(&Schema::builtin(), &chart_values, inline)
        } else {
            strategic_merge::apply(&Schema::builtin(), &inline, chart_values)
        };
        let merged = merged.map_err(|error| {
            Error::new(format!(
                "`valuesInline` of chart `{}` does not fit its values file: {}",
                self.chart.name, error.problem
            ))
            .field(format!("helmCharts.valuesInline.{}", error.path))
        })?;
        let merged = merged.node.unwrap_or_else(|| Node::mapping(Vec::new()));
        let value = merged
            .to_value(goyaml::Dialect::V3)
            .map_err(|error| Error::malformed(&error))?;
        written(&value)
    }

    fn values_file(&self, present: &Present) -> Result<Vec<u8>> {
        let path = &self.chart.values_file;
        let asked = match path.as_str() {
            "" => files::join(&present.asked, "values.yaml"),
            path => files::join(self.loader.root(), path),
        };
        // A file of a chart that was pulled is where the chart is, not where it would be.
        if present.asked != present.directory && files::is_within(&asked, &present.asked) {
            let inner = asked
                .strip_prefix(present.asked.as_str())
                .unwrap_or_default();
            let file = files::join(&present.directory, &format!("./{inner}"));
            return self.loader.load_within(&file, &present.directory);
        }
        Ok(self.loader.load_path(&asked)?.bytes)
    }

    /// What the chart is told about the cluster.
    // kustomize: what the kustomization says wins over the command line.
    fn settings(&self, defaults: HelmDefaults) -> HelmDefaults {
        let HelmChart {
            api_versions,
            kube_version,
            debug,
            ..
        } = self.chart;
        HelmDefaults {
            api_versions: if api_versions.is_empty() {
                defaults.api_versions
            } else {
                api_versions.iter().map(Text::to_string).collect()
            },
            kube_version: if kube_version.is_empty() {
                defaults.kube_version
            } else {
                kube_version.to_string()
            },
            debug: *debug || defaults.debug,
        }
    }

    fn failed(&self, error: ExternalError) -> Error {
        let name = &self.chart.name;
        match error {
            ExternalError::SwitchedOff { hint } => {
                Error::new("the kustomization asks for a Helm chart, and Helm is switched off")
                    .kind(ErrorKind::NeedsHelm)
                    .hint(
                        hint.unwrap_or("render the chart with `helm template` into the repository"),
                    )
            }
            ExternalError::Status(status) => {
                Error::new(format!("chart `{name}` cannot be pulled: status {status}"))
            }
            ExternalError::Failed { message, hint } => {
                Error::new(format!("chart `{name}`: {message}")).hint_if_known(hint)
            }
        }
    }

    fn misread(&self, error: &Error) -> Error {
        let reason = &error.details().message;
        Error::new(format!(
            "what Helm renders of chart `{}` is not what Kubernetes takes: {reason}",
            self.chart.name
        ))
        .hint("look at what `helm template` prints for the chart")
    }
}

fn written(values: &Value) -> Result<Vec<u8>> {
    goyaml::emit(values)
        .map(String::into_bytes)
        .map_err(|error| Error::malformed(&error))
}

/// The objects that Helm has printed.
// kustomize: where they cannot be read as a file of resources, they are read again, more loosely.
fn read_output(printed: &[u8], limits: &Limits) -> Result<Vec<Resource>> {
    load::resources(printed, limits).or_else(|error| {
        let documents = goyaml::parse_documents(printed, limits).map_err(|_| error)?;
        let mut resources = Vec::new();
        for document in documents.into_iter().filter(|document| !document.is_null()) {
            load::check_object(&document)?;
            let local = metadata::annotation(&document, metadata::LOCAL_CONFIG);
            if local.is_none_or(|value| value == "false") {
                resources.push(Resource::new(document));
            }
        }
        Ok(resources)
    })
}
