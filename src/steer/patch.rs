//! JSON Patches of Applications. Whatever a decision rests on is tested in the patch itself, so that one that is late changes
//! nothing.

use serde_json::{Value, json};

use super::application::{Application, EnvEntry, OperationState, Plugin, Source};
use super::digests;
use super::plan::{Answers, Change, Effect, Origin, Patch, Purpose};
use super::policy::Policy;
use super::record::{self, Record};
use crate::settings::digest::VARIABLE;

/// The annotations that ask Argo CD to look again.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
/// When that was asked; Argo CD 3.6 keeps a request that arrives while it works on another one.
pub const REFRESH_TIMESTAMP: &str = "argocd.argoproj.io/refresh-timestamp";
const HOLD: &str = "argocd-infisical.io/hold";
const ANNOTATIONS: &str = "/metadata/annotations";

/// A patch that is being made.
pub(super) struct Builder<'a> {
    application: &'a Application,
    tests: Vec<Value>,
    writes: Vec<Value>,
    annotations: Vec<(&'static str, String)>,
    purpose: Option<Purpose>,
    changes: Vec<Change>,
    effect: Effect,
}

impl<'a> Builder<'a> {
    pub(super) fn new(application: &'a Application, policy: &Policy) -> Self {
        let mut builder = Self {
            application,
            tests: Vec::new(),
            writes: Vec::new(),
            annotations: Vec::new(),
            purpose: None,
            changes: Vec::new(),
            effect: Effect::default(),
        };
        let metadata = &application.metadata;
        builder.test("/metadata/uid", json!(metadata.uid));
        let environment = policy.environment_of(application);
        let label = format!("/metadata/labels/{}", escaped(&policy.environment_label));
        builder.test(&label, json!(environment));
        if !application.spec.project.is_empty() {
            builder.test("/spec/project", json!(application.spec.project));
        }
        match &metadata.annotations {
            None => builder.test(ANNOTATIONS, Value::Null),
            Some(annotations) => {
                builder.test(&annotation(HOLD), json!(annotations.hold));
                // Whoever else decides has written this.
                builder.test(&annotation(record::ANNOTATION), json!(annotations.state));
            }
        }
        builder
    }

    fn test(&mut self, path: &str, value: impl Into<Value>) {
        self.tests
            .push(json!({"op": "test", "path": path, "value": value.into()}));
    }

    fn write(&mut self, operation: &str, path: &str, value: impl Into<Value>) {
        self.writes
            .push(json!({"op": operation, "path": path, "value": value.into()}));
    }

    fn is_for(&mut self, purpose: Purpose) {
        self.purpose = Some(self.purpose.map_or(purpose, |before| before.min(purpose)));
    }

    /// Tests that a source is of the repository that was looked at, and no chart.
    fn test_source(&mut self, pointer: &str, source: &Source) {
        self.test(&format!("{pointer}/repoURL"), json!(source.repo_url));
        self.test(&format!("{pointer}/chart"), json!(source.chart));
    }

    /// Gives a source a revision.
    pub(super) fn revision(&mut self, pointer: &str, source: &Source, new: &str, origin: &Origin) {
        self.test_source(pointer, source);
        let path = format!("{pointer}/targetRevision");
        self.test(&path, json!(source.target_revision));
        // `add` is for both: one that is there is replaced.
        self.write("add", &path, json!(new));
        self.changes.push(Change {
            field: path,
            old: source.target_revision.clone(),
            new: new.to_owned(),
            origin: Some(origin.clone()),
        });
        self.effect.revision = Some(new.to_owned());
        self.is_for(Purpose::Revision);
    }

    /// Gives the plugin of a source a digest.
    pub(super) fn digest(&mut self, pointer: &str, source: &Source, plugin: &Plugin, new: &str) {
        self.test_source(pointer, source);
        self.test(&format!("{pointer}/plugin/name"), json!(plugin.name));
        let env = format!("{pointer}/plugin/env");
        let entry = json!({"name": VARIABLE, "value": new});
        let (path, old) = match (&plugin.env, digests::current(plugin)) {
            (Some(_), Some((place, old))) => {
                let path = format!("{env}/{place}/value");
                self.test(&format!("{env}/{place}/name"), json!(VARIABLE));
                self.test(&path, json!(old));
                self.write("replace", &path, json!(new));
                (path, Some(old.to_owned()))
            }
            (Some(entries), None) => {
                self.test_last(&env, entries);
                self.write("add", &format!("{env}/-"), entry);
                (env, None)
            }
            (None, _) => {
                self.test(&env, Value::Null);
                self.write("add", &env, json!([entry]));
                (env, None)
            }
        };
        self.changes.push(Change {
            field: path,
            old,
            new: new.to_owned(),
            origin: None,
        });
        let before = self.effect.digest.take();
        self.effect.digest = Some(match before {
            None => new.to_owned(),
            // That of another source.
            Some(before) => format!("{before} {new}"),
        });
        self.is_for(Purpose::Digest);
    }

