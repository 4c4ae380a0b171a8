//! The labels of an Application. There are few of them, and many Applications: a map of the library would take most of its
//! room for those that might come.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Labels, as they stand in the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&str> {
        // The last one of a name counts, as in a map.
        let mut labels = self.0.iter().rev();
        let (_, value) = labels.find(|(name, _)| **name == *key)?;
        Some(value)
    }
}

impl<'a> Deserialize<'a> for Labels {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'a> Visitor<'a> for Reader {
            type Value = Labels;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("labels")
            }

            fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Labels, M::Error> {
                let mut labels = Vec::new();
                while let Some(label) = map.next_entry()? {
                    labels.push(label);
                }
                Ok(Labels(labels.into_boxed_slice()))
            }
        }
        from.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_by_name_and_the_last_one_counts() {
        let labels: Labels = serde_json::from_str(r#"{"b": "1", "a": "2", "b": "3"}"#).unwrap();
        let found = ["a", "b", "c"].map(|key| labels.get(key));
        assert_eq!(found, [Some("2"), Some("3"), None]);
        assert!(serde_json::from_str::<Labels>(r#"{"a": 1}"#).is_err());
        assert!(serde_json::from_str::<Labels>(r#"["a"]"#).is_err());
    }
}
