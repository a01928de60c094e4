//! Keeps every arrow between our crates pointing down.
//!
//! Rooms that open into one another can no longer be taken alone, and the first sideways dependency looks harmless in
//! review. So the plan of the house is a table here, and an edge that does not go down is refused by name.

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Metadata};

use crate::workspace;

/// The plan: each crate with its floor. `docs/src/architecture.md` says why each stands where it stands.
const PLAN: &[(&str, u8)] = &[
    // Words.
    ("palisade-core", 1),
    // Rooms.
    ("palisade-cost", 2),
    ("palisade-injection", 2),
    ("palisade-quota", 2),
    ("palisade-rate-limit", 2),
    ("palisade-redaction", 2),
    ("palisade-resilience", 2),
    ("palisade-trace", 2),
    // Annexes.
    ("palisade-auth", 2),
    ("palisade-session", 2),
    ("palisade-tools", 2),
    // The corridor, the cellars and the test kit.
    ("palisade-conformance", KIT_FLOOR),
    ("palisade-otel", 3),
    ("palisade-postgres", 3),
    ("palisade-redis", 3),
    ("palisade-sqlite", 3),
    ("palisade-tower", 3),
    // The front door.
    ("palisade", 4),
    // Programs.
    ("palisade-benches", 5),
    ("palisade-cli", 5),
    ("palisade-examples", 5),
    ("palisade-fuzz", 5),
    ("palisade-gateway", 5),
    ("xtask", 5),
];

/// The test kit may be asked by whoever it examines, in tests only.
const KIT: &str = "palisade-conformance";
const KIT_FLOOR: u8 = 3;

/// The lowest floor whose crates the kit examines: words have no backends.
const EXAMINED_FROM: u8 = 2;

/// `cargo xtask floors`: checks this workspace and that of the fuzz targets.
///
/// # Errors
///
/// If an edge does not go down, or a crate is not in the plan.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if let Some(argument) = arguments.first() {
        bail!("`floors` takes no argument, found `{argument}`");
    }
    let mut edges = edges_of(&workspace::members()?);
    let fuzz = workspace::root().join("fuzz/Cargo.toml");
    if fuzz.is_file() {
        edges.extend(edges_of(&workspace::members_of(&fuzz)?));
    }
    let refusals = judge(&edges);
    for refusal in &refusals {
        println!("refused: {refusal}");
    }
    if !refusals.is_empty() {
        bail!(
            "{} dependencies break the plan of the house",
            refusals.len()
        );
    }
    let crates = edges.iter().filter(|edge| edge.to.is_none()).count();
    println!(
        "{crates} crates, {} edges between them, all of them down",
        edges.len() - crates
    );
    Ok(())
}

/// A dependency of one of our crates on another; or on nothing, which only says that the crate exists.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edge {
    from: String,
    to: Option<String>,
    kind: DependencyKind,
}

fn edges_of(metadata: &Metadata) -> Vec<Edge> {
    let mut edges = Vec::new();
    for package in &metadata.packages {
        edges.push(Edge {
            from: package.name.to_string(),
            to: None,
            kind: DependencyKind::Normal,
        });
        // Ours are those that lie in this repository, and any that calls itself ours wherever it lies.
        let ours = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some() || is_ours(&dependency.name));
        edges.extend(ours.map(|dependency| Edge {
            from: package.name.to_string(),
            to: Some(dependency.name.clone()),
            kind: dependency.kind,
        }));
    }
    edges
}

fn is_ours(name: &str) -> bool {
    name == "palisade" || name.starts_with("palisade-")
}

/// One sentence for each edge that is not in the plan.
fn judge(edges: &[Edge]) -> Vec<String> {
    edges.iter().filter_map(refusal).collect()
}

fn refusal(edge: &Edge) -> Option<String> {
    let from = &edge.from;
    let Some(from_floor) = floor_of(from) else {
        // Said once, by the edge that leads nowhere.
        return edge.to.is_none().then(|| unknown(from));
    };
    let to = edge.to.as_ref()?;
    let Some(to_floor) = floor_of(to) else {
        return Some(format!("{from} depends on a stranger: {}", unknown(to)));
    };
    let examination =
        to == KIT && edge.kind == DependencyKind::Development && from_floor >= EXAMINED_FROM;
    if to_floor < from_floor || (examination && from != KIT) {
        return None;
    }
    let kind = match edge.kind {
        DependencyKind::Development => "dev-dependency",
        DependencyKind::Build => "build-dependency",
        DependencyKind::Normal => "dependency",
        _ => "dependency of an unknown kind",
    };
    let direction = if to_floor == from_floor {
        "sideways"
    } else {
        "up"
    };
    Some(format!(
        "{from} (floor {from_floor}) has a {kind} on {to} (floor {to_floor}), which leads {direction}; \
         move what both need down to palisade-core, or join them in a crate above both"
    ))
}

