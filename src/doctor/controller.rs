//! The controller: whether it is there and works, what it is told, and the key that it shares with the sidecar.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Container;
use serde_json::{Value, json};

use super::cure;
use super::finding::{Code, Finding};
use super::look::{Found, Look, digest_key, generate};
use super::pod::{self, Pod};
use super::seen::{KeyPrint, Part};
use crate::steer::Name;
use crate::steer::state::Controls;

/// For how long clocks may differ, in seconds.
const SKEW: i64 = 30;
/// How long a Lease lasts that does not say it, in seconds.
const LEASE: i32 = 15;

/// Finds what is wrong with it.
pub(super) fn examine(look: &Look<'_>, findings: &mut Vec<Finding>) {
    let seen = look.seen;
    admission(look, findings);
    paused(look, findings);
    let Some((pod, container)) = look.controller else {
        if seen.own_deployments.known().is_some() {
            let what = format!("Namespace {}", seen.own_namespace);
            let message = "there is no Deployment of the controller: revisions are not set, and changed settings are not deployed";
            let cure = "# from the repository, with the image of your registry; if it is in another namespace: --namespace\nkubectl apply -k manifests/install";
            findings.push(Finding::new(Code::ControllerMissing, what, message).cure(cure));
        }
        return;
    };
    if let Some((wanted, unready)) = pod.unready() {
        let message = format!("{unready} of {wanted} pods are not ready");
        let cure = format!(
            "kubectl -n {} describe pods -l app.kubernetes.io/component=controller",
            seen.own_namespace
        );
        findings.push(Finding::new(Code::ControllerNotReady, pod.what(), message).cure(cure));
    }
    if pod::flag(container, "--mode") == Some("observe") {
        let message = "it runs with `--mode observe`: it reports, and writes nothing";
        let cure =
            "# take `--mode observe` out of its arguments when the reports are what you want";
        findings.push(Finding::new(Code::ModeObserve, pod.what(), message).cure(cure));
    }
    lease(look, pod, container, findings);
    policy(look, pod, findings);
    keys(look, pod, container, findings);
}

fn lease(look: &Look<'_>, pod: Pod<'_>, container: &Container, findings: &mut Vec<Finding>) {
    let name = pod::lease_name(Some(container));
    let what = format!("Lease {}/{name}", look.seen.own_namespace);
    let message = match &look.seen.lease {
        Part::Unreadable(_) => return,
        Part::Absent => "it is not there: no controller has ever run".to_owned(),
        Part::Known(lease) => {
            let spec = lease.spec.as_ref();
            let renewed = spec.and_then(|spec| spec.renew_time.as_ref());
            let holder = spec.and_then(|spec| spec.holder_identity.as_deref());
            let lasts = spec
                .and_then(|spec| spec.lease_duration_seconds)
                .unwrap_or(LEASE);
            let ago = renewed.map(|renewed| look.seen.now.as_second() - renewed.0.as_second());
            match (holder, ago) {
                (None | Some(""), _) | (_, None) => {
                    "nobody holds it: no controller runs".to_owned()
                }
                (_, Some(ago)) if ago > i64::from(lasts) + SKEW => {
                    format!(
                        "it was renewed {ago} s ago: no controller runs, or it cannot reach the API server"
                    )
                }
                _ => return,
            }
        }
    };
    let cure = format!(
        "kubectl -n {} logs deployment/{}",
        look.seen.own_namespace,
        pod.name()
    );
    findings.push(Finding::new(Code::ControllerLease, what, message).cure(cure));
}

