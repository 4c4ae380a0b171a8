//! What a caller is told about trees that need what is switched off.

use kustomize::{ErrorKind, MemoryFiles, Options, build};

fn kind(kustomization: &str) -> Option<ErrorKind> {
    let mut files = MemoryFiles::new();
    files.insert("/a/kustomization.yaml", kustomization);
    files.insert(
        "/a/chart.yaml",
        "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: a}\nname: b\nrepo: https://example.com\nversion: '1'\n",
    );
    files.insert(
        "/a/number.yaml",
        "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: a}\nname: b\nrepo: https://example.com\nversion: 1.0\n",
    );
    files.insert(
        "/a/exec.yaml",
        "apiVersion: example.com/v1\nkind: Exec\nmetadata: {name: a}\n",
    );
    let built = build(&files, "/a", &Options::default());
    built.err().map(|error| error.details().kind)
}

#[test]
fn what_a_tree_needs_is_told_apart() {
    let remote = Some(ErrorKind::NeedsRemote);
    for path in [
        "https://github.com/a/b",
        "git@github.com:a/b",
        "github.com/a/b?ref=c",
    ] {
        assert_eq!(kind(&format!("resources: ['{path}']")), remote, "{path}");
        assert_eq!(kind(&format!("components: ['{path}']")), remote, "{path}");
    }
    assert_eq!(kind("resources: ['https://example.com/a.yaml']"), remote);
    let helm = Some(ErrorKind::NeedsHelm);
    assert_eq!(
        kind("helmCharts: [{name: a, repo: 'https://example.com', version: '1', releaseName: a}]"),
        helm
    );
    assert_eq!(kind("generators: [chart.yaml]"), helm);
    // kustomize takes no number for a version, also in a configuration.
    assert_eq!(kind("generators: [number.yaml]"), Some(ErrorKind::Other));
    let plugin = Some(ErrorKind::NeedsPlugin);
    assert_eq!(kind("generators: [exec.yaml]"), plugin);
    assert_eq!(kind("transformers: [exec.yaml]"), plugin);
    assert_eq!(kind("resources: [none.yaml]"), Some(ErrorKind::Other));
    assert_eq!(kind("resources: [exec.yaml]"), None);
}
