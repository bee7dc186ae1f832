//! Bytes that nobody can guess, from the operating system.

use msnp_proto::secret::Entropy;

/// The system's source.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        // Without unpredictable challenges and cookies nothing here may go on.
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// A number, to spread attempts in time.
pub(crate) fn number() -> u64 {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}
