//! When the engine calls a caller's hooks, and with what.

use kustomize::{FileNames, Hooks, MemoryFiles, Options, Resource, Resources, build_with};

/// Writes down what it is told.
#[derive(Default)]
struct Recorder {
    calls: Vec<String>,
}

impl Recorder {
    fn note<'a>(&mut self, call: &str, resources: impl IntoIterator<Item = &'a Resource>) {
        let names: Vec<&str> = resources
            .into_iter()
            .map(|resource| resource.name().as_str())
            .collect();
        self.calls.push(format!("{call}: {}", names.join(" ")));
    }
}

impl Hooks for Recorder {
    fn loaded(&mut self, resources: &mut [Resource], names: &FileNames) -> kustomize::Result<()> {
        let file = resources
            .first()
            .and_then(|resource| names.get(resource.node().position.file));
        let call = format!("loaded {}", file.unwrap_or_default());
        self.note(&call, &*resources);
        Ok(())
    }

    fn before_replacements(&mut self, resources: &mut Resources) -> kustomize::Result<()> {
        self.note("replacements", &*resources);
        Ok(())
    }

    fn before_name_hashes(
        &mut self,
        resources: &mut Resources,
        _: &FileNames,
    ) -> kustomize::Result<()> {
        self.note("hashes", &*resources);
        Ok(())
    }
}

const REPLACEMENT: &str = "source: {kind: ConfigMap, name: a, fieldPath: data.k}\n  targets: [{select: {name: a}, \
                           fieldPaths: [data.j]}]\n";

fn object(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: v, j: w}}\n")
}

fn calls(files: &[(&str, &str)]) -> Vec<String> {
    let mut tree = MemoryFiles::new();
    for (path, text) in files {
        tree.insert(path, *text);
    }
    let mut recorder = Recorder::default();
    build_with(&tree, "/r/top", &Options::default(), &mut recorder).expect("the tree builds");
    recorder.calls
}

#[test]
fn hooks_are_called_layer_by_layer() {
    let replacements = format!("replacements:\n- {REPLACEMENT}");
    let base = format!(
        "namePrefix: p-\nresources: [a.yaml]\nconfigMapGenerator: [{{name: g}}]\n{replacements}"
    );
    let top = format!(
        "resources: [../base]\ncomponents: [../more]\n{}",
        replacements.replace("name: a", "name: p-a")
    );
    let found = calls(&[
        ("/r/base/kustomization.yaml", &base),
        ("/r/base/a.yaml", &object("a")),
        (
            "/r/more/kustomization.yaml",
            "kind: Component\nresources: [c.yaml]\n",
        ),
        ("/r/more/c.yaml", &object("c")),
        ("/r/top/kustomization.yaml", &top),
    ]);
    assert_eq!(
        found,
        [
            "loaded ../base/a.yaml: a",
            "replacements: p-a p-g",
            "loaded ../more/c.yaml: c",
            "replacements: p-a p-g c",
            "hashes: p-a p-g c",
        ]
    );
}

#[test]
fn resources_that_configure_plugins_pass_by_unseen() {
    let plugin = format!(
        "apiVersion: builtin\nkind: ReplacementTransformer\nmetadata: {{name: r}}\nreplacements:\n- {REPLACEMENT}"
    );
    let found = calls(&[
        (
            "/r/top/kustomization.yaml",
            "resources: [a.yaml]\ntransformers: [plugins]\n",
        ),
        ("/r/top/a.yaml", &object("a")),
        (
            "/r/top/plugins/kustomization.yaml",
            &format!(
                "resources: [r.yaml, a.yaml]\nreplacements:\n- {REPLACEMENT}transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {{name: d}}\n  target: {{kind: ConfigMap}}\n  patch: '{{apiVersion: v1, kind: x, metadata: {{name: x}}, $patch: delete}}'\n"
            ),
        ),
        ("/r/top/plugins/r.yaml", &plugin),
        ("/r/top/plugins/a.yaml", &object("a")),
    ]);
    assert_eq!(found, ["loaded a.yaml: a", "replacements: a", "hashes: a"]);
}

#[test]
fn variables_count_as_copies_once() {
    let vars = "vars:\n- {name: V, objref: {apiVersion: v1, kind: ConfigMap, name: a}, fieldref: {fieldpath: data.k}}\n";
    let found = calls(&[
        (
            "/r/top/kustomization.yaml",
            &format!("resources: [a.yaml]\n{vars}"),
        ),
        ("/r/top/a.yaml", &object("a")),
    ]);
    assert_eq!(found, ["loaded a.yaml: a", "replacements: a", "hashes: a"]);
}
