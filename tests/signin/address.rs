//! EIP-55: addresses from the wire.

use std::collections::BTreeMap;

use agentkeys_edge_broker::signin::address::{NotAnAddress, checksummed, parse};

use crate::support::vectors;

fn eip_55() -> Vec<String> {
    let addresses: BTreeMap<String, Vec<String>> = vectors("eip-55.json");
    let addresses: Vec<String> = addresses.into_values().flatten().collect();
    assert_eq!(addresses.len(), 8);
    addresses
}

#[test]
fn the_vectors_of_eip_55_hold_both_ways() {
    for address in eip_55() {
        let wallet = parse(&address).unwrap();
        assert_eq!(wallet.as_str(), address.to_lowercase());
        assert_eq!(checksummed(&wallet), address);
    }
}

#[test]
fn an_address_of_one_case_has_no_checksum() {
    for address in eip_55() {
        for text in [address.to_lowercase(), format!("0x{}", address[2..].to_uppercase())] {
            assert_eq!(parse(&text).unwrap().as_str(), address.to_lowercase(), "{text}");
        }
    }
}

#[test]
fn every_single_letter_of_the_other_case_is_a_wrong_checksum() {
    let mut flipped = 0;
    for address in eip_55() {
        for (place, letter) in address.char_indices().skip(2).filter(|(_, letter)| letter.is_ascii_alphabetic()) {
            let other = if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() };
            let mut wrong = address.clone();
            wrong.replace_range(place..=place, &other.to_string());
            assert_eq!(parse(&wrong), Err(NotAnAddress::Checksum), "{wrong}");
            flipped += 1;
        }
    }
    assert!(flipped > 80, "{flipped}");
}

#[test]
fn every_single_digit_that_is_another_one_is_a_wrong_checksum_or_another_wallet_s_right_one() {
    let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let wallet = parse(address).unwrap();
    let mut refused = 0;
    for place in 2..42 {
        for digit in "0123456789abcdefABCDEF".chars() {
            let mut changed = address.to_owned();
            changed.replace_range(place..=place, &digit.to_string());
            match parse(&changed) {
                Ok(other) => assert!(changed == address || (other != wallet && checksummed(&other) == changed), "{changed}"),
                Err(error) => {
                    assert_eq!(error, NotAnAddress::Checksum);
                    refused += 1;
                }
            }
        }
    }
    // 840 changes; EIP-55 lets about one in four thousand through.
    assert!(refused > 830, "{refused}");
}

#[test]
fn another_form_is_not_an_address() {
    let good = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    for text in [
        "",
        "0x",
        &good[2..],
        &good[..41],
        &format!("{good}0"),
        &format!("0X{}", &good[2..]),
        &format!(" {good}"),
        &format!("{good}\n"),
        &good.replace('5', "g"),
        &good.replace('5', "é"),
        &good.replacen("5a", "é", 1),
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea/*",
        "vitalik.eth",
        &"0x".repeat(500_000),
    ] {
        assert_eq!(parse(text), Err(NotAnAddress::Form), "{}", &text[..text.len().min(60)]);
    }
}
