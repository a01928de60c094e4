//! `palisade redact`.

use std::{
    env, fmt,
    io::{self, Read, Write},
};

use anyhow::{Context, Result};
use palisade::redaction::{HashKey, Kind, Mask, PARTIAL_MAX, Redactor, Scanner};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    args::{MaskName, Redact},
    jsonl::{self, Answer},
    output::Output,
    tally::Tally,
};

/// How much of a stream is taken in at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Where the key of a hashing mask comes from, if tokens of several runs are to be compared.
const HASH_KEY: &str = "PALISADE_HASH_KEY";

/// Copies standard input to standard output without what must not leave.
///
/// # Errors
///
/// If the key is none, the input cannot be read or the output not be written.
pub(crate) fn run(redact: &Redact, output: &mut Output) -> Result<Tally> {
    let everything = !redact.secrets && !redact.pii;
    let scanner = Scanner::builder()
        .with_kind(Kind::Secret, redact.secrets || everything)
        .with_kind(Kind::Pii, redact.pii || everything)
        .with_kind(Kind::Keyword, false)
        .with_kind(Kind::Command, false)
        .with_mask(mask(redact.mask)?)
        .build()?;
    let input = io::stdin().lock();
    if redact.jsonl {
        return jsonl::answer(input, output, |line| answer(&scanner, line));
    }
    stream(input, scanner.redactor(), output)?;
    Ok(Tally::default())
}

/// Piece by piece, whatever the length of the input or of a line.
fn stream(mut input: impl Read, mut redactor: Redactor, output: &mut Output) -> Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut clean = Vec::new();
    loop {
        let count = match input.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("cannot read the input"),
        };
        redactor.push_bytes(&piece[..count], &mut clean);
        output.write_all(&clean)?;
        clean.clear();
        if count < piece.len() {
            // That was all there is for now; whoever looks on should see it.
            output.flush()?;
        }
    }
    redactor.finish_bytes(&mut clean);
    output.write_all(&clean)?;
    Ok(())
}

fn answer(scanner: &Scanner, line: &str) -> Result<Answer, String> {
    let mut record: Fields<'_> =
        serde_json::from_str(line).map_err(|error| jsonl::sentence(&error))?;
    let mut texts = 0;
    // All of them: which of two fields of one name counts is for the next reader to decide.
    for (_, value) in record.0.iter_mut().filter(|(name, _)| name == "text") {
        let Field::Raw(raw) = value else { continue };
        let text: String =
            serde_json::from_str(raw.get()).map_err(|error| jsonl::sentence(&error))?;
        *value = Field::Clean(scanner.redact(&text));
        texts += 1;
    }
    if texts == 0 {
        return Err("not a record; there is no `text`".to_owned());
    }
    Answer::new(&record, false)
}

/// The fields of a record, in the order in which they came.
struct Fields<'a>(Vec<(String, Field<'a>)>);

enum Field<'a> {
    /// As it came.
    Raw(&'a RawValue),
    /// A text that has been cleaned.
    Clean(String),
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Vec<(String, Field<'de>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    fields.push((name, Field::Raw(value)));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(All).map(Fields)
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Raw(raw) => raw.serialize(serializer),
            Self::Clean(text) => text.serialize(serializer),
        }
    }
}

fn mask(name: MaskName) -> Result<Mask> {
    Ok(match name {
        MaskName::Full => Mask::Full,
        MaskName::Partial => Mask::Partial { shown: PARTIAL_MAX },
        MaskName::Hash => Mask::hash(HashKey::new(hash_key()?)),
    })
}

fn hash_key() -> Result<[u8; 32]> {
    let mut key = [0; 32];
    if let Some(text) = env::var_os(HASH_KEY) {
        // The message must not repeat the key.
        let digits = text
            .to_str()
            .and_then(read_key)
            .with_context(|| format!("{HASH_KEY} is not 64 hexadecimal digits"))?;
        key = digits;
    } else {
        getrandom::fill(&mut key).context("cannot make a random key")?;
    }
    Ok(key)
}

fn read_key(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits_and_nothing_else() {
        let key = read_key(&"0aF1".repeat(16)).expect("a key");
        assert_eq!(key[..4], [0x0a, 0xf1, 0x0a, 0xf1]);
        for wrong in [
            "",
            "0a",
            &"0a".repeat(33),
            &"0g".repeat(32),
            &"0".repeat(63),
        ] {
            assert_eq!(read_key(wrong), None, "{wrong}");
        }
    }
}
