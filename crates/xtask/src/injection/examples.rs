//! From rows to what a head learns from.

use palisade_core::{Channel, Finding, Text};
use palisade_injection::{
    Detector, Ensemble, Rules,
    training::{Sample, lift, score_at},
};

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
    /// What the rules say at each window, as it is added to a margin; empty if they say nothing anywhere.
    pub(super) rules: Vec<f32>,
}

/// What the head for users learns from: everything but attacks from inside documents.
pub(super) fn for_users(rows: &[Row]) -> Vec<Example> {
    let wanted =
        |row: &&Row| row.kind != "indirect" && row.channel.is_none_or(|c| c == Channel::User);
    let rows = rows.iter().filter(wanted);
    let rules = Ensemble::new().with_scorer(Rules::standard());
    rows.map(|row| example(row, Channel::User, &rules))
        .collect()
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
    let rules = Ensemble::new().with_scorer(Rules::standard());
    rows.map(|row| example(row, Channel::Document, &rules))
        .collect()
}

/// Prompts that developers write for assistants: full of the words of attacks, and rare among the rows.
const PROMPTS: [&str; 2] = ["LouisShark/chatgpt_system_prompt", "own:made:system"];

/// Sources whose honest rows are documents, whatever their kind.
pub(super) fn is_document(source: &str) -> bool {
    [
        "repo-docs",
        "security-docs",
        "dair-ai",
        "code",
        "openai/grade-school-math",
        "f/awesome-chatgpt-prompts:book",
        "PolyAI-LDN",
    ]
    .iter()
    .any(|prefix| source.starts_with(prefix))
}

fn example(row: &Row, channel: Channel, rules: &impl Detector) -> Example {
    let sample = Sample::new(Text::new(channel, &row.text));
    let core = row.core.as_deref().filter(|_| row.attack);
    let place = core.and_then(|core| row.text.find(core).map(|start| start..start + core.len()));
    // The windows that are little else than the attack: a carrier's words must not be learned as those of an attack.
    let fits = sample.windows.iter().map(|window| {
        place.as_ref().map_or(1.0, |place| {
            let (start, end) = (window.source.start, window.source.end);
            let shared = end.min(place.end).saturating_sub(start.max(place.start));
            let both = end.max(place.end) - start.min(place.start);
            shared as f32 / both.max(1) as f32
        })
    });
    let fits: Vec<f32> = fits.collect();
    let best = fits.iter().copied().fold(0.0, f32::max);
    let windows = fits
        .iter()
        .enumerate()
        .filter(|(_, fit)| **fit >= 0.8 * best);
    let windows: Vec<u32> = windows.map(|(index, _)| index as u32).collect();
    let found = rules.detect(Text::new(channel, &row.text)).findings;
    let said = |findings: &[Finding]| {
        let windows = sample.windows.iter();
        windows
            .map(|window| lift(score_at(findings, window.source)))
            .collect()
    };
    let rules = if found.is_empty() {
        Vec::new()
    } else {
        said(&found)
    };
    Example {
        sample,
        attack: row.attack,
        source: row.source.clone(),
        kind: row.kind.clone(),
        windows,
        weight: if PROMPTS.contains(&&*row.source) {
            3.0
        } else {
            1.0
        },
        rules,
    }
}
