//! What is said of all settings of a build together: those that are missing, and those that break their rules.

use crate::failure::{Item, Problem};
use crate::settings::resolve::Resolved;
use crate::settings::{Place, Settings, Way, schema};

use super::apply::Asked;

/// How many of the placeholders that ask for a missing key are named.
const ASKERS: usize = 3;

/// Says which keys have no value, where they are declared, and who asks for them first.
pub(super) fn missing(
    keys: &[String],
    asked: &Asked,
    resolved: &Resolved,
    settings: &Settings,
) -> Problem {
    let (count, them) = match keys.len() {
        1 => ("a required setting has no value".to_owned(), "it"),
        count => (format!("{count} required settings have no value"), "them"),
    };
    let mut problem = Problem::new(count);
    for key in keys {
        if let Some(setting) = resolved.get(key) {
            let text = format!("`{key}`, declared at");
            problem.items.push(item(text, &setting.declared_at, true));
        }
        for place in asked.get(key).into_iter().flatten().take(ASKERS) {
            problem
                .items
                .push(item("  asked for at".into(), place, true));
        }
    }
    let give = match settings.sources() {
        [] => match settings.way() {
            Way::Flag => format!("give {them} with `--settings FILE`"),
            Way::Parameter => {
                format!("name the object that has {them} in the plugin parameter `settings`")
            }
        },
        sources => {
            let names: Vec<String> = sources.iter().map(|name| format!("`{name}`")).collect();
            format!("set {them} in {}", names.join(" or "))
        }
    };
    let is_strict = |key: &String| {
        resolved
            .get(key)
            .is_some_and(|setting| setting.rule.required == Some(true))
    };
    let (it_is, placeholder) = match keys.len() {
        1 => ("it is", "placeholder"),
        _ => ("they are", "placeholders"),
    };
    let declare = format!("give {them} a default where {it_is} declared");
    problem.hint(if asked.is_empty() || keys.iter().all(is_strict) {
        format!("{give}, or {declare}")
    } else {
        format!("{give}, {declare}, or write `default(\"…\")` into the {placeholder}")
    })
}

/// Says which values break the rules of the schema, `None` where none does.
pub(super) fn violations(resolved: &Resolved) -> Option<Problem> {
    let mut items = Vec::new();
    for (key, setting) in resolved.iter() {
        for violation in setting.violations() {
            let (source, place, is_in_repository) = setting.source();
            let rule = &setting.rule.place;
            let rule = match rule.file.as_str() {
                "" => String::new(),
                file => format!(" ({file}:{})", rule.line),
            };
            let text = format!("`{key}` {violation}{rule}; {source}");
            items.push(item(text, place, is_in_repository));
        }
    }
    let count = match items.len() {
        0 => return None,
        1 => "a setting breaks the schema".to_owned(),
        _ => "settings break the schema".to_owned(),
    };
    let mut problem = Problem::new(count).hint(format!(
        "change the value, or the rule in the annotation `{}`",
        schema::ANNOTATION
    ));
    problem.items = items;
    Some(problem)
}

fn item(text: String, place: &Place, is_in_repository: bool) -> Item {
    Item {
        text,
        file: place.file.clone(),
        line: place.line,
        is_in_repository,
    }
}
