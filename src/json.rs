//! JSON read as it is meant: an object is an object, a member is there once, and `null` is not absent.
//!
//! Whatever comes in as JSON is read here, by `serde_json`'s parser into one small tree. A derived reader for each record
//! would be kilobytes of wasm, and the errors that it words for nobody would bring the formatting of floating-point numbers
//! with them; it also reads a struct from an array of its members, and `null` as an absent one.

use core::fmt;
use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value, as far as anybody here can use it. A text that has no escapes in it stays where it was read from.
pub(crate) enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number, 0 or more, written without fraction and exponent.
    WholeNumber(u64),
    /// `true` or `false`.
    Bool,
    /// An array.
    List(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
    /// `null`, any other number, and an array or object that stands too deep to be read.
    Other,
}

/// An object whose members are taken out one by one. What is left over at the end was not known.
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Value<'a> {
    /// Reads a JSON text: a value, and the lists and objects of two levels.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        Levels(2).read(text)
    }

    /// A text.
    pub(crate) fn text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text.into_owned()) } else { None }
    }

    /// A whole number.
    pub(crate) fn whole_number(self) -> Option<u64> {
        if let Self::WholeNumber(number) = self { Some(number) } else { None }
    }

    /// `true` or `false`, whichever.
    pub(crate) fn bool(self) -> Option<()> {
        matches!(self, Self::Bool).then_some(())
    }

    /// An array, each of whose items is read so.
    pub(crate) fn list<T>(self, item: impl Fn(Self) -> Option<T>) -> Option<Vec<T>> {
        if let Self::List(items) = self { items.into_iter().map(item).collect() } else { None }
    }

    /// An array of texts of one kind.
    pub(crate) fn texts<T: TryFrom<String>>(self) -> Option<Vec<T>> {
        self.list(|item| item.text()?.try_into().ok())
    }

    /// An object.
    pub(crate) fn object(self) -> Option<Object<'a>> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }
}

impl<'a> Object<'a> {
    /// Reads a JSON text; `None` if it is not one object. Its members are texts and whole numbers: what stands in lists and
    /// objects is skipped.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        Levels(1).read(text)?.object()
    }

    /// Reads a JSON text; `None` if it is not one object. Its members may be lists and objects of texts and whole numbers.
    pub(crate) fn parse_nested(text: &'a [u8]) -> Option<Self> {
        Levels(2).read(text)?.object()
    }

    /// Takes a member that is a text; `None` if it is absent, there twice, or anything else.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name)?.text()
    }

    /// Takes a member that is a whole number, 0 or more, written without fraction and exponent.
    pub(crate) fn whole_number(&mut self, name: &str) -> Option<u64> {
        self.take(name)?.whole_number()
    }

    /// Takes a member that may be absent and else is a text: `Some(None)` where it is absent.
    #[allow(clippy::option_option, reason = "absent is not wrong")]
    pub(crate) fn optional_text(&mut self, name: &str) -> Option<Option<String>> {
        self.optional(name, Value::text)
    }

    /// Takes a member that may be absent and else is read so: `Some(None)` where it is absent.
    #[allow(clippy::option_option, reason = "absent is not wrong")]
    pub(crate) fn optional<T>(&mut self, name: &str, read: impl FnOnce(Value<'a>) -> Option<T>) -> Option<Option<T>> {
        if self.members.iter().any(|(known, _)| known == name) { read(self.take(name)?).map(Some) } else { Some(None) }
    }

    /// Whether every member has been taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members that have not been taken, in the order they were written where none has.
    pub(crate) fn into_members(self) -> Vec<(Cow<'a, str>, Value<'a>)> {
        self.members
    }

    /// A member that is there once.
    fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let place = self.members.iter().position(|(known, _)| known == name)?;
        let (_, value) = self.members.swap_remove(place);
        let is_repeated = self.members.iter().any(|(known, _)| known == name);
        (!is_repeated).then_some(value)
    }
}

/// The reader: of how many levels the lists and objects are read. Deeper ones are skipped, without end and without recursion.
#[derive(Clone, Copy)]
struct Levels(u8);