fn floor_of(name: &str) -> Option<u8> {
    let (_, floor) = PLAN.iter().find(|(known, _)| *known == name)?;
    Some(*floor)
}

fn unknown(name: &str) -> String {
    format!(
        "`{name}` is not in the plan; add it with its floor to PLAN in crates/xtask/src/floors.rs \
         and to docs/src/architecture.md"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORMAL: DependencyKind = DependencyKind::Normal;
    const DEV: DependencyKind = DependencyKind::Development;
    const BUILD: DependencyKind = DependencyKind::Build;

    fn edge(from: &str, to: &str, kind: DependencyKind) -> Edge {
        Edge {
            from: from.to_owned(),
            to: Some(to.to_owned()),
            kind,
        }
    }

    fn refused(from: &str, to: &str, kind: DependencyKind) -> bool {
        !judge(&[edge(from, to, kind)]).is_empty()
    }

    #[test]
    fn an_edge_that_goes_down_is_allowed() {
        for (from, to) in [
            ("palisade-quota", "palisade-core"),
            ("palisade-tower", "palisade-quota"),
            ("palisade-sqlite", "palisade-cost"),
            ("palisade-conformance", "palisade-rate-limit"),
            ("palisade", "palisade-tower"),
            ("palisade", "palisade-core"),
            ("palisade-cli", "palisade"),
            ("palisade-fuzz", "palisade-redaction"),
        ] {
            for kind in [NORMAL, DEV, BUILD] {
                assert!(!refused(from, to, kind), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn an_edge_that_goes_sideways_or_up_is_refused_whatever_its_kind() {
        for (from, to) in [
            ("palisade-quota", "palisade-rate-limit"),
            ("palisade-tools", "palisade-auth"),
            ("palisade-sqlite", "palisade-postgres"),
            ("palisade-sqlite", "palisade-tower"),
            ("palisade-tower", "palisade-redis"),
            ("palisade-quota", "palisade-tower"),
            ("palisade-quota", "palisade-sqlite"),
            ("palisade-core", "palisade-quota"),
            ("palisade-tower", "palisade"),
            ("palisade", "palisade-cli"),
            ("palisade-gateway", "palisade-cli"),
            ("palisade-core", "palisade-core"),
        ] {
            for kind in [NORMAL, DEV, BUILD] {
                assert!(refused(from, to, kind), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn the_kit_may_be_asked_in_tests_and_only_there() {
        for from in ["palisade-quota", "palisade-sqlite", "palisade-tower"] {
            assert!(!refused(from, KIT, DEV), "{from}");
            assert!(refused(from, KIT, NORMAL), "{from}");
            assert!(refused(from, KIT, BUILD), "{from}");
        }
        assert!(refused("palisade-core", KIT, DEV));
        assert!(refused(KIT, KIT, DEV));
    }

    #[test]
    fn a_refusal_names_both_crates_their_floors_and_the_kind() {
        let refusals = judge(&[edge("palisade-quota", "palisade-tower", DEV)]);
        let [refusal] = refusals.as_slice() else {
            panic!("one refusal, not {refusals:?}");
        };
        for part in [
            "palisade-quota (floor 2)",
            "palisade-tower (floor 3)",
            "dev-dependency",
            "up",
        ] {
            assert!(refusal.contains(part), "{part:?} is missing in {refusal:?}");
        }
    }

    #[test]
    fn a_crate_outside_the_plan_is_refused_once_with_what_to_do() {
        let stranger = Edge {
            from: "palisade-attic".to_owned(),
            to: None,
            kind: NORMAL,
        };
        let refusals = judge(&[stranger, edge("palisade-attic", "palisade-core", NORMAL)]);
        assert_eq!(refusals.len(), 1);
        assert!(refusals[0].contains("PLAN"), "{refusals:?}");
        assert!(refused("palisade", "palisade-attic", NORMAL));
    }

    #[test]
    fn every_crate_is_in_the_plan_once() {
        for (index, (name, _)) in PLAN.iter().enumerate() {
            let again = PLAN[index + 1..].iter().any(|(other, _)| other == name);
            assert!(!again, "{name} stands on two floors");
        }
    }

    #[test]
    fn edges_are_read_from_what_cargo_says() {
        let metadata = workspace::members().expect("this workspace can be read");
        let edges = edges_of(&metadata);
        assert!(edges.contains(&edge("xtask", "palisade-core", NORMAL)));
        assert!(!edges.iter().any(|e| e.to.as_deref() == Some("anyhow")));
    }
}
