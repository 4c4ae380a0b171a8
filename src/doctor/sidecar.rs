//! The sidecar in Argo CD's repo-server: whether it is there, what it can reach and who can reach it.

use k8s_openapi::api::core::v1::{Container, Volume};
use serde_json::{Value, json};

use super::cure;
use super::finding::{Code, Finding};
use super::look::{Found, Look, PLUGIN_FILE, Sidecar, generate, parameter};
use super::pod::{self, Pod};

/// Where the sockets of plugins are.
const SOCKETS: &str = "/home/argocd/cmp-server/plugins";
/// Where a token is looked for.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The user of Argo CD's own containers.
const ARGOCD_USER: i64 = 999;

/// Finds what is wrong with it.
pub(super) fn examine(look: &Look<'_>, findings: &mut Vec<Finding>) {
    let seen = look.seen;
    if seen.argocd_deployments.known().is_none() {
        return;
    }
    let Some(pod) = look.repo_server else {
        let namespace = &seen.argocd_namespace;
        let message = "there is no Deployment of Argo CD's repo-server";
        let cure = "# if Argo CD is in another namespace:\nargocd-infisical doctor --argocd-namespace NAMESPACE";
        let what = format!("Namespace {namespace}");
        findings.push(Finding::new(Code::RepoServerMissing, what, message).cure(cure));
        return;
    };
    if look.sidecars.is_empty() {
        let message = "it has no sidecar `argocd-infisical`: Applications that name the plugin are not rendered";
        let namespace = &seen.argocd_namespace;
        let cure = format!(
            "# in manifests/components/sidecar, with the image of your registry in repo-server.yaml; other ways: docs/sidecar.md\n\
             kubectl -n {namespace} apply -f policy.yaml -f rbac.yaml\n\
             kubectl -n {namespace} patch configmap argocd-cmd-params-cm --patch-file cmd-params.yaml\n\
             kubectl -n {namespace} patch deployment {} --patch-file repo-server.yaml",
            pod.name()
        );
        findings.push(Finding::new(Code::SidecarMissing, pod.what(), message).cure(cure));
        return;
    }
    if let Some((wanted, unready)) = pod.unready() {
        let message = format!("{unready} of {wanted} pods are not ready");
        let cure = format!(
            "kubectl -n {} describe pods -l app.kubernetes.io/name=argocd-repo-server",
            seen.argocd_namespace
        );
        findings.push(Finding::new(Code::SidecarNotReady, pod.what(), message).cure(cure));
    }
    for sidecar in &look.sidecars {
        let of = Of { look, pod, sidecar };
        of.container(findings);
        of.mounts(findings);
        of.token(findings);
        of.log_level(findings);
        of.plugin(findings);
        of.policy(findings);
    }
    others(look, pod, findings);
}

/// One sidecar.
struct Of<'w, 'a> {
    look: &'w Look<'a>,
    pod: Pod<'a>,
    sidecar: &'w Sidecar<'a>,
}

impl Of<'_, '_> {
    fn what(&self) -> String {
        format!(
            "{}, container {}",
            self.pod.what(),
            self.sidecar.container.name
        )
    }

    fn patch(&self, words: &str, mut fields: Value) -> String {
        fields["name"] = json!(self.sidecar.container.name);
        cure::in_pod(words, &json!({"containers": [fields]}))
    }

