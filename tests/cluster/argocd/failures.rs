//! What a user reads in Argo CD where a render fails: all of it, and never a value.

use std::fs;

use serde_json::json;

use super::call::Call;
use super::git::Git;
use super::server::argo;
use super::settings::{self, VALUE};
use crate::operator::Consent;

/// A repository with the usual files in the directory `app`, some of them replaced.
fn with<'a>(argo: &'a super::server::Argo, files: &[(&str, &str)]) -> Git<'a> {
    let git = settings::repository(argo);
    for (name, text) in files {
        git.write(&format!("app/{name}"), text);
    }
    git.commit();
    git
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_setting_without_a_value() {
    let Some(argo) = argo() else { return };
    let namespace = settings::namespace(argo, "argo-missing");
    namespace.config_map(settings::object(&Consent::LAMP, ""));
    let git = settings::repository(argo);
    let call = Call::new(argo, &git, "app")
        .by(argo.usual())
        .settings(&["argo-missing/one"]);
    let told = r#"error: a required setting has no value
  `A`, declared at settings.yaml:9
    asked for at one.yaml:8
hint: set it in `ConfigMap argo-missing/one`, give it a default where it is declared, or write `default("…")` into the placeholder
"#;
    call.fails(&argo.usual().failure("lamp", told));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn an_object_for_somebody_else() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-refused", "home/fan", VALUE);
    let git = settings::repository(argo);
    let call = Call::new(argo, &git, "app")
        .by(argo.usual())
        .settings(&["argo-refused/one"]);
    let told = r#"error: `ConfigMap argo-refused/one` is not there, is not for Application `lamp` of project `home`, or is not for the sidecar to read
hint: its owner sets the label `argocd-infisical.io/settings: "true"` and the annotation `argocd-infisical.io/allowed: home/lamp`; who runs Argo CD gives the sidecar the rule `{apiGroups: [""], resources: [configmaps], resourceNames: [one], verbs: [get]}` in namespace `argo-refused`
"#;
    call.fails(&argo.usual().failure("lamp", told));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn an_object_that_the_sidecar_may_not_read() {
    let Some(argo) = argo() else { return };
    let namespace = settings::with_value(argo, "argo-forbidden", "home/lamp", VALUE);
    namespace.secret(json!({"metadata": {"name": "one"}, "stringData": {"A": VALUE}}));
    let git = settings::repository(argo);
    let call = Call::new(argo, &git, "app")
        .by(argo.usual())
        .settings(&["secret:argo-forbidden/one"]);
    // The words for an object that is not there, so that nobody finds out which there are.
    let told = r#"error: `Secret argo-forbidden/one` is not there, is not for Application `lamp` of project `home`, or is not for the sidecar to read
hint: its owner sets the label `argocd-infisical.io/settings: "true"` and the annotation `argocd-infisical.io/allowed: home/lamp`, and in `argocd-infisical.io/keys` the keys that may be read; who runs Argo CD gives the sidecar the rule `{apiGroups: [""], resources: [secrets], resourceNames: [one], verbs: [get]}` in namespace `argo-forbidden`
"#;
    call.fails(&argo.usual().failure("lamp", told));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_directory_without_a_kustomization() {
    let Some(argo) = argo() else { return };
    let git = Git::new(argo, &[("app/one.yaml", settings::ONE)]);
    let told = "error: there is no kustomization file in `.`
hint: add a `kustomization.yaml` with `resources: [one.yaml]`
";
    let call = Call::new(argo, &git, "app").by(argo.usual());
    call.fails(&argo.usual().failure("lamp", told));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_placeholder_that_is_wrong() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-template", "home/lamp", VALUE);
    let git = with(
        argo,
        &[(
            "one.yaml",
            &settings::ONE.replace("settings.A", "settings.A | upper"),
        )],
    );
    let call = Call::new(argo, &git, "app")
        .by(argo.usual())
        .settings(&["argo-template/one"]);
    let told = "error: one.yaml:8:6: unknown filter; there are `default(…)`, `int`, `bool`, `float`, `b64encode`, `json` and `yaml`
  8 |   a: ${{ settings.A | upper }}
    |      ^
  in: ConfigMap.v1.[noGrp]/one.[noNs]
  field: data.a
hint: a placeholder is `${{ settings.KEY }}` or `${{ settings.KEY | filter }}`; `$${{` is the text `${{`
";
    call.fails(&argo.usual().failure("lamp", told));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_value_of_the_wrong_type() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-type", "home/lamp", VALUE);
    let git = with(
        argo,
        &[(
            "one.yaml",
            &settings::ONE.replace("settings.A", "settings.A | int"),
        )],
    );
    let call = Call::new(argo, &git, "app")
        .by(argo.usual())
        .settings(&["argo-type/one"]);
    call.fails(&argo.usual().failure(
        "lamp",
        "error: one.yaml:8:6: setting `A` is not an integer
  8 |   a: ${{ settings.A | int }}
    |      ^
  its value stands in ConfigMap argo-type/one
  in: ConfigMap.v1.[noGrp]/one.[noNs]
  field: data.a
hint: change the value, or take a filter that fits it
",
    ));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn nothing_to_deploy() {
    let Some(argo) = argo() else { return };
    let declared = settings::SETTINGS.replace("A: \"\"", "A: a");
    let only = ("kustomization.yaml", "resources: [settings.yaml]\n");
    let git = with(argo, &[only, ("settings.yaml", &declared)]);
    let told = "error: the result is empty: it has no resources
hint: Argo CD takes an empty result for the wish to delete everything; if it is meant, delete the Application
";
    let call = Call::new(argo, &git, "app").by(argo.usual());
    call.fails(&argo.usual().failure("lamp", told));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_parameter_that_there_is_not() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    Call::new(argo, &git, "app")
        .by(argo.usual())
        .parameters(json!([{"name": "setings", "array": ["a/b"]}]))
        .fails(&argo.usual().failure(
            "lamp",
            "error: there is no plugin parameter `setings`
hint: did you mean `settings`?
",
        ));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn what_the_policy_does_not_allow() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-policy", "home/lamp", VALUE);
    let file = argo.path("policy.yaml");
    fs::write(&file, "apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\nsettings: {namespaces: [other], maxObjects: 1}\n").unwrap();
    let plugin = argo.plugin("policy", &["--policy", file.to_str().unwrap()]);
    let git = settings::repository(argo);
    Call::new(argo, &git, "app")
        .by(&plugin)
        .settings(&["argo-policy/one", "secret:argocd/x"])
        .fails(&plugin.failure("lamp", "error: settings out of `ConfigMap argo-policy/one`: the policy does not allow its namespace
hint: name another object, or ask who runs Argo CD to extend the policy

error: settings out of `Secret argocd/x`: the policy does not allow its namespace
hint: name another object, or ask who runs Argo CD to extend the policy

error: 2 objects are named for settings, and the policy allows 1
hint: put the settings into fewer objects
"));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_base_that_lies_elsewhere() {
    let Some(argo) = argo() else { return };
    let git = with(
        argo,
        &[(
            "kustomization.yaml",
            "resources: [settings.yaml, one.yaml, 'https://example.org/base?ref=v1']\n",
        )],
    );
    let told = "error: kustomization.yaml:1:38: `https://example.org/base?ref=v1` is remote, and remote files are switched off
  1 | resources: [settings.yaml, one.yaml, 'https://example.org/base?ref=v1']
    |                                      ^
  field: resources[2]
hint: the sidecar fetches nothing: copy it into the repository and name it by its path
";
    let call = Call::new(argo, &git, "app").by(argo.usual());
    call.fails(&argo.usual().failure("lamp", told));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_base_outside_of_the_repository() {
    let Some(argo) = argo() else { return };
    // Beside the directory of the cmp-server, and whole: nothing but its place is wrong with it.
    let outside = argo.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(
        outside.join("kustomization.yaml"),
        "resources: [one.yaml]\n",
    )
    .unwrap();
    fs::write(outside.join("one.yaml"), settings::ONE).unwrap();
    // Whether it is there is not to be learnt either.
    for name in ["outside", "nowhere"] {
        let text = format!("resources: [../../../../{name}]\n");
        let git = with(argo, &[("kustomization.yaml", &text)]);
        let told = format!(
            "error: kustomization.yaml:1:13: cannot read `../../../../{name}`: outside of the repository
  1 | resources: [../../../../{name}]
    |             ^
  field: resources[0]
"
        );
        let call = Call::new(argo, &git, "app").by(argo.usual());
        call.fails(&argo.usual().failure("lamp", &told));
    }
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn settings_that_nobody_names() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    let told = r#"error: a required setting has no value
  `A`, declared at settings.yaml:9
    asked for at one.yaml:8
hint: name the object that has it in the plugin parameter `settings`, give it a default where it is declared, or write `default("…")` into the placeholder
"#;
    let call = Call::new(argo, &git, "app").by(argo.usual());
    call.fails(&argo.usual().failure("lamp", told));
}

/// Argo CD looks for nothing else then: a repository is never rendered without the plugin that its Application asks for.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_source_that_names_no_plugin_or_two_tools() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    let call = Call::new(argo, &git, "app");
    let unnamed = call.clone().env("A", "a").once();
    assert!(
        unnamed
            .error
            .contains("could not find plugin supporting the given repository"),
        "{unnamed:?}"
    );
    let both = call
        .by(argo.usual())
        .kustomize(json!({"namePrefix": "x-"}))
        .once();
    assert!(
        both.error.contains("multiple application sources defined"),
        "{both:?}"
    );
}