fn policy(look: &Look<'_>, pod: Pod<'_>, findings: &mut Vec<Finding>) {
    let policy = match &look.controller_policy {
        Found::Valid(policy) => policy,
        Found::Wrong(why) => {
            let message = format!("its policy cannot be used, so that it does not start: {why}");
            let cure =
                "# start from manifests/install/policy.yaml; docs/controller.md lists the fields";
            findings.push(Finding::new(Code::ControllerPolicy, pod.what(), message).cure(cure));
            return;
        }
        Found::Unknown => return,
    };
    for (field, written, is) in [
        (
            "argocdNamespace",
            &policy.argocd_namespace,
            &look.seen.argocd_namespace,
        ),
        (
            "ownNamespace",
            &policy.own_namespace,
            &look.seen.own_namespace,
        ),
    ] {
        if written != is {
            let message =
                format!("`{field}` of its policy is `{written}`, and `{is}` is what was looked at");
            let cure = cure::with(
                "in the policy, or name the other namespace to `doctor`",
                &json!({field: is}),
            );
            findings.push(Finding::new(Code::PolicyNamespaces, pod.what(), message).cure(cure));
        }
    }
}

fn paused(look: &Look<'_>, findings: &mut Vec<Finding>) {
    let controls = look.seen.controls.known().map(Controls::read);
    if !controls.is_some_and(|controls| controls.is_paused) {
        return;
    }
    let namespace = &look.seen.own_namespace;
    let what = format!("ConfigMap {namespace}/{}", Controls::NAME);
    let cure = format!(
        "kubectl -n {namespace} patch configmap {} --type merge -p '{{\"data\":{{\"{}\":\"false\"}}}}'",
        Controls::NAME,
        Controls::PAUSE
    );
    let message = "the controller is paused and writes nothing";
    findings.push(Finding::new(Code::ControllerPaused, what, message).cure(cure));
}

/// What is known of one key.
enum Key<'a> {
    Print(&'a KeyPrint),
    Absent(Name, String),
    Unmounted,
    Unknown,
}

fn key<'a>(
    look: &Look<'a>,
    pod: Pod<'a>,
    container: &'a Container,
    (path, namespace): (&str, &str),
) -> Key<'a> {
    let Some((secret, key)) = digest_key(pod, container, path) else {
        return Key::Unmounted;
    };
    let name = Name::new(namespace, secret);
    match look.seen.keys.get(&name) {
        Some(Part::Known(keys)) => match keys.get(&key) {
            Some(print) => Key::Print(print),
            None => Key::Absent(name, key),
        },
        Some(Part::Absent) => Key::Absent(name, key),
        Some(Part::Unreadable(_)) | None => Key::Unknown,
    }
}

/// What is known of the keys of the controller and the sidecars, each with the container.
fn mounted<'a>(
    look: &Look<'a>,
    (pod, container): (Pod<'a>, &'a Container),
    findings: &mut Vec<Finding>,
) -> Vec<(String, Key<'a>)> {
    let seen = look.seen;
    let mut all = Vec::new();
    if let Some(path) = pod::flag(container, "--digest-key") {
        let key = key(look, pod, container, (path, &seen.own_namespace));
        all.push((pod.what(), key));
    } else {
        let message = "it runs without `--digest-key`: changed settings are not deployed";
        let finding = Finding::new(Code::DigestNotMounted, pod.what(), message);
        let cure = "# mount the Secret and name the key, as manifests/install/deployment.yaml does";
        findings.push(finding.cure(cure));
    }
    for sidecar in &look.sidecars {
        let (Some(repo_server), Some(plugin)) = (look.repo_server, sidecar.plugin.valid()) else {
            continue;
        };
        let what = format!(
            "{}, container {}",
            repo_server.what(),
            sidecar.container.name
        );
        if let Some(path) = pod::value_of(generate(plugin).into_iter(), "--digest-key") {
            let place = (path, seen.argocd_namespace.as_str());
            all.push((what, key(look, repo_server, sidecar.container, place)));
        } else {
            let message = "the plugin is called without `--digest-key`: it renders no Application that has a digest";
            let args = json!([
                "--digest-key=/etc/argocd-infisical/digest/key",
                "--digest-key-may-be-missing",
            ]);
            let args = json!({"spec": {"generate": {"args": args}}});
            let cure = cure::with("in plugin.yaml", &args);
            findings.push(Finding::new(Code::DigestNotMounted, what, message).cure(cure));
        }
    }
    all
}

