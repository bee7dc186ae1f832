//! Entropy that is the same in every run.

use crate::secret::Entropy;

/// Numbers that look random and follow from a seed (splitmix64). For tests alone: whoever knows
/// one number knows all that follow.
///
/// ```
/// use msnp_proto::secret::Entropy;
/// use msnp_proto::testing::SeededEntropy;
///
/// let (mut one, mut same) = (SeededEntropy::new(7), SeededEntropy::new(7));
/// let (mut a, mut b) = ([0; 12], [0; 12]);
/// one.fill(&mut a);
/// same.fill(&mut b);
/// assert_eq!(a, b);
/// ```
#[derive(Clone, Debug)]
pub struct SeededEntropy(u64);

impl SeededEntropy {
    /// The numbers of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        match u64::try_from(end) {
            Ok(end) if end > 0 => usize::try_from(self.next_u64() % end).unwrap_or_default(),
            _ => 0,
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            for (byte, random) in piece.iter_mut().zip(self.next_u64().to_le_bytes()) {
                *byte = random;
            }
        }
    }
}
