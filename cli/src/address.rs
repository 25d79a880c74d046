//! A wallet on the command line: an Ethereum address, its EIP-55 checksum checked where the case is mixed.
//!
//! Records have one form only, lower case. What people copy from wallets and explorers is mixed, and the mix is a checksum:
//! a typing error shows before a session is issued to nobody.

pub(crate) use agentkeys_edge_broker::signin::address::checksummed;

use agentkeys_edge_broker::signin::address;
use agentkeys_edge_broker::wallet::Wallet;

use crate::error::Error;

/// The wallet of an address in lower case, in upper case, or in EIP-55 form.
pub(crate) fn wallet(text: &str) -> Result<Wallet, Error> {
    address::parse(text).map_err(|rule| Error::input(format!("the wallet {rule}")))
}

/// The same, for the command line's parser.
pub(crate) fn wallet_argument(text: &str) -> Result<Wallet, String> {
    wallet(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test cases of EIP-55: all caps, all lower, and normal.
    const VECTORS: [&str; 8] = [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn the_vectors_of_eip_55_hold() {
        for vector in VECTORS {
            let wallet = wallet(vector).unwrap();
            assert_eq!(wallet.as_str(), vector.to_lowercase());
            assert_eq!(checksummed(&wallet), vector);
        }
    }

    #[test]
    fn one_case_alone_needs_no_checksum() {
        for vector in VECTORS {
            let upper = format!("0x{}", vector.trim_start_matches("0x").to_uppercase());
            for text in [vector.to_lowercase(), upper] {
                assert_eq!(wallet(&text).unwrap().as_str(), vector.to_lowercase(), "{text}");
            }
        }
    }

    #[test]
    fn a_single_letter_of_the_wrong_case_is_a_wrong_checksum() {
        let right = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        for (place, letter) in right.char_indices().skip(2).filter(|(_, letter)| letter.is_ascii_alphabetic()) {
            let flipped = if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() };
            let mut wrong = right.to_owned();
            wrong.replace_range(place..=place, &flipped.to_string());
            let error = wallet(&wrong).unwrap_err();
            assert!(error.to_string().contains("checksum"), "{wrong}: {error}");
            assert_eq!(error.code(), 64);
        }
        assert!(wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee").unwrap_err().to_string().contains("checksum"), "another digit");
    }

    #[test]
    fn anything_else_is_no_wallet() {
        for text in [
            "",
            "0x",
            "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaedd",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg",
            " 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea/*",
            "wallet.eth",
        ] {
            let error = wallet(text).unwrap_err();
            assert!(error.to_string().contains("40 hex digits"), "{text:?}");
            assert_eq!(error.code(), 64);
        }
    }
}
