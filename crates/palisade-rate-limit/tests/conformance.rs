//! The rules that every backend keeps, kept by the one in memory.

use palisade_conformance::rate_limit::Setup;
use palisade_core::ManualClock;
use palisade_rate_limit::{InMemory, MemoryConfig};

async fn make(setup: Setup) -> InMemory<ManualClock> {
    InMemory::new(MemoryConfig::default(), setup.clock).expect("a capacity in range")
}

palisade_conformance::rate_limiter_suite!(make);

/// Behind controls that change nothing, and behind some that touch every request.
mod policed {
    use palisade_conformance::rate_limit::Setup;
    use palisade_core::{Key, ManualClock};
    use palisade_rate_limit::{Controls, InMemory, Lists, MemoryConfig, Mode, Policed};

    async fn make(setup: Setup) -> Policed<InMemory<ManualClock>> {
        let memory = InMemory::new(MemoryConfig::default(), setup.clock).unwrap();
        let controls = Controls::with_top(8);
        let stranger = Key::parse("org=stranger").unwrap();
        controls.set_lists(Lists::new().with_shut(stranger).unwrap());
        controls.set_mode("unknown", Mode::Observe).unwrap();
        Policed::new(memory, controls)
    }

    palisade_conformance::rate_limiter_suite!(make);
}
