//! Ways to cut a stream of bytes.

use super::SeededEntropy;

/// How a stream is cut on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Chunking {
    /// As large as it comes.
    #[default]
    Whole,
    /// Pieces of this size; 0 counts as 1.
    Every(usize),
    /// Cut once, behind this many bytes from the start of the stream.
    SplitAt(usize),
    /// Sizes that follow from a seed, small ones more often.
    Random(u64),
}

/// Cuts one stream.
#[derive(Clone, Debug)]
pub struct Chunker {
    chunking: Chunking,
    position: usize,
    random: SeededEntropy,
}

impl Chunker {
    /// At the start of a stream.
    #[must_use]
    pub const fn new(chunking: Chunking) -> Self {
        let seed = if let Chunking::Random(seed) = chunking { seed } else { 0 };
        Self { chunking, position: 0, random: SeededEntropy::new(seed) }
    }

    /// How many of the `available` bytes go first: at least one, unless there is none.
    pub fn next(&mut self, available: usize) -> usize {
        let size = match self.chunking {
            Chunking::Whole => available,
            Chunking::Every(size) => size.max(1).min(available),
            Chunking::SplitAt(at) if self.position < at => (at - self.position).min(available),
            Chunking::SplitAt(_) => available,
            Chunking::Random(_) => {
                let most = 1 << self.random.below(10);
                self.random.below(most).saturating_add(1).min(available)
            }
        };
        self.position = self.position.saturating_add(size);
        size
    }
}
