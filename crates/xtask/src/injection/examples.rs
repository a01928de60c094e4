//! From rows to what a head learns from.

use palisade_core::{Channel, Text};
use palisade_injection::training::Sample;

use super::rows::Row;

/// A text with its features.
#[derive(Clone, Debug)]
pub(super) struct Example {
    pub(super) sample: Sample,
    pub(super) attack: bool,
    pub(super) source: String,
    pub(super) kind: String,
    /// The windows that an attack may be in; all of them if nobody knows.
    pub(super) windows: Vec<u32>,
    pub(super) weight: f32,
}

/// What the head for users learns from: everything but attacks from inside documents.
pub(super) fn for_users(rows: &[Row]) -> Vec<Example> {
    let wanted =
        |row: &&Row| row.kind != "indirect" && row.channel.is_none_or(|c| c == Channel::User);
    let rows = rows.iter().filter(wanted);
    rows.map(|row| example(row, Channel::User)).collect()
}

/// What the head for documents and tool results learns from.
///
/// Every attack is one in a document too. A request, which is honest from a user, is none in a document; role play and
/// prompts that people wrote for assistants are neither, and left out.
pub(super) fn for_data(rows: &[Row]) -> Vec<Example> {
    let wanted = |row: &&Row| {
        row.channel.map_or_else(
            || {
                row.attack
                    || row.kind == "benign_doc"
                    || row.kind == "benign_code"
                    || is_document(&row.source)
            },
            |channel| channel != Channel::User,
        )
    };
    let rows = rows.iter().filter(wanted);
    rows.map(|row| example(row, Channel::Document)).collect()
}

/// Sources whose honest rows are documents, whatever their kind.
pub(super) fn is_document(source: &str) -> bool {
    [
        "repo-docs",
        "security-docs",
        "dair-ai",
        "code",
        "openai/grade-school-math",
    ]
    .iter()
    .any(|prefix| source.starts_with(prefix))
}

fn example(row: &Row, channel: Channel) -> Example {
    let sample = Sample::new(Text::new(channel, &row.text));
    let core = row.core.as_deref().filter(|_| row.attack);
    let place = core.and_then(|core| row.text.find(core).map(|start| start..start + core.len()));
    let windows = sample.windows.iter().enumerate().filter(|(_, window)| {
        place.as_ref().is_none_or(|place| {
            let (start, end) = (
                window.source.start.max(place.start),
                window.source.end.min(place.end),
            );
            end.saturating_sub(start) * 2 >= place.len().min(window.source.len())
        })
    });
    let mut windows: Vec<u32> = windows.map(|(index, _)| index as u32).collect();
    if windows.is_empty() {
        windows = (0..sample.windows.len() as u32).collect();
    }
    Example {
        sample,
        attack: row.attack,
        source: row.source.clone(),
        kind: row.kind.clone(),
        windows,
        weight: 1.0,
    }
}
