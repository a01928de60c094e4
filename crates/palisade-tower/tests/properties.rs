//! Any text, with secrets in it, cut anywhere.

#![cfg(feature = "full")]

mod common;

use common::{
    Reply, anthropic_stream,
    house::scanner,
    now, openai_stream, read,
    redact::{CARD, KEY, MAIL, answer, clean, refs},
    text_of,
};
use proptest::prelude::*;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Zé😀\"\\\\\n.,]{0,8}",
        1 => Just(KEY.to_owned()),
        1 => Just(MAIL.to_owned()),
        1 => Just(CARD.to_owned()),
        1 => Just("AKIAIOSFODNN7EXAMPLQ".to_owned()),
    ]
}

fn cut(bytes: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| bytes[pair[0]..pair[1]].to_vec())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_stream_says_what_the_whole_text_would_say(
        words in prop::collection::vec(word(), 0..8),
        deltas in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        chunks in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        anthropic in any::<bool>(),
    ) {
        let text = words.join(" ");
        let characters: Vec<char> = text.chars().collect();
        let mut places: Vec<usize> = deltas.iter().map(|cut| cut.index(characters.len() + 1)).collect();
        places.extend([0, characters.len()]);
        places.sort_unstable();
        let deltas: Vec<String> = places.windows(2).map(|pair| characters[pair[0]..pair[1]].iter().collect()).collect();
        let deltas = refs(&deltas);
        let stream = if anthropic { anthropic_stream(&deltas) } else { openai_stream(&deltas) }.concat();
        let cleaned = clean(Reply::events(cut(stream.as_bytes(), &chunks)));
        prop_assert_eq!(text_of(cleaned.as_bytes()), scanner().redact(&text));
    }

    #[test]
    fn no_bytes_break_the_judge_and_cut_or_whole_they_come_out_alike(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(b':')], 0..120),
        prefix in prop_oneof![Just(""), Just("data: "), Just("data: {\"choices\":[{\"delta\":{\"content\":\"a\"")],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let stream = [prefix.as_bytes(), &bytes].concat();
        let play = |pieces: Vec<Vec<u8>>| now(read(answer(Reply::events(pieces)).unwrap().into_body())).0;
        // Behind CR CR, an LF may be an end of its own or a half of one: an empty line more or less.
        let lines = |stream: Vec<u8>| {
            let stream = String::from_utf8_lossy(&stream).replace("\r\n", "\n").replace('\r', "\n");
            stream.split('\n').filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        prop_assert_eq!(lines(play(cut(&stream, &cuts))), lines(play(vec![stream.clone()])));
    }
}
