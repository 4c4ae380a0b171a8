//! The way in: bytes become nodes exactly where go-yaml v3 accepts them, and the same nodes. Documents of the usual kind
//! go the quick way; all others, and all that is an error, go through scanner and composer.

mod anchors;
mod block_scalar;
mod comment_queue;
mod comments;
mod compose;
mod cursor;
mod documents;
mod flow;
mod flow_scalar;
mod frame;
mod keys;
mod merge_key;
mod plain;
mod properties;
mod quick;
mod reader;
mod scanner;
mod tags;
mod token;

#[cfg(test)]
mod tests;

pub use documents::{
    is_one_document, parse, parse_documents, parse_documents_with_comments, parse_with_comments,
};
pub use reader::find_control;
