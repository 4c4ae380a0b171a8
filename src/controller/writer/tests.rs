use std::io;
use std::sync::{Arc, Mutex};

use tracing::subscriber::with_default;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::settings::object::{ObjectKind, ObjectName};
use crate::steer::plan::{Change, Counted, Decision, Effect, Origin, Patch, Purpose, Revision};

/// What is logged, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn job(purpose: Purpose, changes: Vec<Change>) -> Job {
    let decision = Decision {
        application: Name::new("argocd", "lamp"),
        uid: "u".into(),
        environment: "dev".into(),
        project: "default".into(),
        revision: Revision {
            default: None,
            wanted: None,
            current: Vec::new(),
            outcome: crate::steer::plan::Outcome::Change,
        },
        settings: None,
        patch: Some(Patch {
            purpose,
            operations: Vec::new(),
            changes,
            effect: Effect::default(),
        }),
        again: None,
        counted: Counted::Not,
    };
    Job::of(decision, "7".into(), Instant::now()).unwrap()
}

fn record() -> Change {
    Change {
        field: "/metadata/annotations/argocd-infisical.io~1state".into(),
        old: None,
        new: "{}".into(),
        origin: None,
    }
}

/// The lines of the audit.
fn audited(job: &Job) -> Vec<Value> {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(kept.clone())
        .finish();
    let after = json!({"metadata": {"namespace": "argocd", "name": "lamp", "uid": "u", "resourceVersion": "8"}, "spec": {}}).to_string();
    let after = Applications::prune(&after).unwrap();
    with_default(subscriber, || audit(job, Some(&after), "patched"));
    let bytes = kept.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_patch_has_one_line_with_all_that_it_changes() {
    let object = ObjectName {
        kind: ObjectKind::Secret,
        namespace: "own".into(),
        name: "dev".into(),
    };
    let origin = Origin::Override {
        object,
        key: "TARGET_REVISION".into(),
    };
    let revision = |index: usize| Change {
        field: format!("/spec/sources/{index}/targetRevision"),
        old: Some("dev".into()),
        new: "feature/x".into(),
        origin: Some(origin.clone()),
    };
    let job = job(Purpose::Revision, vec![revision(0), revision(1), record()]);
    let lines = audited(&job);
    assert_eq!(lines.len(), 1);
    for (field, value) in [
        ("target", "argocd_infisical::audit"),
        ("message", "patched"),
        ("application", "argocd/lamp"),
        ("uid", "u"),
        ("purpose", "revision"),
        ("before", "7"),
        ("after", "8"),
    ] {
        assert_eq!(lines[0][field], value, "{field}");
    }
    let changes: Value = serde_json::from_str(lines[0]["changes"].as_str().unwrap()).unwrap();
    assert_eq!(changes.as_array().unwrap().len(), 3);
    assert_eq!(
        changes[1],
        json!({
            "field": "/spec/sources/1/targetRevision", "old": "dev", "new": "feature/x",
            "origin": format!("{origin}"),
        })
    );
}

#[test]
fn a_patch_that_only_notes_what_was_decided_has_its_line() {
    let lines = audited(&job(Purpose::Record, vec![record()]));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["purpose"], "record");
    let changes = lines[0]["changes"].as_str().unwrap();
    assert!(changes.contains("argocd-infisical.io~1state"), "{changes}");
}