    /// Tests that a list ends where it ended.
    fn test_last(&mut self, env: &str, entries: &[EnvEntry]) {
        if let Some((place, last)) = entries.iter().enumerate().next_back() {
            self.test(&format!("{env}/{place}/name"), json!(last.name));
        }
    }

    /// Ends the operation that waits to be tried again.
    pub(super) fn terminate(&mut self, operation: &OperationState) {
        let path = "/status/operationState";
        self.test(&format!("{path}/startedAt"), json!(operation.started_at));
        self.test(&format!("{path}/phase"), json!("Running"));
        self.write("replace", &format!("{path}/phase"), json!("Terminating"));
        self.changes.push(Change {
            field: format!("{path}/phase"),
            old: Some("Running".into()),
            new: "Terminating".into(),
            origin: None,
        });
        self.is_for(Purpose::Operation);
    }

    /// Asks Argo CD to render again without its cache. `at` is the time, as RFC 3339 writes it.
    pub(super) fn refresh(&mut self, at: &str, cause: &str) {
        self.annotations.push((REFRESH, "hard".into()));
        self.annotations.push((REFRESH_TIMESTAMP, at.into()));
        self.changes.push(Change {
            field: annotation(REFRESH),
            old: None,
            new: "hard".into(),
            origin: None,
        });
        self.effect.refresh = Some(cause.to_owned());
        self.is_for(Purpose::Refresh);
    }

    /// Notes what was decided.
    pub(super) fn record(&mut self, record: &Record) {
        let annotations = self.application.metadata.annotations.as_ref();
        self.changes.push(Change {
            field: annotation(record::ANNOTATION),
            old: annotations.and_then(|annotations| annotations.state.clone()),
            new: record.text(),
            origin: None,
        });
        self.annotations.push((record::ANNOTATION, record.text()));
        self.is_for(Purpose::Record);
    }

    /// Notes what it sets once more, since an owner put it back by mistake.
    pub(super) const fn answer(&mut self, answers: Answers) {
        self.effect.answers = answers;
    }

    /// The patch; `None` where there is nothing to write.
    pub(super) fn finish(mut self) -> Option<Patch> {
        let purpose = self.purpose?;
        let annotations = std::mem::take(&mut self.annotations);
        if self.application.metadata.annotations.is_some() {
            for (name, value) in annotations {
                self.write("add", &annotation(name), json!(value));
            }
        } else if !annotations.is_empty() {
            let all = annotations.into_iter();
            let all = all.map(|(name, value)| (name.to_owned(), json!(value)));
            self.write("add", ANNOTATIONS, Value::Object(all.collect()));
        }
        // Several sources may have asked for the same.
        let mut operations: Vec<Value> = Vec::new();
        for test in self.tests {
            if !operations.contains(&test) {
                operations.push(test);
            }
        }
        operations.extend(self.writes);
        Some(Patch {
            purpose,
            operations,
            changes: self.changes,
            effect: self.effect,
        })
    }
}

/// The text of operations, as the API server writes JSON: its `test` compares the texts of two strings and not the strings, so that
/// `a&b` is another one than `a\u0026b`, which it keeps.
// Kubernetes: jsonPatcher.applyJSPatch, with evanphx/json-patch's lazyNode.equal; Go: encoding/json's HTMLEscape
pub fn text(operations: &[Value]) -> String {
    // Values cannot fail to be written, and what was written can be read.
    let text = serde_json::to_string(operations).unwrap_or_default();
    goyaml::Value::from_json(text.as_bytes()).map_or(text, |operations| operations.to_json())
}

/// The JSON pointer to an annotation.
fn annotation(name: &str) -> String {
    format!("{ANNOTATIONS}/{}", escaped(name))
}

/// A name as a part of a JSON pointer.
// RFC 6901, section 3
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_the_server_writes_them() {
        let value = "a<b>c&d\u{2028}e\u{2029}f\"g\\h\u{8}\u{c}\n\r\t\u{1b}\u{7f}é";
        let operation = json!({"op": "test", "path": "/x", "value": value});
        let text = text(&[operation]);
        let as_go_does = r#""a\u003cb\u003ec\u0026d\u2028e\u2029f\"g\\h\b\f\n\r\t\u001b"#;
        assert!(text.contains(as_go_does), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read[0]["value"], value);
    }
}