impl Levels {
    /// One value, and nothing after it.
    fn read(self, text: &[u8]) -> Option<Value<'_>> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        let value = self.deserialize(&mut reader).ok()?;
        reader.end().ok().map(|()| value)
    }

    fn below(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl<'de> DeserializeSeed<'de> for Levels {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Every kind of value is taken, so that `serde_json` never has to say what it found instead.
impl<'de> Visitor<'de> for Levels {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::WholeNumber(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool)
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let Some(below) = self.below() else {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Other);
        };
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let Some(below) = self.below() else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Other);
        };
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry_seed(below, below)? {
            // The name of a member is a text.
            if let Value::Text(name) = name {
                members.push((name, value));
            }
        }
        Ok(Value::Object(Object { members }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_of_one_object_are_read_and_nothing_else() {
        for good in ["{}", " \r\n\t{\"a\":1} \n", r#"{"a":{"b":[1,null,{}]},"a":-1,"b":1.5,"c":true}"#] {
            assert!(Object::parse(good.as_bytes()).is_some(), "{good}");
            assert!(Object::parse_nested(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["", "null", "[]", r#"["a"]"#, "1", "{", "{}{}", "{} x", r#"{"a":1,}"#, "{a:1}", "{1:1}", "\u{feff}{}", r#"{"a":01}"#] {
            assert!(Object::parse(bad.as_bytes()).is_none(), "{bad}");
            assert!(Object::parse_nested(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_none());
    }

    #[test]
    fn what_stands_too_deep_is_skipped_however_deep_it_is() {
        let nested = |open: &str, close: &str| format!(r#"{{"a":{}0{},"b":1}}"#, open.repeat(100_000), close.repeat(100_000));
        for text in [nested("[", "]"), nested(r#"{"a":"#, "}")] {
            let read = [Object::parse(text.as_bytes()), Object::parse_nested(text.as_bytes())];
            for mut object in read.map(|object| object.unwrap()) {
                assert_eq!(object.whole_number("b"), Some(1));
            }
        }
        assert!(Object::parse(format!(r#"{{"a":{}"#, "[".repeat(100_000)).as_bytes()).is_none());
        assert!(Value::parse("[".repeat(100_000).as_bytes()).is_none());
    }

    #[test]
    fn a_member_is_taken_once_and_by_its_type() {
        let read = || {
            Object::parse(br#"{"a":"x","n":7,"twice":1,"twice":1,"null":null,"f":1.0,"e":1e0,"neg":-1,"o":{},"l":["x"],"t":true}"#).unwrap()
        };
        let mut object = read();
        assert_eq!(object.text("a"), Some("x".to_owned()));
        assert_eq!(object.text("a"), None);
        assert_eq!(object.whole_number("n"), Some(7));
        for other in ["twice", "null", "f", "e", "neg", "o", "l", "t", "absent"] {
            assert_eq!((read().text(other), read().whole_number(other)), (None, None), "{other}");
        }
        assert_eq!((read().text("n"), read().whole_number("a")), (None, None));
        assert_eq!(read().optional_text("absent"), Some(None));
        assert_eq!(read().optional_text("a"), Some(Some("x".to_owned())));
        assert_eq!((read().optional_text("null"), read().optional_text("twice")), (None, None));
        assert_eq!((read().optional("t", Value::bool), read().optional("n", Value::bool)), (Some(Some(())), None));
    }

    #[test]
    fn a_name_and_a_text_are_what_their_escapes_say() {
        let mut object = Object::parse(br#"{"\u0061\/":"\u00e9\n\ud83d\ude00"}"#).unwrap();
        assert_eq!(object.text("a/").as_deref(), Some("é\n😀"));
        let mut object = Object::parse(br#"{"a":1,"\u0061":1}"#).unwrap();
        assert_eq!(object.whole_number("a"), None, "the same name, however it is written");
    }

    #[test]
    fn lists_and_objects_of_two_levels_are_read_by_their_type() {
        let read =
            || Object::parse_nested(br#"{"l":["x","y"],"o":{"b":1,"a":"x","b":2},"deep":[["x"]],"mixed":["x",1],"n":null}"#).unwrap();
        assert_eq!(read().optional("l", Value::texts::<String>), Some(Some(vec!["x".to_owned(), "y".to_owned()])));
        let names = |object: Object<'_>| object.into_members().into_iter().map(|(name, _)| name.into_owned()).collect::<Vec<_>>();
        assert_eq!(read().optional("o", |value| value.object().map(names)), Some(Some(vec!["b".into(), "a".into(), "b".into()])));
        assert_eq!(read().optional("absent", Value::texts::<String>), Some(None));
        for other in ["o", "deep", "mixed", "n"] {
            assert_eq!(read().optional(other, Value::texts::<String>), None, "{other}");
        }
        for other in ["l", "deep", "mixed", "n"] {
            assert!(read().optional(other, Value::object).is_none(), "{other}");
        }
    }

    #[test]
    fn what_was_not_taken_is_left_over() {
        let mut object = Object::parse(br#"{"a":"x","b":1}"#).unwrap();
        assert!(!object.is_empty());
        object.text("a");
        assert!(!object.is_empty());
        object.whole_number("b");
        assert!(object.is_empty());
    }
}