fn keys<'a>(look: &Look<'a>, pod: Pod<'a>, container: &'a Container, findings: &mut Vec<Finding>) {
    let (argocd, own) = (&look.seen.argocd_namespace, &look.seen.own_namespace);
    let make = format!(
        "# the same key for both; where one is there already, copy that\n\
         head -c 32 /dev/urandom > key\n\
         kubectl -n {argocd} create secret generic argocd-infisical-digest --from-file=key\n\
         kubectl -n {own} create secret generic argocd-infisical-digest --from-file=key\n\
         shred -u key"
    );
    let mut prints = Vec::new();
    for (what, key) in mounted(look, (pod, container), findings) {
        let (code, message) = match key {
            Key::Unknown => continue,
            Key::Unmounted => (
                Code::DigestNotMounted,
                "no Secret is mounted where it looks for the key of digests".to_owned(),
            ),
            Key::Absent(name, key) => (
                Code::DigestKeyMissing,
                format!(
                    "the Secret {name} with the key of digests (`{key}`) is not there: changed settings are not deployed"
                ),
            ),
            Key::Print(print) if !print.is_long_enough => (
                Code::DigestKeyShort,
                "its key of digests has fewer than 32 bytes".to_owned(),
            ),
            Key::Print(print) => {
                prints.push(print);
                continue;
            }
        };
        findings.push(Finding::new(code, what, message).cure(make.clone()));
    }
    if prints.windows(2).any(|two| two[0] != two[1]) {
        let message = "sidecar and controller have different keys of digests: no Application with settings is rendered";
        let cure = format!(
            "kubectl -n {own} get secret argocd-infisical-digest -o jsonpath='{{.data.key}}' | base64 -d > key\n\
             kubectl -n {argocd} create secret generic argocd-infisical-digest --from-file=key --dry-run=client -o yaml | kubectl apply -f -\n\
             shred -u key"
        );
        findings.push(Finding::new(Code::DigestKeysDiffer, pod.what(), message).cure(cure));
    }
}

/// What bounds the controller's token.
fn admission(look: &Look<'_>, findings: &mut Vec<Finding>) {
    let seen = look.seen;
    let Some((pod, _)) = look.controller else {
        return;
    };
    let what = "ValidatingAdmissionPolicy argocd-infisical-controller";
    let account = format!(
        "system:serviceaccount:{}:{}",
        seen.own_namespace,
        pod.account()
    );
    let mut find = |message: String| {
        let cure = "# from the repository; the identity stands in `matchConditions`\nkubectl apply -f manifests/install/admission-policy.yaml";
        findings.push(Finding::new(Code::AdmissionPolicy, what, message).cure(cure));
    };
    match &seen.admission.policy {
        Part::Unreadable(_) => return,
        Part::Absent => {
            return find(
                "it is not there: the controller's token can change every field of an Application"
                    .into(),
            );
        }
        Part::Known(policy) => {
            let conditions = policy["spec"]["matchConditions"]
                .as_array()
                .into_iter()
                .flatten();
            let texts = conditions.filter_map(|condition| condition["expression"].as_str());
            let texts: BTreeSet<&str> = texts.collect();
            let names_it = texts.is_empty() || texts.iter().any(|text| text.contains(&account));
            if !names_it {
                return find(format!(
                    "it is for another identity than the controller's, `{account}`"
                ));
            }
        }
    }
    let denies = |binding: &Value| {
        let mut actions = binding["spec"]["validationActions"]
            .as_array()
            .into_iter()
            .flatten();
        actions.any(|action| action == "Deny")
    };
    match &seen.admission.binding {
        Part::Unreadable(_) => {}
        Part::Known(binding) if denies(binding) => {}
        Part::Known(_) => find("its binding does not deny".into()),
        Part::Absent => find("it has no binding, so that it counts for nothing".into()),
    }
}
