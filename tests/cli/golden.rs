//! The applications in `testdata`, against what the real kustomize prints for them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{Run, run_in};

/// One recorded output.
struct Golden {
    path: PathBuf,
    application: String,
    environment: String,
    mode: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn goldens(mode: &str) -> Vec<Golden> {
    let directory = root().join("testdata/golden");
    let mut found = Vec::new();
    for application in names(&directory)
        .iter()
        .filter(|name| directory.join(name).is_dir())
    {
        for file in names(&directory.join(application)) {
            let Some((environment, rest)) = file.split_once('.') else {
                continue;
            };
            if rest == format!("{mode}.yaml") {
                found.push(Golden {
                    path: directory.join(application).join(&file),
                    application: application.clone(),
                    environment: environment.to_owned(),
                    mode: mode.to_owned(),
                });
            }
        }
    }
    assert!(found.len() >= 5, "only {} goldens of {mode}", found.len());
    found
}

impl Golden {
    fn overlay(&self) -> String {
        format!(
            "testdata/{}/overlays/{}",
            self.application, self.environment
        )
    }

    fn settings(&self, file: &str) -> String {
        format!(
            "testdata/{}/settings/{}/{file}",
            self.application, self.environment
        )
    }

    #[track_caller]
    fn check(&self, arguments: &[&str]) {
        let Run {
            code,
            stdout,
            stderr,
        } = run_in(root(), arguments);
        assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
        let expected = fs::read_to_string(&self.path).unwrap();
        assert!(
            stdout == expected,
            "{arguments:?} differs from {} ({})",
            self.path.display(),
            self.mode
        );
    }
}

#[test]
fn build_equals_kustomize() {
    for golden in goldens("build") {
        golden.check(&["build", &golden.overlay()]);
    }
}

#[test]
fn render_with_settings_equals_kustomize_on_edited_defaults() {
    for golden in goldens("render") {
        for source in ["settings.yaml", "settings.d", "settings.env"] {
            let settings = golden.settings(source);
            if root().join(&settings).exists() {
                golden.check(&["render", &golden.overlay(), "--settings", &settings]);
            }
        }
    }
}

#[test]
fn render_without_settings_takes_the_defaults() {
    for golden in goldens("defaults") {
        golden.check(&["render", &golden.overlay()]);
    }
}

#[test]
fn a_required_setting_has_no_default() {
    let Run {
        code,
        stdout,
        stderr,
    } = run_in(root(), &["render", "testdata/website/overlays/prod"]);
    let expected = "error: a required setting has no value\n  `TITLE`, declared at testdata/website/base/settings.yaml:17\n    \
                    asked for at testdata/website/base/html/index.html:5\n    asked for at \
                    testdata/website/base/nginx.conf:22\nhint: give it with `--settings FILE`, or give it a default where it \
                    is declared\n";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (1, "", expected));
}
