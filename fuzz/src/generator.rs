//! Inputs from a seed.

/// The most bytes of an input.
pub const LENGTH_MAX: usize = 4096;

/// A small generator of random numbers: `SplitMix64` (Steele, Lea and Flood, 2014). The same seed gives the same inputs
/// on every machine.
#[derive(Clone, Debug)]
pub struct Generator {
    state: u64,
}

impl Generator {
    /// The generator of one run. Runs are independent, so that one can be repeated without those before it.
    #[must_use]
    pub fn new(seed: u64, run: u64) -> Self {
        let mut generator = Self { state: seed };
        let start = generator.next() ^ run;
        Self { state: start }
    }

    /// An input: pieces and random bytes in turn, then a few small damages. One in eight is nothing but random bytes.
    #[must_use]
    pub fn input(&mut self, pieces: &[&str]) -> Vec<u8> {
        let mut input = Vec::new();
        let from_pieces = !pieces.is_empty() && self.below(8) > 0;
        // Mostly short: a short input that fails is one that can be read.
        let parts = 1 << self.below(7);
        for _ in 0..self.below(parts) + 1 {
            if from_pieces && self.below(8) > 0 {
                input.extend_from_slice(pieces[self.below(pieces.len())].as_bytes());
            } else {
                self.extend_with_noise(&mut input);
            }
        }
        if self.below(2) == 0 {
            for _ in 0..self.below(4) {
                self.damage(&mut input);
            }
        }
        input.truncate(LENGTH_MAX);
        input
    }

    fn extend_with_noise(&mut self, input: &mut Vec<u8>) {
        let printable = self.below(2) == 0;
        for _ in 0..self.below(12) {
            let byte = self.byte();
            input.push(if printable { b' ' + byte % 95 } else { byte });
        }
    }

    fn damage(&mut self, input: &mut Vec<u8>) {
        if input.is_empty() {
            return;
        }
        let at = self.below(input.len());
        match self.below(4) {
            0 => input[at] = self.byte(),
            1 => {
                input.remove(at);
            }
            2 => input.insert(at, self.byte()),
            _ => {
                let end = (at + self.below(32)).min(input.len());
                let copy = input[at..end].to_vec();
                input.extend_from_slice(&copy);
            }
        }
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// A number below `bound`, which is above zero. The bias of the remainder does not matter here.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_run_give_the_same_input() {
        let input = |seed, run| Generator::new(seed, run).input(&["piece"]);
        for run in 0..100 {
            assert_eq!(input(7, run), input(7, run));
        }
        assert!((0..100).any(|run| input(7, run) != input(8, run)));
    }

    #[test]
    fn an_input_is_bounded() {
        let long = "long ".repeat(1000);
        for run in 0..100 {
            assert!(Generator::new(1, run).input(&[&long]).len() <= LENGTH_MAX);
        }
    }
}
