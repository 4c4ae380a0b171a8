//! What is asked of Prometheus: expressions, and the figures in them, are ones that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::Value;

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
