//! Sessions: the token an agent holds, the record stored for its hash, and the keys they are stored under.

mod keys;
mod record;
mod token;

pub use keys::{index_key, index_prefix, record_key};
pub use record::{BrokenRecord, GRANT_BYTES_MAX, RECORD_BYTES_MAX, SessionRecord};
pub use token::{SessionHash, SessionToken};
