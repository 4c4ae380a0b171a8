//! Whatever changes, and in whatever order: deciding of what it concerns gives what deciding of everything gives.

mod once_wrong;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::*;
use crate::cluster::{Applications, ConfigMaps, Secrets};
use crate::controller::notice;
use crate::controller::overview::Overview;
use crate::controller::round::Round;
use crate::settings::digest::DigestKey;
use crate::steer::plan::{Decision, Outcome, Plan};
use crate::steer::policy::Namespaces;

const WATCH: usize = 0;

type Data = BTreeMap<&'static str, &'static str>;

/// A change.
#[derive(Clone, Debug)]
enum Step {
    /// An object is there, or not any more: its place, its labels of the environment and of the Application, and its data.
    Object(
        &'static str,
        [&'static str; 2],
        Vec<(&'static str, &'static str)>,
        bool,
    ),
    /// A key of an object has this value, or is not there any more.
    Key(&'static str, (&'static str, &'static str), bool),
    /// An Application is there, or not any more: its name, environment, project, sources, and what is written on it.
    Application(&'static str, [&'static str; 5], bool),
    /// What was decided of an Application is written.
    Written(&'static str),
    /// The controller is paused, or goes on.
    Pause(bool),
}

fn applications() -> impl Strategy<Value = &'static str> {
    // Two are called TEAM_LAMP in keys, and two A_B.
    select(vec![
        "argocd/lamp",
        "team/lamp",
        "argocd/team-lamp",
        "argocd/a-b",
        "argocd/a.b",
        "team/oven",
        "argocd/oven",
    ])
}

fn places() -> impl Strategy<Value = &'static str> {
    select(vec![
        "Secret argocd-infisical/a",
        "Secret argocd-infisical/a",
        "ConfigMap argocd-infisical/a",
        "ConfigMap argocd-infisical/a",
        "ConfigMap argocd-infisical/b",
        "Secret team/a",
        "Secret home/a",
        "ConfigMap home/b",
        "Secret argocd/a",
    ])
}

/// A key and its value.
fn entry() -> impl Strategy<Value = (&'static str, &'static str)> {
    let revisions = vec![
        "ARGOCD_TARGET_REVISION",
        "ARGOCD_TARGET_REVISION",
        "TARGET_REVISION",
        "ARGOCD_TARGET_REVISION__LAMP",
        "ARGOCD_TARGET_REVISION__TEAM_LAMP",
        "ARGOCD_TARGET_REVISION__A_B",
        "ARGOCD_TARGET_REVISION__A_B",
        "SETTING",
    ];
    let revision = select(vec!["x", "x", "y", "y", "", "main", "--bad"]);
    let times = vec![
        "ARGOCD_TARGET_REVISION_UNTIL",
        "ARGOCD_TARGET_REVISION_UNTIL__LAMP",
    ];
    let time = select(vec![
        "",
        "2020-01-01T00:00:00Z",
        "2099-01-01T00:00:00Z",
        "x",
    ]);
    prop_oneof![
        3 => (select(revisions), revision),
        1 => (select(times), time),
    ]
}

fn object() -> impl Strategy<Value = Step> {
    let environment = select(vec!["", "dev", "dev", "dev", "prod", "prod", "stage"]);
    let application = select(vec!["", "", "", "", "lamp", "a-b", "team_lamp", "oven"]);
    let data = prop::collection::vec(entry(), 0..4);
    let labels = (environment, application).prop_map(|(one, other)| [one, other]);
    (places(), labels, data, prop::bool::weighted(0.85))
        .prop_map(|(place, labels, data, is_there)| Step::Object(place, labels, data, is_there))
}

