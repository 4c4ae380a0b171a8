//! What is asked of Prometheus: expressions, and the figures in them, are ones that there are.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use regex::Regex;
use serde_json::Value;

use crate::metrics::{Served, get};
use crate::workspace::{Workspace, binary, run_in};

const PREFIX: &str = "argocd_infisical_controller_";
/// What else may stand in an expression: functions, aggregations, their words, and the labels of our figures.
const WORDS: [&str; 27] = [
    "absent",
    "by",
    "code",
    "count",
    "environment",
    "field",
    "histogram_quantile",
    "increase",
    "le",
    "max",
    "min",
    "or",
    "outcome",
    "purpose",
    "rate",
    "result",
    "sum",
    "vector",
    "verb",
    "watch",
    // Durations, and a variable of Grafana.
    "m",
    "h",
    "d",
    "__rate_interval",
    "version",
    "s",
    "and",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn rules() -> Vec<Value> {
    let text = read("manifests/components/controller-monitoring/prometheus-rule.yaml");
    let rule: Value = serde_saphyr::from_str(&text).unwrap();
    let groups = rule["spec"]["groups"].as_array().unwrap();
    groups[0]["rules"].as_array().unwrap().clone()
}

/// All expressions, of alerts and of the dashboard.
fn expressions() -> Vec<String> {
    let text = |value: &Value| value["expr"].as_str().unwrap().to_owned();
    let mut expressions: Vec<String> = rules().iter().map(text).collect();
    let path = "manifests/components/controller-monitoring/argocd-infisical-controller.json";
    let dashboard: Value = serde_json::from_str(&read(path)).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        expressions.extend(panel["targets"].as_array().unwrap().iter().map(text));
    }
    expressions
}

/// The figures that the guide lists.
fn documented() -> BTreeSet<String> {
    let guide = read("docs/controller.md");
    let row = Regex::new(r"(?m)^\| `(argocd_infisical_controller_[a-z_]+)").unwrap();
    let names = row.captures_iter(&guide);
    names.map(|found| found[1].to_owned()).collect()
}

#[test]
fn expressions_are_balanced_and_of_words_that_there_are() {
    let quoted = Regex::new("\"[^\"]*\"").unwrap();
    let word = Regex::new("[A-Za-z_][A-Za-z0-9_]*").unwrap();
    for expression in expressions() {
        let bare = quoted.replace_all(&expression, "");
        let mut open = Vec::new();
        for character in bare.chars() {
            match character {
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                ')' | ']' | '}' => assert_eq!(open.pop(), Some(character), "{expression}"),
                _ => {}
            }
        }
        assert!(open.is_empty() && !bare.contains('"'), "{expression}");
        for word in word.find_iter(&bare) {
            let word = word.as_str();
            let is_known = word.starts_with(PREFIX) || WORDS.contains(&word);
            assert!(is_known, "{word} in {expression}");
        }
    }
}

#[test]
fn every_figure_that_is_asked_for_is_in_the_guide() {
    let documented = documented();
    assert!(documented.len() > 10, "{documented:?}");
    let name = Regex::new("argocd_infisical_controller_[a-z_]+").unwrap();
    for expression in expressions() {
        for name in name.find_iter(&expression) {
            let name = name.as_str();
            let name = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(documented.contains(name), "{name}");
        }
    }
}

#[test]
fn every_alert_has_its_paragraph() {
    let guide = read("docs/controller.md");
    let rules = rules();
    assert!(rules.len() >= 9);
    for rule in &rules {
        let alert = rule["alert"].as_str().unwrap();
        assert!(guide.contains(&format!("\n#### {alert}\n")), "{alert}");
        let annotations = &rule["annotations"];
        assert_eq!(
            annotations["runbook"],
            format!("docs/controller.md#{}", alert.to_lowercase())
        );
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(["info", "warning", "critical"].contains(&severity));
        assert!(annotations["summary"].is_string() && annotations["description"].is_string());
        assert!(rule["for"].is_string(), "{alert}");
    }
    let paragraphs = guide.matches("\n#### ArgoCDInfisical").count();
    assert_eq!(paragraphs, rules.len());
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// The figures of a controller whose cluster does not answer.
fn served() -> String {
    let workspace = Workspace::new(&[]);
    let cluster = format!("https://127.0.0.1:{}", free_port());
    workspace.write(
        "kubeconfig",
        format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: a, cluster: {{server: \"{cluster}\"}}}}]\n\
             users: [{{name: a, user: {{token: a}}}}]\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\ncurrent-context: a\n"
        ),
    );
    let port = free_port();
    let controller = binary()
        .args(["controller", "--mode", "observe", "--kubeconfig"])
        .arg(workspace.path().join("kubeconfig"))
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .stderr(Stdio::null())
        .spawn();
    let _served = Served(controller.unwrap());
    get(port, "GET /metrics")
}

#[test]
fn the_guide_lists_the_figures_that_are_served() {
    let text = served();
    let kind = Regex::new(r"(?m)^# TYPE (\w+) (\w+)$").unwrap();
    let names = kind.captures_iter(&text);
    let names: BTreeSet<String> = names.map(|found| found[1].to_owned()).collect();
    assert_eq!(documented(), names);
}

#[test]
fn the_guide_lists_the_flags_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let help = run_in(root, &["controller", "--help"]).stdout;
    let guide = read("docs/controller.md");
    let (_, flags) = guide.split_once("\n## Flags\n").unwrap();
    let (flags, _) = flags.split_once("\n## ").unwrap();
    let of = |pattern: &str, text: &str| -> BTreeSet<String> {
        let flag = Regex::new(pattern).unwrap();
        let found = flag.captures_iter(text);
        found.map(|found| found[1].to_owned()).collect()
    };
    let there = of(r"(?m)^\s+(--[a-z-]+) <", &help);
    assert_eq!(of(r"`(--[a-z-]+) [A-Za-z]", flags), there);
    // What the Deployment says is among them.
    let deployment = read("manifests/install/deployment.yaml");
    for flag in of(r"- (--[a-z-]+)=", &deployment) {
        assert!(there.contains(&flag), "{flag}");
    }
}
