//! The text forms of bytes: base64url without padding (RFC 4648 §5) and lower-case hex.

use base64ct::{Base64UrlUnpadded, Encoding};

/// Base64url without padding.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// The bytes of a base64url text without padding; `None` where it is not one, or not the canonical one.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// Two lower-case hex digits a byte.
#[must_use]
pub fn lower_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_lower_case_and_two_digits_a_byte() {
        assert_eq!(lower_hex(&[0x00, 0x0f, 0xf0, 0xab]), "000ff0ab");
    }

    #[test]
    fn base64url_is_strict() {
        assert_eq!(from_base64url("AQAB"), Some(vec![1, 0, 1]));
        for refused in ["AQAB=", "AQ+B", "AQ/B", "A", "AR", " AQAB", "AQ\nAB"] {
            assert_eq!(from_base64url(refused), None, "{refused:?}");
        }
    }
}