fn application() -> impl Strategy<Value = Step> {
    let environment = select(vec!["dev", "dev", "prod", "prod", "stage", "qa"]);
    let project = select(vec!["default", "default", "other"]);
    let revision = select(vec!["dev", "main", "x"]);
    let settings = select(vec![
        "",
        "secret:home/a",
        "optional:home/b",
        "secret:argocd-infisical/a",
    ]);
    let marks = select(vec![
        "",
        "",
        "hold",
        "two",
        "r",
        "r2",
        "r3",
        "was=x:Secret:argocd-infisical/a:ARGOCD_TARGET_REVISION",
        "was=x:ConfigMap:argocd-infisical/b:ARGOCD_TARGET_REVISION__A_B",
        "moved",
        "own",
        "own",
    ]);
    let rest = (environment, project, revision, settings, marks);
    let rest = rest.prop_map(|(a, b, c, d, e)| [a, b, c, d, e]);
    (applications(), rest, prop::bool::weighted(0.85))
        .prop_map(|(name, rest, is_there)| Step::Application(name, rest, is_there))
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let step = prop_oneof![
        5 => object(),
        8 => (places(), entry(), prop::bool::weighted(0.7)).prop_map(|(place, entry, is_there)| Step::Key(place, entry, is_there)),
        6 => application(),
        2 => applications().prop_map(Step::Written),
        1 => any::<bool>().prop_map(Step::Pause),
    ];
    prop::collection::vec((step, prop::bool::weighted(0.8)), 1..32)
}

/// What is known and decided, without a cluster.
struct Case {
    policy: Policy,
    knowledge: Knowledge,
    overview: Overview,
    decisions: BTreeMap<Name, Decision>,
    /// The objects that there are, with their labels and data.
    objects: BTreeMap<&'static str, ([&'static str; 2], Data)>,
    now: Instant,
    wall: Timestamp,
    version: u64,
}

impl Case {
    fn new(least: usize, percent: usize) -> Self {
        let mut policy = Policy::default();
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        policy.application_namespaces = Namespaces::Only(of(&["argocd", "team"]));
        policy.object_namespaces = Namespaces::Only(of(&["home", "team"]));
        let mut bound = policy.environments["prod"].clone();
        bound.projects = Some(of(&["default"]));
        policy.environments.insert("stage".into(), bound);
        let dev = policy.environments.get_mut("dev").unwrap();
        dev.projects = Some(of(&["default"]));
        policy.environments.get_mut("prod").unwrap().allowed = vec!["*".into()];
        policy.breaker.least = least;
        policy.breaker.percent = percent;
        let state = State {
            digest_key: DigestKey::new(&[7; 32]).ok(),
            ..State::default()
        };
        Self {
            policy,
            knowledge: Knowledge::new(state, 1),
            overview: Overview::default(),
            decisions: BTreeMap::new(),
            objects: BTreeMap::new(),
            now: Instant::now(),
            wall: "2026-11-30T08:00:00Z".parse().unwrap(),
            version: 1,
        }
    }

    fn take(&mut self, notice: Notice) {
        self.knowledge.take(WATCH, notice, &self.policy, self.now);
    }

    fn apply(&mut self, step: &Step) {
        self.version += 1;
        match step {
            Step::Object(place, labels, data, is_there) => {
                let data = data.iter().copied().collect();
                self.objects.insert(place, (*labels, data));
                self.tell(self.object(place), *is_there);
                if !is_there {
                    self.objects.remove(place);
                }
            }
            Step::Key(place, (key, value), is_there) => {
                let Some((_, data)) = self.objects.get_mut(place) else {
                    return;
                };
                data.remove(key);
                if *is_there {
                    data.insert(key, value);
                }
                self.tell(self.object(place), true);
            }
            Step::Application(name, rest, is_there) => {
                let object = application_of(name, *rest, self.version);
                let shown = notice::application(pruned::<Applications>(&object));
                self.tell(shown, *is_there);
            }
            Step::Written(name) => {
                let (namespace, name) = name.split_once('/').unwrap();
                let name = Name::new(namespace, name);
                if let Some(decision) = self.decisions.get(&name) {
                    let within = self.policy.breaker.within;
                    let memory = &mut self.knowledge.state.memory;
                    memory.wrote(decision, self.wall, within);
                    self.knowledge.changed.application(&name, self.now);
                }
            }
            Step::Pause(is_paused) => {
                let controls = Controls {
                    is_paused: *is_paused,
                    ..Controls::default()
                };
                self.knowledge.control(controls, self.now);
            }
        }
    }

