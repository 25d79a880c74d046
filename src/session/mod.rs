//! Sessions: the token an agent holds, the record stored for its hash, and the keys they are stored under.

mod index;
mod keys;
mod record;
mod token;

pub use index::{IndexMetadata, indexed_session};
pub use keys::{index_key, index_prefix, record_key};
pub use record::{BrokenRecord, GRANT_BYTES_MAX, RECORD_BYTES_MAX, SessionRecord};
pub(crate) use record::{is_label, stored_tags};
pub use token::{SessionHash, SessionToken};
