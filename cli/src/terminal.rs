//! What somebody else wrote, as a terminal may show it.

/// A text with everything escaped that a terminal would act on, that turns or breaks a line, or that cannot be seen.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        let escape: String = character.escape_debug().collect();
        let is_unseen = character.is_control() || escape.starts_with("\\u");
        if is_unseen { shown.push_str(&escape) } else { shown.push(character) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_stays_as_it_is() {
        for text in ["build agent", "Łódź, 東京, 🔑", "a \"quoted\" \\ path", ""] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_acts_turns_breaks_or_hides_is_escaped() {
        for (text, escaped) in [
            ("a\u{1b}[31mb\n", "a\\u{1b}[31mb\\n"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("\u{feff}a", "\\u{feff}a"),
        ] {
            assert_eq!(shown(text), escaped);
        }
    }
}
