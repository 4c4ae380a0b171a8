use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::cluster::{Applications, ConfigMaps, Kind, Projects, Pruned, Secrets};
use crate::controller::notice;
use crate::settings::digest::DigestKey;
use crate::steer::policy::{APPLICATION, Namespaces};

const APPLICATIONS: usize = 0;
const ENVIRONMENTS: usize = 1;
const SETTINGS_OF: usize = 2;

fn pruned<K: Kind>(object: &Value) -> Pruned<K> {
    serde_json::from_str(&object.to_string()).unwrap()
}

fn application(name: &str, environment: &str, version: u64) -> Value {
    json!({
        "metadata": {
            "namespace": "argocd", "name": name, "uid": "u", "resourceVersion": version.to_string(),
            "labels": {ENVIRONMENT: environment},
        },
        "spec": {"source": {
            "repoURL": "r",
            "plugin": {"parameters": [{"name": "settings", "array": ["optional:secret:home/lamp"]}]},
        }},
    })
}

fn secret(name: &str, environment: Option<&str>, version: u64) -> Value {
    let labels = environment.map(|environment| json!({ENVIRONMENT: environment}));
    json!({"metadata": {"namespace": "home", "name": name, "resourceVersion": version.to_string(), "labels": labels}})
}

struct Case {
    knowledge: Knowledge,
    policy: Policy,
    now: Instant,
}

impl Case {
    fn new() -> Self {
        Self {
            knowledge: Knowledge::new(State::default(), 3),
            policy: Policy::default(),
            now: Instant::now(),
        }
    }

    fn take(&mut self, watch: usize, notice: Notice) -> Told {
        self.knowledge.take(watch, notice, &self.policy, self.now)
    }

    fn application(&mut self, object: &Value) {
        let shown = notice::application(pruned::<Applications>(object));
        assert_eq!(self.take(APPLICATIONS, Notice::Shown(shown)), Told::Nothing);
    }

    fn secret(&mut self, watch: usize, object: &Value) {
        let shown = notice::secret(pruned::<Secrets>(object));
        assert_eq!(self.take(watch, Notice::Shown(shown)), Told::Nothing);
    }

    /// Which Applications have to be decided of since it was asked last.
    fn changed(&mut self) -> String {
        let Changed {
            all, applications, ..
        } = std::mem::take(&mut self.knowledge.changed);
        if all {
            return "all".into();
        }
        let names: Vec<_> = applications.into_iter().map(|name| name.name).collect();
        names.join(" ")
    }
}

#[test]
fn an_object_concerns_its_environment_and_who_names_it() {
    let mut case = Case::new();
    case.application(&application("a", "dev", 1));
    let mut other = application("b", "prod", 2);
    other["spec"]["source"]["plugin"] = Value::Null;
    case.application(&other);
    assert_eq!(case.changed(), "all");
    case.application(&application("a", "dev", 3));
    assert_eq!(case.changed(), "a");
    case.secret(ENVIRONMENTS, &secret("revisions", Some("prod"), 4));
    assert_eq!(case.changed(), "b");
    case.secret(SETTINGS_OF, &secret("lamp", None, 5));
    assert_eq!(case.changed(), "a");
    case.secret(SETTINGS_OF, &secret("lamp", Some("prod"), 6));
    assert_eq!(case.changed(), "a b");
    // What it was matters as well as what it will be.
    case.secret(ENVIRONMENTS, &secret("revisions", Some("dev"), 7));
    assert_eq!(case.changed(), "a b");
    case.secret(ENVIRONMENTS, &secret("none-of-them", Some("staging"), 8));
    assert_eq!(case.changed(), "");
    // The same once more is no news.
    case.secret(ENVIRONMENTS, &secret("revisions", Some("dev"), 9));
    assert_eq!(case.changed(), "");
    // One that speaks of an Application concerns no other one.
    let mut of_one = secret("of-one", Some("dev"), 10);
    of_one["metadata"]["labels"][APPLICATION] = json!("z");
    case.secret(ENVIRONMENTS, &of_one);
    assert_eq!(case.changed(), "");
    of_one["metadata"]["labels"][APPLICATION] = json!("a");
    case.secret(ENVIRONMENTS, &of_one);
    assert_eq!(case.changed(), "a");
    case.application(&application("a", "prod", 9));
    assert_eq!(case.changed(), "all");
}