    fn object(&self, place: &str) -> Shown {
        let (labels, data) = &self.objects[place];
        let (kind, name) = place.split_once(' ').unwrap();
        let object = object_of(name, *labels, data, kind == "Secret", self.version);
        if kind == "Secret" {
            notice::secret(pruned::<Secrets>(&object))
        } else {
            notice::config_map(pruned::<ConfigMaps>(&object))
        }
    }

    fn tell(&mut self, shown: Shown, is_there: bool) {
        self.take(if is_there {
            Notice::Shown(shown)
        } else {
            Notice::Gone(shown.key)
        });
    }

    /// Decides until there is nothing more to decide.
    fn decide(&mut self) {
        while !self.knowledge.changed.is_empty() {
            let (knowledge, overview) = (&mut self.knowledge, &mut self.overview);
            let times = (self.now, self.wall);
            let round = Round::of(knowledge, overview, &self.policy, Some(&mut drop), times);
            for name in round.gone {
                self.decisions.remove(&name);
            }
            for decision in round.decisions {
                self.decisions
                    .insert(decision.application.clone(), decision);
            }
        }
    }

    fn plan(&self) -> Plan {
        crate::steer::decide(&self.knowledge.state, &self.policy, self.wall)
    }
}

fn object_of(place: &str, labels: [&str; 2], data: &Data, is_secret: bool, version: u64) -> Value {
    let (namespace, name) = place.split_once('/').unwrap();
    let mut all = Map::new();
    all.insert("argocd-infisical.io/settings".into(), json!("true"));
    for (label, text) in [ENVIRONMENT, APPLICATION].into_iter().zip(labels) {
        if !text.is_empty() {
            all.insert(label.into(), json!(text));
        }
    }
    let value = |text: &str| {
        if is_secret {
            json!(STANDARD.encode(text))
        } else {
            json!(text)
        }
    };
    let data = data
        .iter()
        .map(|(key, text)| ((*key).to_owned(), value(text)));
    json!({
        "metadata": {
            "namespace": namespace, "name": name, "resourceVersion": version.to_string(), "labels": all,
            "annotations": {"argocd-infisical.io/allowed": "default/*", "argocd-infisical.io/keys": "SETTING"},
        },
        "data": data.collect::<Map<_, _>>(),
    })
}

