//! What came of it, as an exit code.

use std::process::ExitCode;

/// Nothing found.
pub(crate) const CLEAN: u8 = 0;
/// Something found.
pub(crate) const FOUND: u8 = 1;
/// Something could not be looked at.
pub(crate) const FAILED: u8 = 2;

/// What came of the parts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Something was found.
    pub(crate) found: bool,
    /// Something could not be looked at; the rest was.
    pub(crate) failed: bool,
}

impl Tally {
    /// A failure outweighs a finding: "nothing more found" would be a guess.
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self { failed: true, .. } => FAILED,
            Self { found: true, .. } => FOUND,
            Self { .. } => CLEAN,
        })
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.found |= other.found;
        self.failed |= other.failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_a_finding() {
        let mut tally = Tally::default();
        assert_eq!(tally.exit_code(), ExitCode::from(CLEAN));
        tally += Tally {
            found: true,
            failed: false,
        };
        assert_eq!(tally.exit_code(), ExitCode::from(FOUND));
        tally += Tally {
            found: false,
            failed: true,
        };
        assert_eq!(tally.exit_code(), ExitCode::from(FAILED));
    }
}
