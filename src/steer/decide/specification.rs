//! The rules, one line each: an Application, the objects that speak of it, and what happens.
//!
//! An Application is written `namespace/name environment@revision`, with marks after it; an object `Kind namespace/name
//! environment[/application] KEY=VALUE…`. What happens is `same`, `REVISION from ORIGIN`, or the code of the reason why it stays.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::application::Application;
use super::super::desired::Rank;
use super::super::plan::{Decision, Origin, Outcome};
use super::super::policy::{APPLICATION, ENVIRONMENT, Policy};
use super::super::record::{Record, Recorded};
use super::super::state::State;
use super::decide;
use crate::settings::object::{Object, ObjectKind, ObjectName};

pub(super) const NOW: &str = "2026-11-29T12:00:00Z";

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// An Application as it is written above. Marks: `manual`, `hold`, `by=MANAGER`, `project=NAME`, `was=REVISION:KIND:namespace/name#KEY:RANK`
/// (what the record says), `set=REVISION` (a record of a default), `chart`, `oci`, `hydrated`, `skip`, `deleted`.
pub(super) fn application(text: &str) -> Application {
    serde_json::from_value(manifest(text)).unwrap()
}

/// The manifest of [`application`].
pub(super) fn manifest(text: &str) -> Value {
    let mut words = text.split_whitespace();
    let (namespace, name) = words.next().unwrap().split_once('/').unwrap();
    let (environment, revision) = words.next().unwrap().split_once('@').unwrap();
    let mut source = json!({"repoURL": "https://git/repo", "path": "app"});
    if !revision.is_empty() {
        source["targetRevision"] = json!(revision);
    }
    let mut annotations = json!({});
    let mut metadata = json!({"name": name, "namespace": namespace, "uid": format!("uid-{name}"),
        "labels": {ENVIRONMENT: environment}});
    let mut spec = json!({"project": "home", "syncPolicy": {"automated": {}}});
    for mark in words {
        let (mark, value) = mark.split_once('=').unwrap_or((mark, ""));
        match mark {
            "manual" => drop(spec.as_object_mut().unwrap().remove("syncPolicy")),
            "hold" => annotations["argocd-infisical.io/hold"] = json!("true"),
            "skip" => annotations["argocd.argoproj.io/skip-reconcile"] = json!("true"),
            "deleted" => metadata["deletionTimestamp"] = json!(NOW),
            "project" => spec["project"] = json!(value),
            "chart" => source["chart"] = json!("x"),
            "oci" => source["repoURL"] = json!("oci://registry/x"),
            "hydrated" => spec["sourceHydrator"] = json!({"drySource": {}}),
            "by" => {
                metadata["managedFields"] = json!([{"manager": value, "operation": "Update", "time": NOW,
                "fieldsV1": {"f:spec": {"f:source": {"f:targetRevision": {}}}}}]);
            }
            "set" => {
                annotations["argocd-infisical.io/state"] = json!(
                    Record {
                        environment: environment.into(),
                        revision: Some(value.into()),
                        ..Record::default()
                    }
                    .text()
                );
            }
            "was" => {
                annotations["argocd-infisical.io/state"] = json!(was(environment, value).text());
            }
            other => panic!("{other}"),
        }
    }
    if annotations
        .as_object()
        .is_some_and(|annotations| !annotations.is_empty())
    {
        metadata["annotations"] = annotations;
    }
    spec["source"] = source;
    json!({"metadata": metadata, "spec": spec})
}

fn was(environment: &str, text: &str) -> Record {
    let parts: Vec<&str> = text.split(':').collect();
    let [revision, kind, place, rank] = parts.as_slice() else {
        panic!("{text}")
    };
    let (object, key) = place.split_once('#').unwrap();
    let (namespace, name) = object.split_once('/').unwrap();
    let rank: Rank = serde_json::from_value(json!(rank)).unwrap();
    Record {
        environment: environment.into(),
        revision: Some((*revision).into()),
        origin: Some(Recorded {
            kind: (*kind).into(),
            namespace: namespace.into(),
            name: name.into(),
            key: key.into(),
            rank,
        }),
        ..Record::default()
    }
}

