//! Names of fields in messages.

/// The way from the top of an object to a field, as messages write it: `spec.containers[0].image`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedPath(String);

impl NamedPath {
    /// Goes into a map.
    pub fn push_key(&mut self, key: &str) {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(key);
    }

    /// Goes into a list.
    pub fn push_index(&mut self, index: usize) {
        self.0.push('[');
        self.0.push_str(&index.to_string());
        self.0.push(']');
    }

    /// The path as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it leads nowhere.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// The part of it that leads into none of these fields.
    pub(crate) fn outside_of(self, fields: &[Self]) -> Self {
        let outer = fields.iter().filter(|field| self.is_within(field));
        match outer.min_by_key(|field| field.len()) {
            Some(field) => field.clone(),
            None => self,
        }
    }

    /// Whether it leads to or into a field; also where another field is written alike.
    fn is_within(&self, field: &Self) -> bool {
        let rest = self.0.strip_prefix(&field.0);
        rest.is_some_and(|rest| field.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(keys: &[&str]) -> NamedPath {
        let mut path = NamedPath::default();
        for key in keys {
            path.push_key(key);
        }
        path
    }

    #[test]
    fn paths_end_at_the_outermost_field() {
        let mut inner = path(&["spec", "a.b", "", "c"]);
        inner.push_index(2);
        assert_eq!(inner.as_str(), "spec.a.b..c[2]");
        let fields = [path(&["spec", "a.b", ""]), path(&["spec", "a.b"])];
        let outside = |path: NamedPath| path.outside_of(&fields).as_str().to_owned();
        assert_eq!(outside(inner), "spec.a.b");
        assert_eq!(outside(path(&["spec", "a.bc"])), "spec.a.bc");
        assert_eq!(outside(path(&["spec"])), "spec");
    }
}
