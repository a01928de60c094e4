//! How well palisade-redaction finds what it should on labelled texts, and how much it finds in ordinary ones.
//!
//! The texts are given by path: labelled sets hold values in the shape of live secrets and do not belong here. The
//! measuring is an example of the crate, built for speed, so that this program need not be built with it.

use std::{env, path::PathBuf};

use anyhow::{Result, bail};

use crate::{shell, workspace};

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Some((path, trees)) = arguments.split_first() else {
        bail!("say where the labelled texts are: cargo xtask eval-redaction PATH [TREE…]");
    };
    let mut evaluate = shell::cargo();
    evaluate
        .current_dir(workspace::root())
        .args([
            "run",
            "--quiet",
            "--release",
            "-p",
            "palisade-redaction",
            "--example",
            "evaluate",
            "--",
        ])
        .arg(absolute(path)?);
    for tree in trees {
        evaluate.arg(absolute(tree)?);
    }
    // Without a tree: the sources of the crates this workspace is built from.
    if trees.is_empty()
        && let Some(sources) = registry_sources()
    {
        evaluate.arg(sources);
    }
    shell::run(&mut evaluate)
}

fn absolute(path: &str) -> Result<PathBuf> {
    Ok(std::path::absolute(path)?)
}

fn registry_sources() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    let sources = home.join("registry/src");
    sources.is_dir().then_some(sources)
}