fn application_of(place: &str, rest: [&str; 5], version: u64) -> Value {
    let [environment, project, revision, settings, mark] = rest;
    let (namespace, name) = place.split_once('/').unwrap();
    let mut annotations = Map::new();
    let mut sources = json!([{"repoURL": "https://g/r", "targetRevision": revision}, {"repoURL": "https://g/r2", "targetRevision": "z"}]);
    if !matches!(mark, "two" | "r" | "r2" | "r3") {
        sources.as_array_mut().unwrap().pop();
    }
    let mut annotate = |key: &str, text: String| drop(annotations.insert(key.into(), json!(text)));
    match (mark, mark.split_once('=')) {
        (_, Some((_, was))) => {
            let parts: Vec<&str> = was.split(':').collect();
            let (namespace, name) = parts[2].split_once('/').unwrap();
            let rank = if parts[3].contains("__") {
                "key"
            } else {
                "environment"
            };
            let origin = json!({"kind": parts[1], "namespace": namespace, "name": name, "key": parts[3], "rank": rank});
            let record =
                json!({"environment": environment, "revision": parts[0], "override": origin});
            annotate("argocd-infisical.io/state", record.to_string());
        }
        ("moved", _) => {
            let record = json!({"environment": environment, "revision": revision, "moved": "2026-11-30T07:58:00Z"});
            annotate("argocd-infisical.io/state", record.to_string());
        }
        ("hold", _) => annotate("argocd-infisical.io/hold", "true".into()),
        ("r" | "r2" | "r3", _) => {
            annotate("argocd-infisical.io/sources", format!("https://g/{mark}"));
        }
        _ => {}
    }
    if !settings.is_empty() {
        sources[0]["plugin"] = json!({"name": "argocd-infisical", "parameters": [{"name": "settings", "array": [settings]}]});
    }
    let managers = json!([{"manager": "argocd-infisical", "operation": "Update", "fieldsV1": {"f:spec": {"f:sources": {}}}}]);
    let managers = Some(managers).filter(|_| mark == "own");
    json!({
        "metadata": {
            "namespace": namespace, "name": name, "managedFields": managers, "uid": format!("{name}-{project}"), "resourceVersion": version.to_string(),
            "labels": {ENVIRONMENT: environment}, "annotations": annotations,
        },
        "spec": {"project": project, "sources": sources, "syncPolicy": {"automated": {}}},
    })
}

fn shown<'a>(decisions: impl Iterator<Item = &'a Decision>) -> Vec<String> {
    decisions.map(|decision| format!("{decision:#?}")).collect()
}

/// What becomes of fields: the codes of reasons, and what else there is.
fn words<'a>(decisions: impl Iterator<Item = &'a Decision>) -> BTreeSet<&'static str> {
    let outcomes = decisions.flat_map(|decision| {
        let settings = decision.settings.as_ref().map(|settings| &settings.outcome);
        settings.into_iter().chain([&decision.revision.outcome])
    });
    let words = outcomes.map(|outcome| match outcome {
        Outcome::Stays(reason) => reason.code.as_str(),
        Outcome::Change => "change",
        Outcome::Same => "same",
    });
    words.collect()
}

/// What is decided after a change.
struct Decided {
    of_concerned: Vec<String>,
    of_all: Vec<String>,
    outcomes: BTreeSet<&'static str>,
}

/// Applies changes, and sees what is decided after those that are to be decided of at once: of what they concern, and of
/// everything.
fn decided(case: &mut Case, steps: &[(Step, bool)]) -> Vec<Decided> {
    let mut decided = Vec::new();
    for (step, is_decided) in steps {
        case.apply(step);
        if *is_decided {
            case.decide();
            let plan = case.plan();
            decided.push(Decided {
                of_concerned: shown(case.decisions.values()),
                of_all: shown(plan.decisions.iter()),
                outcomes: words(plan.decisions.iter()),
            });
        }
    }
    decided
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn deciding_of_what_is_concerned_is_deciding_of_everything(steps in steps(), least in 0..3_usize, percent in select(vec![0, 50])) {
        for decided in decided(&mut Case::new(least, percent), &steps) {
            prop_assert_eq!(decided.of_concerned, decided.of_all);
        }
    }
}

/// The random changes bring about what matters: otherwise the property says little.
#[test]
fn the_changes_are_worth_something() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut outcomes = BTreeSet::new();
    for _ in 0..400 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let mut case = Case::new(1, 0);
        for (step, _) in &steps {
            case.apply(step);
            case.decide();
            outcomes.extend(words(case.decisions.values()));
        }
    }
    for outcome in [
        "same",
        "change",
        "Breaker",
        "KeyCollision",
        "Conflict",
        "OverrideGone",
        "AmbiguousSources",
        "UnknownSource",
        "ProjectNotAllowed",
        "UnknownEnvironment",
        "SettingsAbsent",
        "NoConsent",
        "Hold",
        "Paused",
        "InvalidRevision",
    ] {
        assert!(outcomes.contains(outcome), "{outcome} of {outcomes:?}");
    }
}
