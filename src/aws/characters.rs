//! The character sets that AWS names in its patterns.

use unicode_general_category::{GeneralCategory, get_general_category};

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: what a session tag's key and value are made of (AWS: `API_Tag`).
pub(super) fn is_tag_character(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || matches!(character, ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@');
    }
    is_letter_number_or_separator(get_general_category(character))
}

fn is_letter_number_or_separator(category: GeneralCategory) -> bool {
    use GeneralCategory as C;
    matches!(
        category,
        C::UppercaseLetter
            | C::LowercaseLetter
            | C::TitlecaseLetter
            | C::ModifierLetter
            | C::OtherLetter
            | C::DecimalNumber
            | C::LetterNumber
            | C::OtherNumber
            | C::SpaceSeparator
            | C::LineSeparator
            | C::ParagraphSeparator
    )
}

/// `[\w+=,.@-]`: a source identity or a role session name (AWS: `API_AssumeRoleWithWebIdentity`).
pub(super) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

/// Whether a text starts `aws:`, in any case: such names are AWS's own.
pub(super) fn is_reserved(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_characters_are_letters_numbers_separators_and_eight_signs() {
        for good in ['a', 'Z', '0', '_', '.', ':', '/', '=', '+', '-', '@', ' ', 'é', 'ß', '漢', '٣', 'Ⅷ', '½', '\u{a0}', '\u{2028}']
        {
            assert!(is_tag_character(good), "{good:?}");
        }
        for bad in [
            '*', '?', '$', '{', '}', '"', '\'', '\\', ',', ';', '#', '%', '\t', '\n', '\0', '\u{7f}', '\u{301}', '€', '😀', 'Ⓐ', '\u{200b}',
        ] {
            assert!(!is_tag_character(bad), "{bad:?}");
        }
    }

    #[test]
    fn reserved_is_a_prefix_in_any_case() {
        for reserved in ["aws:", "AWS:x", "aWs:PrincipalTag"] {
            assert!(is_reserved(reserved), "{reserved}");
        }
        for free in ["", "aws", "aws-x", "xaws:", "åws:", "awß:"] {
            assert!(!is_reserved(free), "{free}");
        }
    }
}
