//! What the tests need from outside this repository, and how a bare machine gets it.
//!
//! A test that skips itself when a server or a tool is missing is green for years without having run. So nothing here is
//! optional: what a test needs is taken from the environment if it is given there, else found, else installed, and
//! else refused with a sentence that says what to do.

mod postgres;
mod python;
mod redis;

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{shell, workspace};

/// Something outside this repository that tests need.
pub(crate) struct Need {
    /// What it is, for people.
    name: &'static str,
    /// The environment variable that tests read to find it.
    variable: &'static str,
    /// Whether what the variable names will serve; if not, why.
    accept: fn(&str) -> Result<()>,
    /// Finds or makes it, in this folder of its own if it needs one; the answer is what the variable shall say.
    provide: fn(PathBuf) -> Result<String>,
    /// Ends what must not outlive the tests.
    stop: fn(PathBuf) -> Result<()>,
    /// Undoes what `provide` has left in its folder.
    remove: fn(PathBuf) -> Result<()>,
}

/// A server that tests need becomes one more line here.
const NEEDS: &[Need] = &[
    python::CLIENTS,
    postgres::SERVER,
    redis::SERVER,
    redis::NODE,
    redis::CLUSTER,
    redis::SENTINEL,
];

/// `cargo xtask services up|down`: for those who run single tests by hand.
///
/// # Errors
///
/// If a need cannot be met, or what it left cannot be removed.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match arguments {
        [up] if up == "up" => {
            for need in NEEDS {
                let value = meet(need, std::env::var(need.variable).ok())?;
                println!("export {}='{value}'", need.variable);
            }
            Ok(())
        }
        [down] if down == "down" => NEEDS
            .iter()
            .try_for_each(|need| (need.remove)(folder_of(need)?)),
        _ => bail!("say `services up` or `services down`"),
    }
}

/// Every need, met for as long as this lives.
pub(crate) struct Met {
    /// The environment for the tests.
    pub(crate) environment: Vec<(&'static str, String)>,
    ours: Vec<&'static Need>,
}

/// Meets every need.
///
/// # Errors
///
/// If a need cannot be met, with what to do about it.
pub(crate) fn up_all() -> Result<Met> {
    let mut met = Met {
        environment: Vec::new(),
        ours: Vec::new(),
    };
    for need in NEEDS {
        let given = std::env::var(need.variable).ok();
        if given.is_none() {
            met.ours.push(need);
        }
        met.environment.push((need.variable, meet(need, given)?));
    }
    Ok(met)
}

impl Drop for Met {
    fn drop(&mut self) {
        for need in &self.ours {
            let stopped = folder_of(need).and_then(need.stop);
            if let Err(error) = stopped {
                println!("cannot stop {}: {error:#}", need.name);
            }
        }
    }
}

fn meet(need: &Need, given: Option<String>) -> Result<String> {
    if let Some(given) = given {
        // Not replaced by one of ours: whoever names one wants to see that one tested.
        (need.accept)(&given)
            .with_context(|| format!("{} names `{given}`, which will not serve", need.variable))?;
        return Ok(given);
    }
    let found = (need.provide)(folder_of(need)?).with_context(|| {
        format!(
            "the tests need {}; set {} or install it",
            need.name, need.variable
        )
    })?;
    (need.accept)(&found)?;
    Ok(found)
}

fn folder_of(need: &Need) -> Result<PathBuf> {
    let name = need.variable.to_ascii_lowercase().replace('_', "-");
    Ok(workspace::target()?.join("needs").join(name))
}

/// Installs packages of the system, if this machine lets us.
///
/// # Errors
///
/// If there is no way to install them from here, or if it fails.
fn install(apt: &[&str], brew: &[&str]) -> Result<()> {
    if shell::which("apt-get").is_some() {
        let apt_get = || -> Result<Command> {
            if is_root() {
                return Ok(Command::new("apt-get"));
            }
            if shell::which("sudo").is_none() {
                bail!("run `apt-get install {}` as root", apt.join(" "));
            }
            let mut sudo = Command::new("sudo");
            // Never asks: nobody may be sitting there.
            sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            Ok(sudo)
        };
        shell::run(apt_get()?.args(["update", "-qq"]))?;
        return shell::run(
            apt_get()?
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["install", "-qq", "-y", "--no-install-recommends"])
                .args(apt),
        );
    }
    if shell::which("brew").is_some() {
        return shell::run(Command::new("brew").arg("install").args(brew));
    }
    bail!(
        "neither apt-get nor brew is here; install what Debian calls {}",
        apt.join(", ")
    )
}

fn is_root() -> bool {
    shell::output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: Need = Need {
        name: "a thing",
        variable: "PALISADE_THING",
        accept: |value| match value {
            "good" | "made" => Ok(()),
            _ => bail!("it is broken"),
        },
        provide: |_| Ok("made".to_owned()),
        stop: |_| Ok(()),
        remove: |_| Ok(()),
    };

    #[test]
    fn what_the_environment_names_is_taken() {
        let met = meet(&NEED, Some("good".to_owned())).expect("it serves");
        assert_eq!(met, "good");
    }

    #[test]
    fn what_the_environment_names_is_refused_rather_than_replaced_if_it_will_not_serve() {
        let error = meet(&NEED, Some("bad".to_owned())).expect_err("it is broken");
        let text = format!("{error:#}");
        assert!(
            text.contains("PALISADE_THING") && text.contains("it is broken"),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_given_is_provided() {
        assert_eq!(meet(&NEED, None).expect("it can be made"), "made");
    }

    #[test]
    fn what_cannot_be_provided_is_a_failure_that_says_what_to_do() {
        let need = Need {
            provide: |_| bail!("no network"),
            ..NEED
        };
        let text = format!("{:#}", meet(&need, None).expect_err("it cannot be made"));
        for part in ["a thing", "PALISADE_THING", "no network"] {
            assert!(text.contains(part), "{part:?} is missing in {text:?}");
        }
    }
}