    fn container(&self, findings: &mut Vec<Finding>) {
        let container = self.sidecar.container;
        let mut find = |code, message: &str, cure: String| {
            findings.push(Finding::new(code, self.what(), message).cure(cure));
        };
        if !pod::words(container).any(|word| word.ends_with("argocd-cmp-server")) {
            let cure = json!({"command": ["/var/run/argocd/argocd-cmp-server"], "args": ["--loglevel=info"]});
            let message = "it does not run Argo CD's cmp-server, which offers the plugin";
            find(
                Code::SidecarCommand,
                message,
                self.patch("a patch of it", cure),
            );
        }
        let context = container.security_context.as_ref();
        let of_pod = self.pod.spec.security_context.as_ref();
        let user = context.and_then(|context| context.run_as_user);
        let user = user.or_else(|| of_pod.and_then(|context| context.run_as_user));
        if user.is_some_and(|user| user != ARGOCD_USER) {
            let message = "it runs as another user than Argo CD's containers (999), so that the repo-server cannot connect to its socket";
            let cure =
                json!({"securityContext": {"runAsUser": ARGOCD_USER, "runAsGroup": ARGOCD_USER}});
            find(
                Code::SidecarUser,
                message,
                self.patch("a patch of it", cure),
            );
        }
        let is_confined = context.is_some_and(|context| {
            context.allow_privilege_escalation == Some(false)
                && context.read_only_root_filesystem == Some(true)
                && context.privileged != Some(true)
        });
        if !is_confined {
            let message = "it may write its own file system or gain privileges, and needs neither";
            let cure = json!({"securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            }});
            find(
                Code::SidecarUnconfined,
                message,
                self.patch("a patch of it", cure),
            );
        }
        let limits = container
            .resources
            .as_ref()
            .and_then(|resources| resources.limits.as_ref());
        if !limits.is_some_and(|limits| limits.contains_key("memory")) {
            let message =
                "it has no limit of memory, so that one large tree can take all that the node has";
            let cure = json!({"resources": {"limits": {"memory": "2Gi"}, "requests": {"cpu": "50m", "memory": "64Mi"}}});
            find(
                Code::SidecarMemory,
                message,
                self.patch("a patch of it", cure),
            );
        }
    }

    fn mounts(&self, findings: &mut Vec<Finding>) {
        let container = self.sidecar.container;
        let mut find = |path: &str, message: String, cure: String| {
            let what = self.what();
            let message = format!("{path}: {message}");
            findings.push(Finding::new(Code::SidecarMount, what, message).cure(cure));
        };
        for (path, volume, why) in [
            ("/var/run/argocd", "var-files", "cmp-server is there"),
            (
                SOCKETS,
                "plugins",
                "Argo CD looks for the plugin's socket there",
            ),
        ] {
            if self.pod.mount(container, path).is_none() {
                let mount = json!({"volumeMounts": [{"name": volume, "mountPath": path}]});
                find(
                    path,
                    format!("nothing is mounted there; {why}"),
                    self.patch(
                        "a patch of it; the volume is in Argo CD's own manifest",
                        mount,
                    ),
                );
            }
        }
        let tmp = self.pod.mount(container, "/tmp");
        let is_shared = |volume: &Volume| {
            let mut others = self
                .pod
                .spec
                .containers
                .iter()
                .filter(|other| other.name != container.name);
            others.any(|other| mounts(other, &volume.name))
        };
        let wrong = match tmp {
            None => Some("nothing is mounted there; checkouts are unpacked there"),
            Some((volume, _, _)) if is_shared(volume) => Some(
                "it is shared with another container, which can read and change what is rendered",
            ),
            Some(_) => None,
        };
        if let Some(message) = wrong {
            let name = "argocd-infisical-tmp";
            let spec = json!({
                "containers": [{"name": container.name, "volumeMounts": [{"name": name, "mountPath": "/tmp"}]}],
                "volumes": [{"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": "512Mi"}}],
            });
            find("/tmp", message.into(), cure::in_pod("a patch of it", &spec));
        }
    }

    fn token(&self, findings: &mut Vec<Finding>) {
        let container = self.sidecar.container;
        let mounted = self
            .pod
            .mount(container, TOKEN)
            .map(|(volume, _, _)| volume);
        let has_token = |volume: &Volume| {
            let projected = volume.projected.as_ref();
            let sources = projected.and_then(|projected| projected.sources.as_ref());
            let mut sources = sources.into_iter().flatten();
            sources.any(|source| source.service_account_token.is_some())
        };
        let is_off = self.pod.spec.automount_service_account_token == Some(false);
        let own = mounted.filter(|volume| has_token(volume));
        if own.is_none() && is_off {
            let message = "it has no token, so that it cannot read settings";
            let finding = Finding::new(Code::SidecarToken, self.what(), message);
            findings.push(finding.cure(token_cure(&container.name)));
        }
        if !is_off {
            let message = "the pod's token is mounted into every container: whatever runs in one of them can read settings";
            let cure = cure::in_pod(
                "a patch of it",
                &json!({"automountServiceAccountToken": false}),
            );
            findings.push(Finding::new(Code::TokenShared, self.pod.what(), message).cure(cure));
        }
        let Some(volume) = own else { return };
        let containers = self.pod.spec.containers.iter();
        let init = self.pod.spec.init_containers.iter().flatten();
        for other in containers.chain(init) {
            let is_other = !pod::is_sidecar(other);
            if is_other && mounts(other, &volume.name) {
                let message = format!(
                    "container `{}` mounts the sidecar's token (volume `{}`), too",
                    other.name, volume.name
                );
                let cure =
                    "# take the mount out of that container; the token is for the sidecar alone";
                findings.push(Finding::new(Code::TokenShared, self.pod.what(), message).cure(cure));
            }
        }
    }

    fn log_level(&self, findings: &mut Vec<Finding>) {
        let container = self.sidecar.container;
        let variable = variable(self.look, container, "ARGOCD_CMP_SERVER_LOGLEVEL");
        let level = pod::flag(container, "--loglevel").or(variable);
        if level.is_some_and(|level| matches!(level.to_lowercase().as_str(), "debug" | "trace")) {
            let message = "at this level cmp-server logs what is rendered, with the settings in it";
            let cure = self.patch("a patch of it", json!({"args": ["--loglevel=info"]}));
            findings.push(Finding::new(Code::LogLevel, self.what(), message).cure(cure));
        }
    }

    fn plugin(&self, findings: &mut Vec<Finding>) {
        let mut find = |code, message: String, cure: &str| {
            findings.push(Finding::new(code, self.what(), message).cure(cure));
        };
        let again =
            "# start from plugin.yaml of this version; without a mount the image's own is taken";
        let plugin = match &self.sidecar.plugin {
            Found::Valid(plugin) => plugin,
            Found::Wrong(why) => {
                return find(
                    Code::PluginFile,
                    format!("{PLUGIN_FILE} cannot be used: {why}"),
                    again,
                );
            }
            Found::Unknown => return,
        };
        let words = generate(plugin);
        let calls = words.windows(2).any(|two| two == ["plugin", "generate"]);
        if plugin["kind"] != "ConfigManagementPlugin" || !calls {
            let message = format!("{PLUGIN_FILE} does not call `argocd-infisical plugin generate`");
            find(Code::PluginFile, message, again);
        }
        let discover = plugin["spec"]["discover"].as_object();
        if discover.is_some_and(|discover| !discover.is_empty()) {
            let message = "the plugin discovers sources: where that fails for a moment, Argo CD renders natively, without settings, and keeps that in its cache";
            let cure = "# take `spec.discover` out of the ConfigMap with plugin.yaml, then\nkubectl -n NAMESPACE rollout restart deployment argocd-repo-server";
            find(
                Code::PluginDiscover,
                message.into(),
                &cure.replace("NAMESPACE", &self.look.seen.argocd_namespace),
            );
        }
    }

    fn policy(&self, findings: &mut Vec<Finding>) {
        if self.sidecar.plugin.valid().is_none() {
            return;
        }
        let path = "/etc/argocd-infisical/policy/policy.yaml";
        match &self.sidecar.policy {
            None => {
                let message =
                    "the plugin is called without `--policy`: Applications may ask for anything";
                let cure = cure::with(
                    "in plugin.yaml",
                    &json!({"spec": {"generate": {"args": [format!("--policy={path}")]}}}),
                );
                findings.push(Finding::new(Code::PluginPolicy, self.what(), message).cure(cure));
            }
            Some(Found::Wrong(why)) => {
                let message = format!("its policy cannot be used, which stops every render: {why}");
                let cure = format!(
                    "# a policy that allows the usual; docs/settings.md lists the fields\nkubectl -n {} apply -f manifests/components/sidecar/policy.yaml",
                    self.look.seen.argocd_namespace
                );
                findings.push(Finding::new(Code::SidecarPolicy, self.what(), message).cure(cure));
            }
            Some(Found::Valid(_) | Found::Unknown) => {}
        }
    }
}

fn mounts(container: &Container, volume: &str) -> bool {
    let mut mounts = container.volume_mounts.iter().flatten();
    mounts.any(|mount| mount.name == volume)
}

fn token_cure(container: &str) -> String {
    let name = "argocd-infisical-token";
    cure::in_pod(
        "a patch of it",
        &json!({
            "containers": [{"name": container, "volumeMounts": [{"name": name, "mountPath": TOKEN, "readOnly": true}]}],
            "volumes": [{"name": name, "projected": {"defaultMode": 0o444, "sources": [
                {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
            ]}}],
        }),
    )
}

/// Who else can call the plugin.
fn others(look: &Look<'_>, pod: Pod<'_>, findings: &mut Vec<Finding>) {
    let sockets = look
        .sidecars
        .iter()
        .find_map(|sidecar| pod.mount(sidecar.container, SOCKETS));
    let Some((volume, _, _)) = sockets else {
        return;
    };
    let is_repo_server = |container: &Container| {
        pod::image(container).name == "argocd"
            && !pod::words(container).any(|word| word.ends_with("argocd-cmp-server"))
            || container.name.ends_with("repo-server")
    };
    let others = pod.spec.containers.iter().filter(|container| {
        !pod::is_sidecar(container) && !is_repo_server(container) && mounts(container, &volume.name)
    });
    let names: Vec<String> = others
        .map(|container| format!("`{}`", container.name))
        .collect();
    if names.is_empty() {
        return;
    }
    let message = format!(
        "{} can call the plugin's socket in the name of any Application: whoever takes one over reads all settings",
        names.join(", ")
    );
    let cure = "# trust these plugins as much as Argo CD itself, or give settings to an installation of Argo CD without them";
    findings.push(Finding::new(Code::OtherSidecars, pod.what(), message).cure(cure));
}

/// The value of a variable of a container, as far as it stands there or in `argocd-cmd-params-cm`.
pub(super) fn variable<'a>(
    look: &Look<'a>,
    container: &'a Container,
    name: &str,
) -> Option<&'a str> {
    let mut variables = container.env.iter().flatten();
    let variable = variables.find(|variable| variable.name == name)?;
    let Some(from) = &variable.value_from else {
        return variable.value.as_deref();
    };
    let key = from.config_map_key_ref.as_ref()?;
    let parameters = look.seen.parameters.known();
    (key.name == "argocd-cmd-params-cm").then(|| parameter(parameters, &key.key))?
}