#[test]
fn what_a_new_list_lacks_is_gone_only_when_it_is_complete() {
    let mut case = Case::new();
    let key = |name: &str| Key::Application(Name::new("argocd", name));
    case.take(APPLICATIONS, Notice::Begin);
    case.application(&application("a", "dev", 1));
    case.application(&application("b", "dev", 2));
    case.take(APPLICATIONS, Notice::Complete);
    case.take(APPLICATIONS, Notice::Begin);
    case.application(&application("b", "dev", 3));
    assert_eq!(case.knowledge.state.applications.len(), 2);
    assert!(!case.knowledge.gate.is_synced(APPLICATIONS, case.now));
    case.take(APPLICATIONS, Notice::Complete);
    assert!(case.knowledge.gate.is_synced(APPLICATIONS, case.now));
    let names: Vec<_> = case.knowledge.state.applications.keys().collect();
    assert_eq!(names, [&Name::new("argocd", "b")]);
    case.take(APPLICATIONS, Notice::Gone(key("b")));
    assert!(case.knowledge.state.applications.is_empty());
}

#[test]
fn an_object_of_two_watches_goes_with_the_second() {
    let mut case = Case::new();
    let both = secret("lamp", Some("dev"), 1);
    case.secret(ENVIRONMENTS, &both);
    case.secret(SETTINGS_OF, &both);
    let key = || notice::secret(pruned::<Secrets>(&both)).key;
    case.take(ENVIRONMENTS, Notice::Gone(key()));
    assert_eq!(case.knowledge.state.objects.len(), 1);
    case.take(SETTINGS_OF, Notice::Gone(key()));
    assert!(case.knowledge.state.objects.is_empty());
}

#[test]
fn what_our_patch_made_is_known_before_a_watch_shows_it() {
    let mut case = Case::new();
    case.application(&application("a", "dev", 5));
    let revision = |case: &Case| {
        let application = case.knowledge.state.applications.values().next().unwrap();
        application.metadata.resource_version.clone()
    };
    let written: Application = serde_json::from_value(application("a", "dev", 8)).unwrap();
    case.knowledge
        .written(Box::new(written.clone()), &case.policy, case.now);
    assert_eq!(revision(&case), "8");
    case.application(&application("a", "dev", 7));
    assert_eq!(revision(&case), "8");
    case.application(&application("a", "dev", 9));
    // An answer that comes late is no news.
    case.knowledge
        .written(Box::new(written), &case.policy, case.now);
    assert_eq!(revision(&case), "9");
    let gone: Application = serde_json::from_value(application("b", "dev", 10)).unwrap();
    case.knowledge
        .written(Box::new(gone), &case.policy, case.now);
    assert_eq!(case.knowledge.state.applications.len(), 1);
}

#[test]
fn what_is_not_made_as_its_kind_asks_for_does_not_count_and_stops_nothing() {
    let mut case = Case::new();
    case.application(&application("a", "dev", 5));
    let mut odd = application("a", "dev", 6);
    odd["spec"]["sources"] = json!("none");
    let shown = notice::application(pruned::<Applications>(&odd));
    let told = case.take(APPLICATIONS, Notice::Shown(shown));
    assert_eq!(told, Told::Odd(Key::Application(Name::new("argocd", "a"))));
    assert!(case.knowledge.state.applications.is_empty());
}

