use super::*;
use crate::settings::declared::Declared;
use crate::settings::schema::{Rule, Type};
use crate::settings::{Place, Settings, Value as Setting, resolve::resolve};

fn evaluator() -> Evaluator {
    with_required(None)
}

fn with_required(required: Option<bool>) -> Evaluator {
    let declared = [
        ("HOST", "ha.example.org"),
        ("N", "3"),
        ("ON", "true"),
        ("EMPTY", ""),
        ("a.b-c", "x"),
        ("MAP", "a: 1"),
    ]
    .map(|(key, text)| {
        let mut rule = Rule::default();
        if key == "MAP" {
            rule.kind = Type::Yaml;
        }
        if key == "EMPTY" {
            rule.required = required;
        }
        Declared {
            key: key.into(),
            text: Setting::new(text),
            place: Place::default(),
            default_place: Place::default(),
            rule,
        }
    });
    Evaluator::new(resolve(declared.into(), &Settings::default()).unwrap_or_default())
}

fn shown(expression: &str) -> String {
    match evaluator().evaluate(expression) {
        Ok(Outcome::Text(text)) => format!("text {text}"),
        Ok(Outcome::Scalar(text, tag)) => format!("{} {text}", tag.as_str()),
        Ok(Outcome::Block(node)) => format!("block {}", node.is_mapping()),
        Err(refusal) => format!("{refusal:?}"),
    }
}

#[test]
fn values_and_filters() {
    for (expression, expected) in [
        ("settings.HOST", "text ha.example.org"),
        ("settings[\"a.b-c\"]", "text x"),
        ("settings.N | int", "!!int 3"),
        ("settings.N|float", "!!float 3"),
        ("settings.ON | bool", "!!bool true"),
        ("settings.N | b64encode", "text Mw=="),
        ("settings.MAP | yaml", "block true"),
        (
            "settings.EMPTY | default(\"a, 'b' + {c}\")",
            "text a, 'b' + {c}",
        ),
        ("settings.HOST | default(\"x\")", "text ha.example.org"),
        ("settings.EMPTY | default(5)", "!!int 5"),
        ("settings.EMPTY | default (5)", "!!int 5"),
        ("settings.EMPTY | default(settings.N) | int", "!!int 3"),
    ] {
        assert_eq!(shown(expression), expected, "{expression}");
    }
}

/// Expressions that are refused, and why.
const REFUSED: [(&str, &str); 21] = [
    ("settings.EMPTY", "Missing([\"EMPTY\"])"),
    ("settings.EMPTY | int", "Missing([\"EMPTY\"])"),
    ("settings.HOST | yaml", "NoBlock([\"HOST\"])"),
    (
        "settings.EMPTY | default(\"{}\") | json",
        "NoBlock([\"EMPTY\"])",
    ),
    (
        "settings.EMPTY | default(settings.EMPTY)",
        "Missing([\"EMPTY\"])",
    ),
    ("settings.NONE", "Undeclared(\"NONE\")"),
    ("settings.NONE | default(1)", "Undeclared(\"NONE\")"),
    (
        "settings.HOST | int",
        "WrongType { keys: [\"HOST\"], expected: \"an integer\" }",
    ),
    (
        "settings.HOST | upper",
        "Syntax(\"unknown filter; there are `default(…)`, `int`, `bool`, `float`, `b64encode`, `json` and `yaml`\")",
    ),
    (
        "settings",
        "Syntax(\"the placeholder names no single setting\")",
    ),
    ("github.sha", "Syntax(\"only `settings.KEY` can be read\")"),
    ("\"x\"", "Syntax(\"the placeholder reads no setting\")"),
    (
        "settings.a-b",
        "Syntax(\"`-` has no meaning in a placeholder; a key with a dash is read as `settings[\\\"the-key\\\"]`\")",
    ),
    (
        "settings.N * 1000000000",
        "Syntax(\"`*` has no meaning in a placeholder\")",
    ),
    (
        "settings.N if settings.ON else 1",
        "Syntax(\"`if` has no meaning in a placeholder\")",
    ),
    ("", "Syntax(\"the placeholder is empty\")"),
    (
        "(settings.HOST) | b64encode",
        "Syntax(\"`(` has a meaning only behind the name of a filter\")",
    ),
    (
        "settings.HOST | default((settings).N)",
        "Syntax(\"`(` has a meaning only behind the name of a filter\")",
    ),
    (
        "settings.HOST[0]",
        "Syntax(\"`[` has a meaning only in `settings[\\\"KEY\\\"]`\")",
    ),
    (
        "settings.HOST[ settings.N ]",
        "Syntax(\"`[` has a meaning only in `settings[\\\"KEY\\\"]`\")",
    ),
    (
        "settings.HOST.x",
        "Syntax(\"only `settings.KEY` can be read\")",
    ),
];

#[test]
fn what_is_refused() {
    for (expression, expected) in REFUSED {
        assert_eq!(shown(expression), expected, "{expression}");
    }
    assert!(shown("settings.N |").starts_with("Syntax(\"the placeholder is not one expression"));
    assert!(shown("settings.HOST()").starts_with("Syntax("));
    assert!(shown("settings.HOST.upper()").starts_with("Syntax("));
    assert!(shown("settings.HOST | default").starts_with("Syntax("));
}

#[test]
fn a_bare_key_is_what_the_compiler_makes_of_it() {
    for key in ["HOST", "N", "ON", "EMPTY", "MAP", "NONE", "_x", "if", "not"] {
        let (bare, compiled) = (evaluator(), evaluator());
        assert!(bare_key(&format!("settings.{key}")).is_some());
        // The blank keeps it from being one.
        let outcome = |evaluator: &Evaluator, expression: &str| match evaluator.evaluate(expression)
        {
            Ok(Outcome::Text(text)) => text.to_string(),
            Ok(_) => "no text".to_owned(),
            Err(refusal) => format!("{refusal:?}"),
        };
        assert_eq!(
            outcome(&bare, &format!("settings.{key}")),
            outcome(&compiled, &format!("settings .{key}")),
        );
        assert_eq!(bare.keys_read(), compiled.keys_read());
        assert_eq!(bare.missing(), compiled.missing());
    }
    for other in [
        "settings",
        "settings.",
        "settings.a-b",
        "settings.1",
        "settings.A.B",
        "settings.A | int",
        "x.A",
        "settings.é",
    ] {
        assert_eq!(bare_key(other), None, "{other}");
    }
}

#[test]
fn a_key_is_missing_unless_every_reader_has_a_default() {
    let evaluator = evaluator();
    assert_eq!(evaluator.missing(), ["EMPTY"]);
    assert!(evaluator.evaluate("settings.EMPTY | default(1)").is_ok());
    assert!(evaluator.missing().is_empty());
    assert!(evaluator.evaluate("settings.EMPTY").is_err());
    assert_eq!(evaluator.missing(), ["EMPTY"]);
}

#[test]
fn the_schema_may_ask_for_a_value_or_for_none() {
    let required = with_required(Some(true));
    assert!(required.evaluate("settings.EMPTY | default(1)").is_ok());
    assert_eq!(required.missing(), ["EMPTY"]);
    let optional = with_required(Some(false));
    assert!(optional.missing().is_empty());
    assert!(optional.evaluate("settings.EMPTY").is_err());
    assert_eq!(optional.missing(), ["EMPTY"]);
}