pub(super) fn object(text: &str) -> (ObjectName, Object) {
    let mut words = text.split_whitespace();
    let kind = match words.next().unwrap() {
        "Secret" => ObjectKind::Secret,
        _ => ObjectKind::ConfigMap,
    };
    let (namespace, name) = words.next().unwrap().split_once('/').unwrap();
    let labels = words.next().unwrap();
    let (environment, application) = labels
        .split_once('/')
        .map_or((labels, None), |(a, b)| (a, Some(b)));
    let mut labels = BTreeMap::new();
    if environment != "-" {
        labels.insert(ENVIRONMENT.to_owned(), environment.to_owned());
    }
    labels.extend(application.map(|application| (APPLICATION.to_owned(), application.to_owned())));
    let data = words.map(|word| {
        let (key, value) = word.split_once('=').unwrap();
        (
            key.to_owned(),
            value.replace("%20", " ").replace("%0A", "\n").into_bytes(),
        )
    });
    let name = ObjectName {
        kind,
        namespace: namespace.into(),
        name: name.into(),
    };
    (
        name,
        Object {
            labels,
            data: data.collect(),
            ..Object::default()
        },
    )
}

pub(super) fn state(applications: &[&str], objects: &[&str]) -> State {
    let applications = applications.iter().map(|text| application(text));
    State {
        applications: applications
            .map(|application| (application.name(), Box::new(application)))
            .collect(),
        objects: objects.iter().map(|text| object(text)).collect(),
        ..State::default()
    }
}

pub(super) fn shown(decision: &Decision) -> String {
    match &decision.revision.outcome {
        Outcome::Same => "same".into(),
        Outcome::Stays(reason) => reason.code.as_str().into(),
        Outcome::Change => {
            let wanted = decision.revision.wanted.as_ref().unwrap();
            match &wanted.origin {
                Origin::Default => format!("{} from default", wanted.revision),
                Origin::Override { object, key } => {
                    format!(
                        "{} from {}/{} {key}",
                        wanted.revision, object.namespace, object.name
                    )
                }
            }
        }
    }
}

/// What happens to the first Application. A patch is there where something changes, and nowhere else.
pub(super) fn happens(state: &State, policy: &Policy) -> String {
    let plan = decide(state, policy, now());
    for decision in &plan.decisions {
        let is_change = decision.revision.outcome == Outcome::Change;
        assert_eq!(decision.moves(), is_change, "{decision:?}");
    }
    let first = state.applications.keys().next().unwrap();
    let decision = plan
        .decisions
        .iter()
        .find(|decision| decision.application == *first);
    decision.map_or_else(|| "nothing".into(), shown)
}

type Line = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

const OVERRIDE: &str = "Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=feature/x";
const WAS: &str = "argocd/lamp dev@feature/x was=feature/x:Secret:argocd-infisical/rev#ARGOCD_TARGET_REVISION:environment";

