//! Nothing that a kustomization can say leads out of the checkout, whatever the engine itself would allow.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use kustomize::{Entry, External, FileError, Files, LoadRestrictions, Options, build};
use tempfile::TempDir;

use super::DiskFiles;

const SECRET: &str = "kestrel";

/// Every field that names a file or directory, with `PATH` where the name stands. What is there is right for each.
const FIELDS: [(&str, &str); 17] = [
    ("resources: [PATH]", "object.yaml"),
    ("resources: [PATH]", "base"),
    ("components: [PATH]", "component"),
    (
        "configMapGenerator: [{name: g, files: [PATH]}]",
        "object.yaml",
    ),
    (
        "configMapGenerator: [{name: g, files: [k=PATH]}]",
        "object.yaml",
    ),
    ("configMapGenerator: [{name: g, envs: [PATH]}]", "pairs.env"),
    ("configMapGenerator: [{name: g, env: PATH}]", "pairs.env"),
    ("secretGenerator: [{name: g, files: [PATH]}]", "object.yaml"),
    ("patches: [{path: PATH}]", "patch.yaml"),
    ("patchesStrategicMerge: [PATH]", "patch.yaml"),
    (
        "patchesJson6902: [{path: PATH, target: {version: v1, kind: ConfigMap, name: own}}]",
        "operations.yaml",
    ),
    ("replacements: [{path: PATH}]", "replacement.yaml"),
    ("configurations: [PATH]", "configuration.yaml"),
    ("crds: [PATH]", "definitions.yaml"),
    ("openapi: {path: PATH}", "schema.json"),
    ("transformers: [PATH]", "transformer.yaml"),
    ("generators: [PATH]", "generator.yaml"),
];

/// What is in the directory that is in the checkout, and in the one that is outside of it.
const FILES: [(&str, &str); 12] = [
    (
        "object.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kestrel}\n",
    ),
    (
        "base/kustomization.yaml",
        "namePrefix: kestrel-\nconfigMapGenerator: [{name: x}]\n",
    ),
    (
        "component/kustomization.yaml",
        "kind: Component\nnamePrefix: kestrel-\n",
    ),
    ("pairs.env", "a=kestrel\n"),
    (
        "patch.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {a: kestrel}\n",
    ),
    (
        "operations.yaml",
        "[{\"op\": \"add\", \"path\": \"/data\", \"value\": {\"a\": \"kestrel\"}}]\n",
    ),
    (
        "replacement.yaml",
        "{sourceValue: kestrel, targets: [{select: {kind: ConfigMap}, fieldPaths: [metadata.name]}]}\n",
    ),
    ("configuration.yaml", "nameReference: []\n"),
    ("definitions.yaml", "{}\n"),
    ("schema.json", "{\"definitions\": {}}\n"),
    (
        "transformer.yaml",
        "{apiVersion: builtin, kind: PrefixTransformer, metadata: {name: t}, prefix: kestrel-, fieldSpecs: [{path: metadata/name}]}\n",
    ),
    (
        "generator.yaml",
        "{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: t}, literals: [a=kestrel]}\n",
    ),
];

/// A checkout with a directory `in` in it, and the same directory outside of it.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            directory: TempDir::new().unwrap(),
        };
        for directory in [place.inside(), place.outside()] {
            for (path, text) in FILES {
                let path = directory.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        }
        let own = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n";
        fs::write(place.app().join("own.yaml"), own).unwrap();
        place
    }

    fn top(&self) -> PathBuf {
        fs::canonicalize(self.directory.path()).unwrap()
    }

    fn app(&self) -> PathBuf {
        self.top().join("checkout/app")
    }

    fn inside(&self) -> PathBuf {
        self.app().join("in")
    }

    fn outside(&self) -> PathBuf {
        self.top().join("outside")
    }

    /// Writes a kustomization with this field, and builds it with files that are bound to the checkout.
    fn build(&self, field: &str, files: &dyn Files) -> Result<String, String> {
        let own = if field.starts_with("resources") {
            ""
        } else {
            "resources: [own.yaml]\n"
        };
        let text = format!("{own}{field}\n");
        fs::write(self.app().join("kustomization.yaml"), text).unwrap();
        let options = Options {
            load_restrictions: LoadRestrictions::None,
            ..Options::default()
        };
        let built = build(files, self.app().to_str().unwrap(), &options);
        let built = built.and_then(|output| output.to_yaml());
        built.map_err(|error| error.to_string())
    }

    fn files(&self) -> DiskFiles {
        DiskFiles::within(&self.top().join("checkout")).unwrap()
    }
}

#[test]
fn no_field_leads_out_of_the_checkout() {
    let place = Place::new();
    symlink(place.outside(), place.app().join("link")).unwrap();
    for (field, name) in FIELDS {
        let with = |path: &str| place.build(&field.replace("PATH", path), &place.files());
        let built = with(&format!("in/{name}"));
        assert!(built.is_ok(), "{field}: {built:?}");
        let outside = place.outside();
        for path in [
            format!("../../outside/{name}"),
            format!("in/../../../outside/{name}"),
            format!("link/{name}"),
            format!("{}/{name}", outside.display()),
        ] {
            let message = with(&path).expect_err(field);
            let is_refused = message.contains("outside of the repository")
                || message.contains("the path of a base cannot be absolute");
            assert!(
                is_refused && !message.contains(SECRET),
                "{field}: {path}: {message}"
            );
        }
        // Links from file to file and on from there.
        let (one, other) = (place.app().join("one"), place.app().join("other"));
        symlink(outside.join(name), &one).unwrap();
        symlink("one", &other).unwrap();
        let message = with("other").expect_err(field);
        assert!(
            message.contains("outside of the repository"),
            "{field}: {message}"
        );
        fs::remove_file(one).unwrap();
        fs::remove_file(other).unwrap();
    }
}

/// Files in which a link takes the place of a directory once it has been resolved, just before it is read.
struct Swapped<'a> {
    files: DiskFiles,
    place: &'a Place,
}

impl Swapped<'_> {
    fn swap(&self, path: &Path) {
        let inside = self.place.inside();
        if path.starts_with(&inside) && !inside.is_symlink() {
            fs::rename(&inside, self.place.app().join("before")).unwrap();
            symlink(self.place.outside(), &inside).unwrap();
        }
    }
}

impl Files for Swapped<'_> {
    fn resolve(&self, path: &str) -> Result<Entry, FileError> {
        self.files.resolve(path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.swap(Path::new(path));
        self.files.read(path)
    }

    fn external(&self) -> &dyn External {
        self.files.external()
    }

    fn names_in(&self, directory: &str) -> Vec<String> {
        self.files.names_in(directory)
    }
}

#[test]
fn a_link_that_comes_during_the_build_leads_nowhere() {
    for (field, name) in FIELDS {
        let place = Place::new();
        let files = Swapped {
            files: place.files(),
            place: &place,
        };
        let field = field.replace("PATH", &format!("in/{name}"));
        let built = place.build(&field, &files);
        assert!(place.inside().is_symlink(), "{field}: it was not read");
        let message = built.expect_err(&field);
        assert!(
            message.contains("a part of its path has become a symbolic link"),
            "{field}: {message}"
        );
        assert!(!message.contains(SECRET), "{field}: {message}");
    }
}
