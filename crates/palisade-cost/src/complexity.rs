//! How hard a task looks, and why: a sum of a few plain signals, for a router that has to say why it chose.

use palisade_core::Tokens;

/// The most that all signals together come to.
const SCORE_MAX: u8 = 100;
/// How much of a text is looked at, in bytes. What a task asks for stands at its beginning and at its end.
const LOOKED_AT_MAX: usize = 64 * 1024;

/// What is to be done, as far as it can be told before a model has seen it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Task<'a> {
    /// The last thing that was said.
    pub text: &'a str,
    /// How much there is to read in all, at most.
    pub input: Tokens,
    /// How much may be written.
    pub output_max: Tokens,
    /// How many tools the model may call.
    pub tools: u32,
    /// How often the two sides have spoken before.
    pub turns: u32,
    /// Whether the answer has to be of a given shape.
    pub has_schema: bool,
}

impl<'a> Task<'a> {
    /// A task of one text without tools.
    #[must_use]
    pub fn new(text: &'a str, input: Tokens, output_max: Tokens) -> Self {
        Self {
            text,
            input,
            output_max,
            ..Self::default()
        }
    }

    /// The same with so many tools.
    #[must_use]
    pub const fn with_tools(mut self, tools: u32) -> Self {
        self.tools = tools;
        self
    }

    /// The same after so many turns.
    #[must_use]
    pub const fn with_turns(mut self, turns: u32) -> Self {
        self.turns = turns;
        self
    }

    /// The same with a shape that the answer must have.
    #[must_use]
    pub const fn with_schema(mut self) -> Self {
        self.has_schema = true;
        self
    }
}

/// One thing that makes a task look hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Signal {
    /// There is much to read.
    Input,
    /// Much may be written.
    Output,
    /// There are tools to choose from.
    Tools,
    /// Much was said before.
    Turns,
    /// There is source code in it.
    Code,
    /// It has several steps or questions.
    Steps,
    /// It has numbers and operators to reckon with.
    Numbers,
    /// The answer must have a shape.
    Schema,
}

/// How hard a task looks: 0 to 100, and what each signal adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Complexity {
    /// The sum, at most 100.
    pub score: u8,
    /// What adds to it, and how much.
    pub signals: Vec<(Signal, u8)>,
}

/// Scores a task by what can be counted: no word of any language is looked for, so that all are treated alike.
///
/// ```
/// use palisade_core::Tokens;
/// use palisade_cost::{Task, complexity};
///
/// let easy = Task::new("What time is it in Oslo?", Tokens::new(8), Tokens::new(50));
/// let hard = Task::new(
///     "1. Find the bug:\n```rust\nfn f(x: i32) -> i32 { x + 1 }\n```\n2. Prove it.\n3. Mend it.",
///     Tokens::new(9_000),
///     Tokens::new(4_000),
/// );
/// assert!(complexity(&easy).score < 10);
/// assert!(complexity(&hard.with_tools(6)).score > 60);
/// ```
#[must_use]
pub fn complexity(task: &Task<'_>) -> Complexity {
    let shape = Shape::of(task.text);
    let points = [
        (
            Signal::Input,
            steps(task.input.get(), &[1_000, 4_000, 16_000, 64_000], 6),
        ),
        (
            Signal::Output,
            steps(task.output_max.get(), &[500, 2_000, 8_000], 6),
        ),
        (Signal::Tools, steps(task.tools.into(), &[1, 4, 12], 6)),
        (Signal::Turns, steps(task.turns.into(), &[4, 12, 30], 3)),
        (Signal::Code, steps(shape.code, &[1, 3], 15)),
        (Signal::Steps, steps(shape.steps, &[2, 3, 6], 8)),
        (Signal::Numbers, steps(shape.numbers, &[6, 20], 6)),
        (Signal::Schema, if task.has_schema { 6 } else { 0 }),
    ];
    let signals: Vec<(Signal, u8)> = points
        .into_iter()
        .filter(|(_, points)| *points > 0)
        .collect();
    let score = signals
        .iter()
        .fold(0_u8, |sum, (_, points)| sum.saturating_add(*points))
        .min(SCORE_MAX);
    Complexity { score, signals }
}

/// So many points for each bound that is reached.
fn steps(count: u64, bounds: &[u64], points: u8) -> u8 {
    bounds
        .iter()
        .filter(|bound| count >= **bound)
        .fold(0_u8, |sum, _| sum.saturating_add(points))
}

/// What can be counted in a text.
#[derive(Default)]
struct Shape {
    code: u64,
    steps: u64,
    numbers: u64,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self::default();
        for part in parts(text) {
            let mut last_was_digit = false;
            for byte in part.bytes() {
                let is_digit = byte.is_ascii_digit();
                shape.numbers += u64::from(is_digit && !last_was_digit);
                shape.numbers += u64::from(matches!(byte, b'=' | b'+' | b'*' | b'%' | b'^'));
                shape.steps += u64::from(byte == b'?');
                last_was_digit = is_digit;
            }
            for line in part.lines() {
                shape.code += u64::from(is_code(line));
                shape.steps += u64::from(is_item(line));
            }
        }
        shape
    }
}

/// The beginning and the end of a text, cut between characters.
fn parts(text: &str) -> [&str; 2] {
    if text.len() <= LOOKED_AT_MAX {
        return [text, ""];
    }
    let half = LOOKED_AT_MAX / 2;
    let head = (0..=half)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let tail = (text.len() - half..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len());
    [&text[..head], &text[tail..]]
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("```")
        || line.ends_with([';', '{', '}'])
        || line.starts_with("#include")
        || (line.contains("(") && line.ends_with("):"))
}

/// Whether a line is a point of a list: a bullet, or a number with a point or a bracket.
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    if line.starts_with("- ") || line.starts_with("* ") || line.starts_with("\u{2022}") {
        return true;
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < line.len() && (rest.starts_with(". ") || rest.starts_with(") "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(text: &str) -> u8 {
        complexity(&Task::new(text, Tokens::new(10), Tokens::new(100))).score
    }

    #[test]
    fn the_score_is_the_sum_of_what_it_names() {
        let task = Task::new(
            "- a\n- b\n```\n1+1=2\n```",
            Tokens::new(5_000),
            Tokens::new(600),
        );
        let task = task.with_tools(2).with_turns(5).with_schema();
        let found = complexity(&task);
        let sum: u16 = found
            .signals
            .iter()
            .map(|(_, points)| u16::from(*points))
            .sum();
        assert_eq!(u16::from(found.score), sum);
        assert!(found.signals.iter().all(|(_, points)| *points > 0));
    }

    #[test]
    fn more_of_anything_never_looks_easier() {
        let texts = [
            "hi",
            "hi?",
            "hi? and? why?",
            "hi?\n1. a\n2. b\n3. c",
            "x = 1 + 2 * 3 - 4",
        ];
        for text in texts {
            assert!(
                score(&format!("{text}\n```\nf();\n```")) >= score(text),
                "{text}"
            );
        }
        assert!(score("a?") <= score("a? b? c?"));
    }

    #[test]
    fn the_hardest_task_scores_a_hundred_and_a_huge_one_takes_no_time() {
        let text = "1. f(x) = 1 + 2;\n```\n".repeat(1_000_000);
        let task = Task::new(&text, Tokens::new(u64::MAX), Tokens::new(u64::MAX));
        let found = complexity(&task.with_tools(u32::MAX).with_turns(u32::MAX).with_schema());
        assert_eq!(found.score, SCORE_MAX);
        let cut = "\u{1f511}".repeat(LOOKED_AT_MAX);
        assert!(score(&cut) < 10);
    }
}
