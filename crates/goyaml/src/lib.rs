//! YAML as Go's tools read and write it: go-yaml v3 on the way in, `sigs.k8s.io/yaml` (go-yaml v2) on the way out.

mod base64;
mod error;
mod limits;
mod node;
mod number;
mod read;
mod resolve;
mod timestamp;

pub use error::Error;
pub use limits::Limits;
pub use node::{Data, Node, Position, Style, Tag, Text};
pub use read::{parse, parse_documents};
pub use resolve::{Dialect, Scalar, resolve};
pub use timestamp::Timestamp;
