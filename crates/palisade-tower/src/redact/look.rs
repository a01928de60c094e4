//! A look at the texts of a document without making anything of it: in most documents there is nothing to take out.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::slots::{self, Holds};

/// Whether `document` is JSON in which every text that [`slots::of_whole`] would find is clean.
///
/// Says no to what it cannot tell: to what is no JSON, to JSON that the model has written as a part of the document, and at
/// the first text that is not clean.
pub(super) fn is_clean(document: &str, judge: &dyn Fn(&str) -> bool) -> bool {
    let mut json = serde_json::Deserializer::from_str(document);
    let look = Look {
        judge,
        holds: Holds::Text,
    };
    look.deserialize(&mut json).is_ok() && json.end().is_ok()
}

/// Looks at a value.
#[derive(Clone, Copy)]
struct Look<'j> {
    judge: &'j dyn Fn(&str) -> bool,
    holds: Holds,
}

impl Look<'_> {
    const fn below(self) -> Self {
        Self {
            holds: Holds::Text,
            ..self
        }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.holds == Holds::Name || (self.judge)(text) {
            Ok(())
        } else {
            Err(E::custom("not clean"))
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.below())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(holds) = members.next_key_seed(NameOf)? {
            if self.holds == Holds::Structure {
                return Err(A::Error::custom("judged as one text"));
            }
            members.next_value_seed(Self { holds, ..self })?;
        }
        Ok(())
    }
}

/// Reads the name of a member, and what it says of its value.
struct NameOf;

impl<'de> DeserializeSeed<'de> for NameOf {
    type Value = Holds;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Holds, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameOf {
    type Value = Holds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Holds, E> {
        Ok(slots::holds(name))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn looked_at(document: &str) -> (bool, Vec<String>) {
        let texts = RefCell::new(Vec::new());
        let is_clean = is_clean(document, &|text| {
            texts.borrow_mut().push(text.to_owned());
            text != "secret"
        });
        (is_clean, texts.into_inner())
    }

    #[test]
    fn the_texts_that_are_looked_at_are_those_that_would_be_judged() {
        for document in [
            r#"{"id":"1","content":[{"type":"text","text":"t\n"},"u",{"input":{}}],"arguments":"{\"v\":1}"}"#,
            r#"[{"id":["a"],"role":{"id":"b","input":"c","args":[{"args":"d"}]},"n":[1,-1,1.5,true,null]}]"#,
            r#""t""#,
        ] {
            let mut judged = Vec::new();
            let mut value = serde_json::from_str(document).unwrap();
            slots::of_whole(&mut value, &mut |found| match found {
                slots::Found::Text(text) | slots::Found::Json(text) => judged.push(text.clone()),
                slots::Found::Structure(value) => panic!("{value}"),
            });
            assert_eq!(looked_at(document), (true, judged), "{document}");
        }
    }

    #[test]
    fn what_is_not_clean_or_cannot_be_told_is_not_called_clean() {
        for document in [
            r#"{"a":["secret"]}"#,
            r#"{"a":"secret","a":"x"}"#,
            r#"{"input":{"a":1}}"#,
            r#"{"a":"x"} x"#,
            r#"{"a":"\ud83d"}"#,
            "{",
            "",
        ] {
            assert!(!looked_at(document).0, "{document}");
        }
        assert!(!is_clean(&"[".repeat(1_000), &|_| true));
    }
}
