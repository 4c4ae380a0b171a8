//! YAML as Go's tools read and write it: go-yaml v3 on the way in, `sigs.k8s.io/yaml` (go-yaml v2) on the way out.

mod altered;
mod analysis;
mod base64;
mod emit;
mod encode;
mod error;
mod fold;
mod json;
mod key_order;
mod limits;
mod node;
mod number;
mod protect;
mod read;
mod reencode;
mod resolve;
mod scalar_writer;
mod substitute;
mod text_place;
mod timestamp;
mod to_value;
mod value;

pub use altered::Alteration;
pub use emit::{TOO_LONG, emit, emit_canonical, emit_canonical_within};
pub use encode::encode;
pub use error::Error;
pub use limits::Limits;
pub use node::{Comments, Data, Node, Position, Style, Tag, Text, push_entry};
pub use read::{
    find_control, is_one_document, parse, parse_documents, parse_documents_with_comments,
    parse_with_comments,
};
pub use resolve::{Dialect, Scalar, implicit_tag, resolve, word_1_1};
pub use text_place::TextPlace;
pub use timestamp::Timestamp;
pub use value::Value;
