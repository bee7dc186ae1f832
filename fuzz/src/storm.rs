//! Clients and a hub together, on a network that delays, cuts and breaks.

use msnp_proto::testing::{Decide, Source, Storm};

/// Most operations of one storm.
const STEPS: usize = 32;

/// A seed, whether the network breaks, then decisions.
pub fn storm(data: &[u8]) {
    let mut source = Source::new(data);
    let mut storm = Storm::new(3, source.byte().into());
    let faults = source.below(2) == 1;
    for _ in 0..STEPS {
        if source.is_empty() {
            break;
        }
        storm.act(&mut source);
        if faults && source.below(4) == 0 {
            storm.fault(&mut source);
        }
        storm.pass(&mut source);
    }
    storm.end(faults);
}
