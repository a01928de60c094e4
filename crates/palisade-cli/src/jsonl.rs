//! JSON lines in, JSON lines out.
//!
//! Every line of the input has one line in the output, in the same order. A line that is malformed becomes a line with
//! an `error`, is reported on standard error with its number, and does not stop the rest.

use std::io::{self, Read, Write};

use anyhow::{Context, Result};
use palisade::core::Channel;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{
    lines::{LINE_BYTES_MAX, Line, Lines},
    output::Output,
    parallel,
    tally::Tally,
};

/// A text to look at. Other fields are not looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Record<'a> {
    /// Given back as it came.
    #[serde(borrow, default, deserialize_with = "as_it_came")]
    pub(crate) id: Option<&'a RawValue>,
    /// The text.
    #[serde(borrow)]
    pub(crate) text: std::borrow::Cow<'a, str>,
    /// Where the text comes from.
    #[serde(default)]
    pub(crate) channel: Channel,
}

/// The answer to one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// One JSON document without a line end.
    pub(crate) json: Vec<u8>,
    /// Whether something was found.
    pub(crate) found: bool,
}

impl Answer {
    /// The answer that says `value`.
    ///
    /// # Errors
    ///
    /// If it cannot be written as JSON.
    pub(crate) fn new(value: &impl Serialize, found: bool) -> Result<Self, String> {
        let json = serde_json::to_vec(value).map_err(|error| error.to_string())?;
        Ok(Self { json, found })
    }
}

/// Also `null`: only an id that is not there is none.
fn as_it_came<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// A line that could not be answered, as a line of the output.
#[derive(Serialize)]
struct Malformed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    line: u64,
    error: &'a str,
}

/// Answers every line of `input` with `work`. The error of `work` is a sentence about what is wrong with the line; it must
/// not repeat what the line says.
///
/// # Errors
///
/// If the input cannot be read or the output not be written.
pub(crate) fn answer<R: Read>(
    input: R,
    output: &mut Output,
    work: impl Fn(&str) -> Result<Answer, String> + Sync,
) -> Result<Tally> {
    let mut lines = Lines::new(input);
    let mut tally = Tally::default();
    loop {
        let batch = lines.batch().context("cannot read the input")?;
        if batch.is_empty() {
            break;
        }
        let answers = parallel::map(&batch, |line| answer_one(line, &work));
        for (line, answer) in batch.iter().zip(answers) {
            let Some(answer) = answer else {
                continue;
            };
            write_one(output, &mut tally, line, answer)?;
        }
        // Whoever waits for these answers before sending more gets them.
        output.flush()?;
    }
    Ok(tally)
}

fn answer_one(
    line: &Line,
    work: &impl Fn(&str) -> Result<Answer, String>,
) -> Option<Result<Answer, String>> {
    let Some(bytes) = &line.bytes else {
        return Some(Err(format!(
            "the line is longer than {LINE_BYTES_MAX} bytes"
        )));
    };
    let mut bytes = bytes.as_slice();
    if line.number == 1 {
        bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    }
    let Ok(text) = str::from_utf8(bytes) else {
        return Some(Err("the line is not UTF-8".to_owned()));
    };
    let text = text.trim_ascii();
    match text.as_bytes().first() {
        // An empty line holds no record: most often it is the end of a file written by hand.
        None => None,
        Some(b'{') => Some(work(text)),
        Some(_) => Some(Err("not a JSON object".to_owned())),
    }
}

fn write_one(
    output: &mut Output,
    tally: &mut Tally,
    line: &Line,
    answer: Result<Answer, String>,
) -> Result<()> {
    match answer {
        Ok(answer) => {
            tally.found |= answer.found;
            output.write_all(&answer.json)?;
        }
        Err(error) => {
            tally.failed = true;
            let number = line.number;
            // Nobody to tell is no reason to stop.
            let _ = writeln!(io::stderr(), "palisade: line {number}: {error}");
            let malformed = Malformed {
                id: line.bytes.as_deref().and_then(id_of),
                line: number,
                error: &error,
            };
            serde_json::to_writer(&mut *output, &malformed)?;
        }
    }
    output.write_all(b"\n")?;
    Ok(())
}

/// The id of a line that is an object but not the one that was expected.
fn id_of(bytes: &[u8]) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Identified<'a> {
        #[serde(borrow, default, deserialize_with = "as_it_came")]
        id: Option<&'a RawValue>,
    }
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    serde_json::from_slice::<Identified<'_>>(bytes).ok()?.id
}

/// What is wrong with a record, without what it says: it may hold a secret.
pub(crate) fn sentence(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => {
            "not a record; expected an object with a string `text` and, if you like, `id` and `channel`"
        }
        serde_json::error::Category::Eof => "the JSON ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
    };
    format!("{what} (column {})", error.column())
}
