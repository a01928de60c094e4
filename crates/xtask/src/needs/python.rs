//! A Python that has the official client libraries of two providers.
//!
//! The gateway promises that these clients work against it unchanged. Only the clients themselves can say so.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{Need, install};
use crate::shell;

/// The interpreter with the client libraries.
pub(super) const CLIENTS: Need = Need {
    name: "a Python 3 that can import `openai` and `anthropic`",
    variable: "PALISADE_PYTHON",
    accept,
    provide,
    // Nothing of it runs.
    stop: |_| Ok(()),
    remove,
};

/// Pinned: a new release of a client must not turn an unchanged commit red.
const PACKAGES: &[(&str, &str)] = &[("openai", "3.52.0"), ("anthropic", "2.11.0")];

fn accept(python: &str) -> Result<()> {
    let imports = "import openai, anthropic";
    if shell::output(Command::new(python).args(["-c", imports])).is_none() {
        bail!("`{python} -c '{imports}'` fails");
    }
    Ok(())
}

fn provide(folder: PathBuf) -> Result<String> {
    let python = interpreter_in(&folder);
    if !has_pinned_packages(&python) {
        let system = system_python()?;
        // A half-made environment of an interrupted run is replaced, not mended.
        shell::run(
            Command::new(system)
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        let packages = PACKAGES
            .iter()
            .map(|(name, version)| format!("{name}=={version}"));
        shell::run(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--no-input"])
                .arg("--disable-pip-version-check")
                .args(packages),
        )?;
    }
    let python = python.to_str().context("the target folder is not UTF-8")?;
    Ok(python.to_owned())
}

fn remove(folder: PathBuf) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

fn interpreter_in(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts/python.exe")
    } else {
        folder.join("bin/python")
    }
}

fn has_pinned_packages(python: &Path) -> bool {
    const ASK: &str = "import sys, importlib.metadata as m\n\
                       for name in sys.argv[1:]: print(name, m.version(name))";
    let names = PACKAGES.iter().map(|(name, _)| name);
    let expected: String = PACKAGES
        .iter()
        .map(|(name, version)| format!("{name} {version}\n"))
        .collect();
    let found = shell::output(Command::new(python).args(["-c", ASK]).args(names));
    found.is_some_and(|found| found.replace('\r', "") == expected)
}

/// A Python that can make environments. Debian ships that ability apart from the interpreter.
fn system_python() -> Result<&'static str> {
    if let Some(python) = python_with_venv() {
        return Ok(python);
    }
    install(&["python3", "python3-venv"], &["python"])?;
    python_with_venv().context("python3 cannot make virtual environments even after installing it")
}

fn python_with_venv() -> Option<&'static str> {
    ["python3", "python"].into_iter().find(|python| {
        let able = "import sys, venv, ensurepip; assert sys.version_info >= (3, 9)";
        shell::output(Command::new(python).args(["-c", able])).is_some()
    })
}