#[test]
fn projects_and_controls_concern_everybody_when_they_change() {
    let mut case = Case::new();
    let project = json!({"metadata": {"name": "home", "resourceVersion": "1"}, "spec": {"syncWindows": [{"kind": "deny"}]}});
    let show = |case: &mut Case| {
        let shown = notice::project(pruned::<Projects>(&project));
        case.take(APPLICATIONS, Notice::Shown(shown));
        case.changed()
    };
    assert_eq!(show(&mut case), "all");
    assert_eq!(show(&mut case), "");
    let pause = json!({"metadata": {"name": Controls::NAME, "resourceVersion": "2"}, "data": {"pause": "true"}});
    let shown = notice::controls(pruned(&pause));
    case.take(SETTINGS_OF, Notice::Shown(shown));
    assert!(case.knowledge.state.controls.is_paused && case.changed() == "all");
    case.take(SETTINGS_OF, Notice::Gone(Key::Controls));
    assert!(!case.knowledge.state.controls.is_paused);
}

/// What is decided of each Application.
fn decided(case: &Case) -> Vec<(Name, String)> {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let decisions = crate::steer::decide(&case.knowledge.state, &case.policy, now).decisions;
    let shown = decisions.into_iter().map(|decision| {
        let text = format!("{decision:?}");
        (decision.application, text)
    });
    shown.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn an_object_concerns_all_whose_decision_becomes_another_one(steps in prop::collection::vec(
        (
            select(vec!["argocd-infisical/a", "argocd-infisical/b", "team/a", "home/a", "home/b", "argocd/a"]),
            select(vec!["", "dev", "prod"]),
            select(vec!["", "lamp", "desk", "team_lamp", "oven"]),
            select(vec!["ARGOCD_TARGET_REVISION", "ARGOCD_TARGET_REVISION__LAMP", "ARGOCD_TARGET_REVISION__TEAM_LAMP", "A"]),
            select(vec!["", "x", "y"]),
            (any::<bool>(), 0..5),
        ),
        1..12,
    )) {
        let mut case = Case::new();
        case.policy.application_namespaces = Namespaces::Only(["argocd", "team"].map(str::to_owned).into());
        case.policy.object_namespaces = Namespaces::Only(["home", "team"].map(str::to_owned).into());
        case.knowledge.state.digest_key = DigestKey::new(&[7; 32]).ok();
        for (namespace, name, environment) in [
            ("argocd", "lamp", "dev"),
            ("team", "lamp", "dev"),
            ("argocd", "desk", "prod"),
            ("argocd", "oven", "prod"),
            ("team", "oven", "dev"),
        ] {
            let mut application = application(name, environment, 1);
            application["metadata"]["namespace"] = json!(namespace);
            application["spec"]["source"]["plugin"] = json!({"name": "argocd-infisical", "parameters": [
                {"name": "settings", "array": if name == "oven" { json!(["home/a", "optional:secret:home/b"]) } else { json!(["optional:secret:team/a"]) }},
            ]});
            case.application(&application);
        }
        case.changed();
        for (version, (place, environment, application, key, value, (is_secret, fate))) in steps.into_iter().enumerate() {
            let before = decided(&case);
            let (namespace, name) = place.split_once('/').unwrap();
            let mut labels = serde_json::Map::new();
            labels.insert("argocd-infisical.io/settings".into(), json!("true"));
            for (label, text) in [(ENVIRONMENT, environment), (APPLICATION, application)] {
                if !text.is_empty() {
                    labels.insert(label.into(), json!(text));
                }
            }
            let object = json!({
                "metadata": {
                    "namespace": namespace, "name": name, "resourceVersion": (version + 2).to_string(), "labels": labels,
                    "annotations": {"argocd-infisical.io/allowed": "default/*,default/team_*", "argocd-infisical.io/keys": "A"},
                },
                "data": if is_secret { json!({key: STANDARD.encode(value)}) } else { json!({key: value}) },
            });
            let shown = if is_secret {
                notice::secret(pruned::<Secrets>(&object))
            } else {
                notice::config_map(pruned::<ConfigMaps>(&object))
            };
            let notice = if fate == 0 { Notice::Gone(shown.key) } else { Notice::Shown(shown) };
            case.take(ENVIRONMENTS, notice);
            let Changed { all, applications, .. } = std::mem::take(&mut case.knowledge.changed);
            prop_assert!(!all);
            let after = decided(&case);
            for (before, after) in before.iter().zip(&after) {
                prop_assert!(before == after || applications.contains(&after.0), "{before:?}\n{after:?}");
            }
        }
    }
}
