mod concern;

use serde_json::{Value, json};

use super::*;
use crate::cluster::{Applications, Kind, Projects, Pruned, Secrets};
use crate::controller::notice;

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
            policy: Policy {
                override_namespaces: ["home".to_owned()].into(),
                ..Policy::default()
            },
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
    assert_eq!(case.changed(), "a b");
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
    assert_eq!(case.changed(), "a");
    // Who may say nothing of it makes no work.
    case.policy.override_namespaces.clear();
    case.secret(ENVIRONMENTS, &secret("foreign", Some("prod"), 11));
    assert_eq!(case.changed(), "");
}

#[test]
fn a_key_that_speaks_of_an_application_concerns_that_one() {
    let mut case = Case::new();
    for (name, environment) in [("a", "dev"), ("b-c", "dev"), ("b-d", "prod")] {
        case.application(&application(name, environment, 1));
    }
    case.changed();
    let mut revisions = secret("revisions", Some("dev"), 2);
    let mut say = |data: &Value| {
        revisions["data"] = data.clone();
        case.secret(ENVIRONMENTS, &revisions);
        case.changed()
    };
    // As an object that is not there before.
    assert_eq!(say(&json!({"ARGOCD_TARGET_REVISION__A": "eA=="})), "a b-c");
    assert_eq!(say(&json!({"ARGOCD_TARGET_REVISION__A": "eQ=="})), "a");
    let both = json!({"ARGOCD_TARGET_REVISION__A": "eQ==", "ARGOCD_TARGET_REVISION__B_C": "eQ=="});
    assert_eq!(say(&both), "b-c");
    let until =
        json!({"ARGOCD_TARGET_REVISION__A": "eQ==", "ARGOCD_TARGET_REVISION_UNTIL__A": "eQ=="});
    assert_eq!(say(&until), "a b-c");
    assert_eq!(
        say(&json!({"ARGOCD_TARGET_REVISION__A": "eQ==", "A": "eQ=="})),
        "a"
    );
    assert_eq!(
        say(&json!({"ARGOCD_TARGET_REVISION__A": "eQ==", "TARGET_REVISION": "eQ=="})),
        "a b-c"
    );
    assert_eq!(say(&json!({"A": "eQ=="})), "a b-c");
    // It is about revisions no more, and when it is empty it is once more.
    assert_eq!(say(&json!({"A": "eA=="})), "");
    assert_eq!(say(&json!({})), "a b-c");
}

#[test]
fn an_application_concerns_those_that_are_called_the_same_in_keys() {
    let mut case = Case::new();
    for (name, environment) in [("a.b", "dev"), ("a-b", "dev"), ("b", "dev")] {
        case.application(&application(name, environment, 1));
    }
    case.changed();
    case.application(&application("a-b", "dev", 2));
    assert_eq!(case.changed(), "a-b");
    case.application(&application("a-b", "prod", 3));
    assert_eq!(case.changed(), "a-b a.b");
    case.take(
        APPLICATIONS,
        Notice::Gone(Key::Application(Name::new("argocd", "a.b"))),
    );
    assert_eq!(case.changed(), "a-b a.b");
    case.application(&application("c", "dev", 4));
    assert_eq!(case.changed(), "c");
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
