//! Reads the table of Kubernetes' built-in types straight from its bytes: nothing is decoded before it is asked for.
//!
//! `tools/schema` writes the table. After the four bytes `KSC1` come little-endian 16-bit words: six counts (texts,
//! definitions, nodes, fields, key-list words, resources), then the sections in this order.
//!
//! | section | words each |
//! | --- | --- |
//! | definitions, sorted | text of the name; definition *i* is node *i* |
//! | nodes | first field, number of fields, node of the elements, node of the map values, text of the strategy, key list |
//! | fields, sorted within a node | text of the name, node |
//! | key lists | number of keys, the keys' texts |
//! | resources, sorted | text of the apiVersion, text of the kind, node, flags |
//!
//! Last come the texts, sorted, so that comparing numbers compares texts: the end of each as a 32-bit offset, and the
//! characters. `0xFFFF` stands for nothing.

use std::cmp::Ordering;

static TABLE: Table = Table {
    bytes: include_bytes!("builtin.bin"),
};

/// The word at which the definitions begin, after the counts.
const DEFINITIONS: usize = 6;
const NODE_WORDS: usize = 6;
const FIELD_WORDS: usize = 2;
const RESOURCE_WORDS: usize = 4;
const NONE: u16 = 0xFFFF;

const SCOPE_BITS: u16 = 0b011;
const SCOPE_CLUSTER: u16 = 1;
const SCOPE_NAMESPACED: u16 = 2;
const ALWAYS_KNOWN: u16 = 0b100;

/// A schema of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeIndex(u16);

/// What the table says of one apiVersion and kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource {
    /// Its schema; few kinds have a scope alone.
    pub(super) node: Option<NodeIndex>,
    /// Whether it lives in a namespace, where that is known.
    pub(super) namespaced: Option<bool>,
    /// Whether it stays known beside a custom schema that takes the place of the built-in one.
    pub(super) always_known: bool,
}

struct Table {
    bytes: &'static [u8],
}

impl Table {
    fn word(&self, index: usize) -> u16 {
        let start = 4 + index * 2;
        match self.bytes.get(start..start + 2) {
            Some(&[low, high]) => u16::from_le_bytes([low, high]),
            _ => NONE,
        }
    }

    fn count(&self, section: usize) -> usize {
        usize::from(self.word(section))
    }

    fn nodes(&self) -> usize {
        DEFINITIONS + self.count(1)
    }

    fn fields(&self) -> usize {
        self.nodes() + self.count(2) * NODE_WORDS
    }

    fn key_lists(&self) -> usize {
        self.fields() + self.count(3) * FIELD_WORDS
    }

    fn resources(&self) -> usize {
        self.key_lists() + self.count(4)
    }

    fn text_ends(&self) -> usize {
        4 + (self.resources() + self.count(5) * RESOURCE_WORDS) * 2
    }

    fn text_end(&self, index: usize) -> usize {
        let start = self.text_ends() + index * 4;
        match self.bytes.get(start..start + 4) {
            Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => 0,
        }
    }

    fn text(&self, index: u16) -> &'static str {
        std::str::from_utf8(self.text_bytes(index)).unwrap_or_default()
    }

    fn text_bytes(&self, index: u16) -> &'static [u8] {
        let index = usize::from(index);
        let characters = self.text_ends() + self.count(0) * 4;
        let start = if index == 0 {
            0
        } else {
            self.text_end(index - 1)
        };
        self.bytes
            .get(characters + start..characters + self.text_end(index))
            .unwrap_or_default()
    }

    fn find_text(&self, text: &str) -> Option<u16> {
        let index = search(self.count(0), |index| {
            narrow(index).map_or(Ordering::Greater, |i| {
                self.text_bytes(i).cmp(text.as_bytes())
            })
        })?;
        narrow(index)
    }

    fn node_word(&self, node: NodeIndex, word: usize) -> u16 {
        self.word(self.nodes() + usize::from(node.0) * NODE_WORDS + word)
    }

    fn node_reference(&self, node: NodeIndex, word: usize) -> Option<NodeIndex> {
        let reference = self.node_word(node, word);
        (reference != NONE).then_some(NodeIndex(reference))
    }
}

impl NodeIndex {
    /// The schema of a property of the object.
    pub(super) fn property(self, name: &str) -> Option<Self> {
        let count = usize::from(TABLE.node_word(self, 1));
        if count == 0 {
            return None;
        }
        let text = TABLE.find_text(name)?;
        let first = TABLE.fields() + usize::from(TABLE.node_word(self, 0)) * FIELD_WORDS;
        let found = search(count, |index| {
            TABLE.word(first + index * FIELD_WORDS).cmp(&text)
        })?;
        Some(Self(TABLE.word(first + found * FIELD_WORDS + 1)))
    }

    /// The schema of the elements of the list.
    pub(super) fn elements(self) -> Option<Self> {
        TABLE.node_reference(self, 2)
    }

    /// The schema of the values of the map.
    pub(super) fn map_values(self) -> Option<Self> {
        TABLE.node_reference(self, 3)
    }

    /// The patch strategy, as it is written (`merge,retainKeys`).
    pub(super) fn patch_strategy(self) -> Option<&'static str> {
        let text = TABLE.node_word(self, 4);
        (text != NONE).then(|| TABLE.text(text))
    }

    /// The merge keys of the list.
    pub(super) fn merge_keys(self) -> Vec<&'static str> {
        let list = TABLE.node_word(self, 5);
        if list == NONE {
            return Vec::new();
        }
        let first = TABLE.key_lists() + usize::from(list);
        let count = usize::from(TABLE.word(first));
        (1..=count)
            .map(|index| TABLE.text(TABLE.word(first + index)))
            .collect()
    }

    /// The name of the definition that this is; `None` for a schema that stands inside another.
    pub(super) fn definition_name(self) -> Option<&'static str> {
        let index = usize::from(self.0);
        (index < TABLE.count(1)).then(|| TABLE.text(TABLE.word(DEFINITIONS + index)))
    }
}

/// The definition with this name.
pub(super) fn definition(name: &str) -> Option<NodeIndex> {
    let text = TABLE.find_text(name)?;
    let index = search(TABLE.count(1), |index| {
        TABLE.word(DEFINITIONS + index).cmp(&text)
    })?;
    narrow(index).map(NodeIndex)
}

/// What is known of an apiVersion and kind.
pub(super) fn resource(api_version: &str, kind: &str) -> Option<Resource> {
    let wanted = (TABLE.find_text(api_version)?, TABLE.find_text(kind)?);
    let at =
        |index: usize, word: usize| TABLE.word(TABLE.resources() + index * RESOURCE_WORDS + word);
    let index = search(TABLE.count(5), |index| {
        (at(index, 0), at(index, 1)).cmp(&wanted)
    })?;
    let node = at(index, 2);
    let flags = at(index, 3);
    Some(Resource {
        node: (node != NONE).then_some(NodeIndex(node)),
        namespaced: match flags & SCOPE_BITS {
            SCOPE_CLUSTER => Some(false),
            SCOPE_NAMESPACED => Some(true),
            _ => None,
        },
        always_known: flags & ALWAYS_KNOWN != 0,
    })
}

/// Finds the index for which the comparison with what is wanted says equal.
fn search(count: usize, compare: impl Fn(usize) -> Ordering) -> Option<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        match compare(middle) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Some(middle),
        }
    }
    None
}

fn narrow(index: usize) -> Option<u16> {
    u16::try_from(index).ok()
}
