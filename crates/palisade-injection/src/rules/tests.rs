use palisade_core::Text;

use super::*;
use crate::lexicon::Hit;

fn reading(text: &str) -> Reading<'_> {
    Reading::new(Text::new(Channel::User, text), Normalizer::new())
}

fn seen(rules: &Rules, text: &str) -> Vec<(String, f32)> {
    let score = rules.score(&reading(text));
    score
        .findings
        .iter()
        .map(|finding| (finding.rule.to_string(), finding.confidence))
        .collect()
}

/// For a failing example: what each word was taken for.
fn hits(text: &str) -> Vec<String> {
    let mut hits: Vec<Hit> = Vec::new();
    let folded = Normalizer::new().fold(text);
    lexicon::built_in().scan(folded.text(), &mut hits);
    hits.iter()
        .map(|hit| {
            format!(
                "{}@{}",
                &folded.text()[hit.start as usize..hit.end as usize],
                hit.at
            )
        })
        .collect()
}

#[test]
fn every_rule_finds_its_examples_and_spares_its_counter_examples() {
    let rules = Rules::standard();
    let mut wrong = Vec::new();
    for spec in built_in::specs() {
        assert!(
            !spec.hits.is_empty() && !spec.misses.is_empty(),
            "{} has no examples",
            spec.id
        );
        for text in spec.hits {
            if !seen(&rules, text)
                .iter()
                .any(|(id, weight)| id == spec.id && *weight == spec.weight)
            {
                wrong.push(format!("{} misses {text:?}: {:?}", spec.id, hits(text)));
            }
        }
        for text in spec.misses {
            if seen(&rules, text)
                .iter()
                .any(|(id, weight)| id == spec.id && *weight == spec.weight)
            {
                wrong.push(format!("{} finds {text:?}: {:?}", spec.id, hits(text)));
            }
            let score = rules.score(&reading(text));
            if score.value >= 0.7 {
                wrong.push(format!(
                    "{text:?} scores {}: {:?}",
                    score.value,
                    seen(&rules, text)
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn ids_are_unique_and_every_family_has_rules() {
    let rules = Rules::standard();
    let mut ids: Vec<&str> = rules.ids().collect();
    let count = ids.len();
    assert!(count >= 60, "{count} rules");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for family in Family::ALL {
        assert!(
            built_in::specs().any(|spec| spec.family == family),
            "{family}"
        );
    }
}