#[rustfmt::skip]
const LINES: &[Line] = &[
    // Defaults.
    ("prod follows main", &["argocd/lamp prod@dev"], &[], "main from default"),
    ("dev follows dev", &["argocd/lamp dev@main"], &[], "dev from default"),
    ("test follows dev", &["argocd/lamp test@main"], &[], "dev from default"),
    ("staging follows dev", &["argocd/lamp staging@main"], &[], "dev from default"),
    ("no revision is HEAD, and no default", &["argocd/lamp dev@"], &[], "dev from default"),
    ("nothing is written that is there", &["argocd/lamp dev@dev"], &[], "same"),
    ("a full ref is the same branch", &["argocd/lamp dev@refs/heads/dev"], &[], "same"),
    ("a tag of the name is not", &["argocd/lamp dev@refs/tags/dev"], &[], "dev from default"),
    ("an unknown environment has no default", &["argocd/lamp qa@x"], &["Secret argocd-infisical/rev qa ARGOCD_TARGET_REVISION=y"], "UnknownEnvironment"),
    // Ranks.
    ("an override of the environment wins over the default", &["argocd/lamp dev@dev"], &[OVERRIDE], "feature/x from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("a ConfigMap does as well", &["argocd/lamp dev@dev"], &["ConfigMap argocd-infisical/rev dev TARGET_REVISION=w"], "w from argocd-infisical/rev TARGET_REVISION"),
    ("the product's key wins over the plain one", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev TARGET_REVISION=a ARGOCD_TARGET_REVISION=b"], "b from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("an empty one does not", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev TARGET_REVISION=a ARGOCD_TARGET_REVISION="], "a from argocd-infisical/rev TARGET_REVISION"),
    ("a key of the Application wins over that of the environment", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=a ARGOCD_TARGET_REVISION__LAMP=b"], "b from argocd-infisical/rev ARGOCD_TARGET_REVISION__LAMP"),
    ("in another object, too", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/a dev ARGOCD_TARGET_REVISION=a", "Secret argocd-infisical/b dev ARGOCD_TARGET_REVISION__LAMP=b"], "b from argocd-infisical/b ARGOCD_TARGET_REVISION__LAMP"),
    ("an object of the Application wins over both", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/a dev ARGOCD_TARGET_REVISION=a ARGOCD_TARGET_REVISION__LAMP=b", "Secret argocd-infisical/b dev/lamp ARGOCD_TARGET_REVISION=c"], "c from argocd-infisical/b ARGOCD_TARGET_REVISION"),
    ("an object of the Application without the key leaves it to the environment", &["argocd/lamp dev@dev"], &[OVERRIDE, "Secret argocd-infisical/b dev/lamp OTHER=c"], "feature/x from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("an object of another Application says nothing", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/b dev/other ARGOCD_TARGET_REVISION=c"], "same"),
    ("a key of another Application says nothing", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/b dev ARGOCD_TARGET_REVISION__OTHER=c"], "same"),
    ("an object of another environment says nothing", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/b test ARGOCD_TARGET_REVISION=c"], "same"),
    ("an object without the label says nothing", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/b - ARGOCD_TARGET_REVISION=c"], "same"),
    ("outside Argo CD's namespace an Application is called by both", &["team/lamp dev@dev"], &["Secret argocd-infisical/b dev/team_lamp ARGOCD_TARGET_REVISION=c"], "c from argocd-infisical/b ARGOCD_TARGET_REVISION"),
    ("its name alone is another Application's", &["team/lamp dev@dev"], &["Secret argocd-infisical/b dev/lamp ARGOCD_TARGET_REVISION=c"], "same"),
    ("so in keys", &["team/lamp dev@dev"], &["Secret argocd-infisical/b dev ARGOCD_TARGET_REVISION__TEAM_LAMP=c ARGOCD_TARGET_REVISION__LAMP=d"], "c from argocd-infisical/b ARGOCD_TARGET_REVISION__TEAM_LAMP"),
    ("one line break at the end is no part of a value", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/b dev ARGOCD_TARGET_REVISION=c%0A"], "c from argocd-infisical/b ARGOCD_TARGET_REVISION"),
    // Who is believed.
    ("a tenant's object says nothing of Argo CD's namespace", &["argocd/lamp dev@dev"], &["Secret team/rev dev ARGOCD_TARGET_REVISION=w"], "same"),
    ("nor of another tenant's", &["other/lamp dev@dev"], &["Secret team/rev dev/other_lamp ARGOCD_TARGET_REVISION=w"], "same"),
    ("of its own namespace it does", &["team/lamp dev@dev"], &["Secret team/rev dev ARGOCD_TARGET_REVISION=w"], "w from team/rev ARGOCD_TARGET_REVISION"),
    ("by the short name, too", &["team/lamp dev@dev"], &["Secret team/rev dev/lamp ARGOCD_TARGET_REVISION=w"], "w from team/rev ARGOCD_TARGET_REVISION"),
    ("Argo CD's own Secrets are not looked at", &["argocd/lamp dev@dev"], &["Secret argocd/rev dev ARGOCD_TARGET_REVISION=w"], "same"),
    // Conflicts and collisions.
    ("two that disagree move nothing", &["argocd/lamp dev@dev"], &[OVERRIDE, "Secret argocd-infisical/z dev ARGOCD_TARGET_REVISION=y"], "Conflict"),
    ("two that agree are one", &["argocd/lamp dev@dev"], &[OVERRIDE, "Secret argocd-infisical/z dev ARGOCD_TARGET_REVISION=refs/heads/feature/x"], "feature/x from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("a Secret and a ConfigMap that disagree, too", &["argocd/lamp dev@dev"], &[OVERRIDE, "ConfigMap argocd-infisical/rev dev ARGOCD_TARGET_REVISION=y"], "Conflict"),
    ("what is more specific is no conflict", &["argocd/lamp dev@dev"], &[OVERRIDE, "Secret argocd-infisical/z dev/lamp ARGOCD_TARGET_REVISION=y"], "y from argocd-infisical/z ARGOCD_TARGET_REVISION"),
    ("a key for two Applications moves neither", &["argocd/a-b dev@dev", "argocd/a.b dev@dev"], &["Secret argocd-infisical/z dev ARGOCD_TARGET_REVISION__A_B=y"], "KeyCollision"),
    ("namespaces collide as well", &["argocd/a-b dev@dev", "a/b dev@dev"], &["Secret argocd-infisical/z dev ARGOCD_TARGET_REVISION__A_B=y"], "KeyCollision"),
    ("not across environments", &["argocd/a-b dev@dev", "argocd/a.b test@dev"], &["Secret argocd-infisical/z dev ARGOCD_TARGET_REVISION__A_B=y"], "y from argocd-infisical/z ARGOCD_TARGET_REVISION__A_B"),
    ("nor where the key says nothing", &["argocd/a-b dev@dev", "argocd/a.b dev@dev"], &["Secret argocd-infisical/z dev ARGOCD_TARGET_REVISION__A_B="], "same"),
    // Refused values.
    ("a range of versions is refused", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=1.x"], "InvalidRevision"),
    ("an option is refused", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=--upload-pack=x"], "InvalidRevision"),
    ("a pull request is refused", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=refs/pull/1/head"], "InvalidRevision"),
    ("HEAD is refused", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=HEAD"], "InvalidRevision"),
    ("white space is refused", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=%20x"], "InvalidRevision"),
    ("prod has main", &["argocd/lamp prod@x"], &["Secret argocd-infisical/rev prod ARGOCD_TARGET_REVISION=main"], "main from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("and tags, as full refs", &["argocd/lamp prod@x"], &["Secret argocd-infisical/rev prod ARGOCD_TARGET_REVISION=refs/tags/v1.2.3"], "refs/tags/v1.2.3 from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("and full commits", &["argocd/lamp prod@x"], &["Secret argocd-infisical/rev prod ARGOCD_TARGET_REVISION=0123456789012345678901234567890123456789"], "0123456789012345678901234567890123456789 from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("a bare tag may be a branch", &["argocd/lamp prod@main"], &["Secret argocd-infisical/rev prod ARGOCD_TARGET_REVISION=v1.2.3"], "NotAllowed"),
    ("another branch is refused", &["argocd/lamp prod@main"], &["Secret argocd-infisical/rev prod ARGOCD_TARGET_REVISION=dev"], "NotAllowed"),
    // Releases, and what is unknown.
    ("an override in force stays", &[WAS], &[OVERRIDE], "same"),
    ("an empty key releases it", &[WAS], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION="], "dev from default"),
    ("so does what the operator writes for a key that is gone", &[WAS], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=<no%20value>"], "dev from default"),
    ("and an object without the key", &[WAS], &["Secret argocd-infisical/rev dev"], "dev from default"),
    ("an object that is gone releases nothing", &[WAS], &[], "OverrideGone"),
    ("nor does one without its labels", &[WAS], &["Secret argocd-infisical/rev - ARGOCD_TARGET_REVISION="], "OverrideGone"),
    ("nor one of another environment", &[WAS], &["Secret argocd-infisical/rev test ARGOCD_TARGET_REVISION="], "OverrideGone"),
    ("nor one of another Application", &[WAS], &["Secret argocd-infisical/rev dev/other ARGOCD_TARGET_REVISION="], "OverrideGone"),
    ("nor another one without the key", &[WAS], &["Secret argocd-infisical/other dev"], "OverrideGone"),
    ("nor one of the name that is no Secret", &[WAS], &["ConfigMap argocd-infisical/rev dev"], "OverrideGone"),
    ("nor one that has lost the label of the Application", &["argocd/lamp dev@w was=w:Secret:argocd-infisical/own#ARGOCD_TARGET_REVISION:application"], &["Secret argocd-infisical/own dev ARGOCD_TARGET_REVISION=w"], "OverrideGone"),
    ("one that has got it is followed", &["argocd/lamp dev@w was=w:Secret:argocd-infisical/own#ARGOCD_TARGET_REVISION:environment"], &["Secret argocd-infisical/own dev/lamp ARGOCD_TARGET_REVISION=y"], "y from argocd-infisical/own ARGOCD_TARGET_REVISION"),
    ("another one that speaks is followed", &[WAS], &["Secret argocd-infisical/other dev ARGOCD_TARGET_REVISION=y"], "y from argocd-infisical/other ARGOCD_TARGET_REVISION"),
    ("one that is less specific is not", &["argocd/lamp dev@y was=y:Secret:argocd-infisical/own#ARGOCD_TARGET_REVISION:application"], &[OVERRIDE], "OverrideGone"),
    ("one that is more specific is", &[WAS], &["Secret argocd-infisical/own dev/lamp ARGOCD_TARGET_REVISION=y"], "y from argocd-infisical/own ARGOCD_TARGET_REVISION"),
    ("where no override ever was, the default applies", &["argocd/lamp dev@feature/x set=feature/x"], &[], "dev from default"),
    ("without a record the fields' managers tell", &["argocd/lamp dev@feature/x by=argocd-infisical"], &[], "OverrideGone"),
    ("an object without the key releases it then", &["argocd/lamp dev@feature/x by=argocd-infisical"], &["Secret argocd-infisical/rev dev"], "dev from default"),
    ("one that is about something else does not", &["argocd/lamp dev@feature/x by=argocd-infisical"], &["Secret argocd-infisical/other dev HOSTNAME=a"], "OverrideGone"),
    ("a default that was set is no override", &["argocd/lamp dev@dev by=argocd-infisical"], &[], "same"),
    ("what others set is no override", &["argocd/lamp dev@feature/x by=kubectl-client-side-apply"], &[], "dev from default"),
    // Expiry.
    ("an override counts until it expires", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=w ARGOCD_TARGET_REVISION_UNTIL=2026-11-29T12:00:01Z"], "w from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("then no more", &["argocd/lamp dev@w was=w:Secret:argocd-infisical/rev#ARGOCD_TARGET_REVISION:environment"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=w ARGOCD_TARGET_REVISION_UNTIL=2026-11-29T13:00:00+01:00"], "dev from default"),
    ("what is no time is refused", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=w ARGOCD_TARGET_REVISION_UNTIL=tomorrow"], "InvalidExpiry"),
    ("a key of the Application has an expiry of its own", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=w ARGOCD_TARGET_REVISION__LAMP=y ARGOCD_TARGET_REVISION_UNTIL__LAMP=2020-01-01T00:00:00Z"], "w from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("a mistake in what is less specific does not matter", &["argocd/lamp dev@dev"], &["Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=w ARGOCD_TARGET_REVISION_UNTIL=tomorrow", "Secret argocd-infisical/own dev/lamp ARGOCD_TARGET_REVISION=y"], "y from argocd-infisical/own ARGOCD_TARGET_REVISION"),
    // When it does not write.
    ("a hold", &["argocd/lamp dev@x hold"], &[], "Hold"),
    ("automation that is off", &["argocd/lamp dev@x manual"], &[], "AutomationOff"),
    ("an Application that Argo CD skips", &["argocd/lamp dev@x skip"], &[], "ReconcileSkipped"),
    ("one that is going", &["argocd/lamp dev@x deleted"], &[], "Deleting"),
    ("what a person changed after it was set", &["argocd/lamp dev@mine set=dev by=argocd-server"], &[], "ChangedByPerson"),
    ("with kubectl, too", &["argocd/lamp dev@mine set=dev by=kubectl-patch"], &[], "ChangedByPerson"),
    ("until another one is wanted", &["argocd/lamp dev@mine set=dev by=argocd-server"], &[OVERRIDE], "feature/x from argocd-infisical/rev ARGOCD_TARGET_REVISION"),
    ("what another program put in its place", &["argocd/lamp dev@mine set=dev by=argocd-controller"], &[], "Reverted"),
    // Sources.
    ("a chart has versions", &["argocd/lamp dev@1.2.3 chart"], &[], "NoGitSource"),
    ("an OCI artifact has, too", &["argocd/lamp dev@1.2.3 oci"], &[], "NoGitSource"),
    ("what is hydrated is left alone", &["argocd/lamp dev@x hydrated"], &[], "Hydrated"),
];

#[test]
fn each_line_of_the_specification() {
    let mut wrong = Vec::new();
    for (sentence, applications, objects, expected) in LINES {
        let happens = happens(&state(applications, objects), &Policy::default());
        if happens != *expected {
            wrong.push(format!("{sentence}: {happens}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
