//! Which value a setting has: the one from outside, else the default, else none.

use std::collections::BTreeMap;

use goyaml::Position;

use super::declared::Declared;
use super::schema::Rule;
use super::{Place, Settings, Value, is_missing};
use crate::failure::{Item, Problem};

/// The settings of a build by key; exactly those that the repository declares.
#[derive(Clone, Default)]
pub struct Resolved {
    settings: BTreeMap<String, Setting>,
}

/// One setting.
#[derive(Clone)]
pub struct Setting {
    /// Its value; `None` where neither a source nor the repository has one.
    pub value: Option<Value>,
    /// Where it is declared.
    pub declared_at: Place,
    /// Where its default stands.
    pub default_at: Place,
    /// Where its value was found; `None` where it is the default.
    pub origin: Option<Place>,
    /// What its value must be.
    pub rule: Rule,
}

impl Setting {
    /// What its value breaks of its rule, without the value; nothing where there is no value.
    pub fn violations(&self) -> Vec<String> {
        let text = self.value.as_ref().map(|value| value.reveal().as_str());
        text.map(|text| self.rule.violations(text))
            .unwrap_or_default()
    }

    /// Where its value stands, in words that a place follows, and whether that is in the repository.
    pub const fn source(&self) -> (&'static str, &Place, bool) {
        match &self.origin {
            Some(origin) => ("its value stands in", origin, false),
            None => ("its default stands in", &self.default_at, true),
        }
    }
}

impl Resolved {
    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty()
    }

    /// The setting of a key.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.get(key)
    }

    /// All settings, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.settings
            .iter()
            .map(|(key, setting)| (key.as_str(), setting))
    }

    /// The declared key that is spelled most like this one.
    pub fn nearest(&self, key: &str) -> Option<&str> {
        let upper = key.to_uppercase();
        self.settings
            .keys()
            .map(|known| {
                (
                    strsim::damerau_levenshtein(&known.to_uppercase(), &upper),
                    known.as_str(),
                )
            })
            .filter(|(distance, known)| {
                *distance <= 2.max(known.len() / 4) && *distance < known.len().min(key.len())
            })
            .min()
            .map(|(_, known)| known)
    }
}

/// Gives every declared key its value.
///
/// A key that is not declared is not asked for. The same key may be declared at one place only; a declaration that is
/// part of a build more than once counts as one where it says the same each time.
///
/// # Errors
/// Every value that is no text, and every key with two declarations.
pub fn resolve(declared: Vec<Declared>, settings: &Settings) -> Result<Resolved, Vec<Problem>> {
    let mut resolved: BTreeMap<String, Setting> = BTreeMap::new();
    let mut problems = Vec::new();
    for declaration in declared {
        let Declared {
            key,
            text,
            place,
            default_place,
            rule,
        } = declaration;
        let default = Some(text).filter(|text| !is_missing(text.reveal().as_bytes()));
        let (value, origin) = match settings.get(&key) {
            Ok(Some(found)) => (Some(found.value), Some(found.origin)),
            Ok(None) => (default, None),
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        match resolved.get(&key) {
            Some(first)
                if first.declared_at != place || first.value != value || first.rule != rule =>
            {
                problems.push(declared_twice(&key, &first.declared_at, &place));
            }
            Some(_) => {}
            None => {
                resolved.insert(
                    key,
                    Setting {
                        value,
                        default_at: Some(default_place)
                            .filter(|place| !place.file.is_empty())
                            .unwrap_or_else(|| place.clone()),
                        declared_at: place,
                        origin,
                        rule,
                    },
                );
            }
        }
    }
    if problems.is_empty() {
        Ok(Resolved { settings: resolved })
    } else {
        Err(problems)
    }
}

fn declared_twice(key: &str, first: &Place, second: &Place) -> Problem {
    let position = Position {
        line: second.line,
        ..Position::default()
    };
    let mut problem = Problem::new(format!("setting `{key}` is declared twice"))
        .in_repository(Some(&second.file), position)
        .hint("declare it once; another layer may change its default with a patch");
    problem.items.push(Item {
        text: "first at".into(),
        file: first.file.clone(),
        line: first.line,
        is_in_repository: true,
    });
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(key: &str, default: &str, line: u32) -> Declared {
        Declared {
            key: key.into(),
            text: Value::new(default),
            place: Place {
                file: "settings.yaml".into(),
                line,
            },
            default_place: Place::default(),
            rule: Rule::default(),
        }
    }

    fn value<'a>(resolved: &'a Resolved, key: &str) -> Option<&'a str> {
        resolved
            .get(key)
            .and_then(|setting| setting.value.as_ref())
            .map(|value| value.reveal().as_str())
    }

    #[test]
    fn a_value_wins_over_the_default_and_nothing_else_is_read() {
        let mut settings = Settings::default();
        for (key, text) in [
            ("A", "outside"),
            ("B", ""),
            ("C", "<no value>"),
            ("OTHER", "x"),
        ] {
            settings.insert(key, text.as_bytes().to_vec(), Place::default());
        }
        settings.insert("BINARY", vec![0xff], Place::default());
        let keys = vec![
            declared("A", "a", 1),
            declared("B", "b", 2),
            declared("C", "c", 3),
            declared("D", "", 4),
        ];
        let resolved = resolve(keys, &settings).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(value(&resolved, "A"), Some("outside"));
        assert_eq!(value(&resolved, "B"), Some("b"));
        assert_eq!(value(&resolved, "C"), Some("c"));
        assert_eq!(value(&resolved, "D"), None);
        assert!(resolved.get("OTHER").is_none());
    }

    #[test]
    fn two_declarations_of_a_key_are_refused() {
        let twice = |line| {
            resolve(
                vec![declared("A", "1", 1), declared("A", "1", line)],
                &Settings::default(),
            )
        };
        let problems = twice(7).err().unwrap_or_default();
        let text = problems
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(text.starts_with("error: settings.yaml:7: setting `A` is declared twice\n  first at settings.yaml:1\n"), "{text}");
        assert!(twice(1).is_ok());
    }

    #[test]
    fn the_nearest_key_is_found() {
        let keys = vec![declared("HOSTNAME", "a", 1), declared("TIMEZONE", "b", 2)];
        let resolved = resolve(keys, &Settings::default()).unwrap_or_default();
        assert_eq!(resolved.nearest("HOSTNAM"), Some("HOSTNAME"));
        assert_eq!(resolved.nearest("timezone"), Some("TIMEZONE"));
        assert_eq!(resolved.nearest("REPLICAS"), None);
    }
}
