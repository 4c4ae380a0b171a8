//! Reading Helm charts, from a kustomization or from a plugin configuration.

use goyaml::{Dialect, Node, Value};

use super::{HelmChart, HelmGlobals};
use crate::decode::{boolean, fields, list, located_list, text, unknown};
use crate::error::{Error, Result};

const CHART: [&str; 17] = [
    "name",
    "version",
    "repo",
    "releaseName",
    "namespace",
    "additionalValuesFiles",
    "valuesFile",
    "valuesInline",
    "valuesMerge",
    "includeCRDs",
    "skipHooks",
    "apiVersions",
    "kubeVersion",
    "nameTemplate",
    "skipTests",
    "debug",
    "devel",
];

const LEGACY: [&str; 13] = [
    "chartName",
    "chartVersion",
    "chartRepoUrl",
    "chartHome",
    "chartRepoName",
    "helmBin",
    "helmHome",
    "values",
    "valuesLocal",
    "valuesMerge",
    "releaseName",
    "releaseNamespace",
    "extraArgs",
];

/// Reads an entry of `helmCharts`.
///
/// # Errors
/// Where a field is unknown or of another type.
pub(crate) fn chart(node: &Node) -> Result<HelmChart> {
    let mut chart = HelmChart {
        position: node.position,
        ..HelmChart::default()
    };
    for (name, value) in fields(node, "an entry of `helmCharts`")? {
        if !read_chart_field(&mut chart, &name, value)? {
            return Err(unknown(node, &name, &CHART));
        }
    }
    Ok(chart)
}

/// Reads the configuration of a `HelmChartInflationGenerator`, which may have other fields.
///
/// # Errors
/// Where a field is of another type.
pub(crate) fn configuration(node: &Node) -> Result<(HelmChart, HelmGlobals)> {
    let mut chart = HelmChart {
        position: node.position,
        ..HelmChart::default()
    };
    let mut globals = HelmGlobals::default();
    for (name, value) in fields(node, "the configuration")? {
        let is_read = read_chart_field(&mut chart, &name, value)?;
        if !is_read {
            read_globals_field(&mut globals, &name, value)?;
        }
    }
    Ok((chart, globals))
}

/// Reads `helmGlobals`.
///
/// # Errors
/// Where a field is unknown or of another type.
pub(crate) fn globals(node: &Node) -> Result<HelmGlobals> {
    let mut globals = HelmGlobals::default();
    for (name, value) in fields(node, "helmGlobals")? {
        if !read_globals_field(&mut globals, &name, value)? {
            return Err(unknown(node, &name, &["chartHome", "configHome"]));
        }
    }
    Ok(globals)
}

/// Reads an entry of `helmChartInflationGenerator`, and what it says for all charts.
///
/// # Errors
/// Where a field is unknown or of another type.
// kustomize: types.SplitHelmParameters drops the fields that are not taken over here.
pub(crate) fn legacy(node: &Node) -> Result<(HelmChart, HelmGlobals)> {
    let mut chart = HelmChart {
        position: node.position,
        ..HelmChart::default()
    };
    let mut globals = HelmGlobals::default();
    for (name, value) in fields(node, "an entry of `helmChartInflationGenerator`")? {
        match name.as_str() {
            "chartname" => chart.name = text(value, "chartName")?,
            "chartversion" => chart.version = text(value, "chartVersion")?,
            "chartrepourl" => chart.repository = text(value, "chartRepoUrl")?,
            "charthome" => globals.chart_home = text(value, "chartHome")?,
            "helmhome" => globals.config_home = text(value, "helmHome")?,
            "values" => chart.values_file = text(value, "values")?,
            "valueslocal" => chart.values_inline = values(value)?,
            "valuesmerge" => chart.values_merge = text(value, "valuesMerge")?,
            "releasename" => chart.release_name = text(value, "releaseName")?,
            "chartreponame" | "helmbin" | "releasenamespace" => drop(text(value, &name)?),
            "extraargs" => drop(located_list(value, "extraArgs")?),
            _ => return Err(unknown(node, &name, &LEGACY)),
        }
    }
    Ok((chart, globals))
}

fn read_chart_field(chart: &mut HelmChart, name: &str, value: &Node) -> Result<bool> {
    match name {
        "name" => chart.name = text(value, "name")?,
        "version" => chart.version = text(value, "version")?,
        "repo" => chart.repository = text(value, "repo")?,
        "releasename" => chart.release_name = text(value, "releaseName")?,
        "namespace" => chart.namespace = text(value, "namespace")?,
        "additionalvaluesfiles" => {
            chart.additional_values_files = located_list(value, "additionalValuesFiles")?;
        }
        "valuesfile" => chart.values_file = text(value, "valuesFile")?,
        "valuesinline" => chart.values_inline = values(value)?,
        "valuesmerge" => chart.values_merge = text(value, "valuesMerge")?,
        "includecrds" => chart.include_crds = boolean(value, "includeCRDs")?,
        "skiphooks" => chart.skip_hooks = boolean(value, "skipHooks")?,
        "apiversions" => {
            chart.api_versions = list(value, "apiVersions", |item| text(item, "apiVersions"))?;
        }
        "kubeversion" => chart.kube_version = text(value, "kubeVersion")?,
        "nametemplate" => chart.name_template = text(value, "nameTemplate")?,
        "skiptests" => chart.skip_tests = boolean(value, "skipTests")?,
        "debug" => chart.debug = boolean(value, "debug")?,
        "devel" => chart.devel = boolean(value, "devel")?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn read_globals_field(globals: &mut HelmGlobals, name: &str, value: &Node) -> Result<bool> {
    match name {
        "charthome" => globals.chart_home = text(value, "chartHome")?,
        "confighome" => globals.config_home = text(value, "configHome")?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Values for a chart; nothing where there are none.
fn values(node: &Node) -> Result<Option<Value>> {
    if node.is_null() {
        return Ok(None);
    }
    let value = node
        .to_value(Dialect::V2)
        .map_err(|error| Error::malformed(&error))?
        .through_float64();
    match value.as_object() {
        None => Err(Error::new("values of a chart must be a map")
            .position(node.position)
            .field("valuesInline")),
        Some([]) => Ok(None),
        Some(_) => Ok(Some(value)),
    }
}
