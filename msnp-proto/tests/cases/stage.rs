//! What the client and the hub have in common when a peer of theirs says something bad.

use msnp_proto::testing::case::Place;

use crate::client::ClientStage;
use crate::hub::HubStage;
use crate::show::Seen;

/// A client or a hub in a certain state, one connection of which is tried.
pub(crate) trait Stage {
    /// The peer of the connection says this; what comes of it is kept.
    fn say(&mut self, bytes: &[u8]);

    /// What has come of it all since the last time.
    fn seen(&mut self, payloads: &[Vec<u8>]) -> Seen;

    /// Whether the connection is over.
    fn is_over(&self) -> bool;

    /// How many bytes of the connection were looked at in search of line ends since the state was
    /// reached; `None` if it cannot be told any more.
    fn scanned(&mut self) -> Option<u64>;

    /// A good frame for the connection in this state.
    fn good(&self) -> Vec<u8>;

    /// A message for a switchboard that one has entered meanwhile.
    fn good_inside(&self) -> Option<Vec<u8>>;

    /// The peer of the connection ends its stream.
    fn hang_up(&mut self);

    /// What others say and hear on their connections: always the same. Not called when all of it
    /// has ended with the connection.
    fn others(&mut self) -> Seen;

    /// Whether others can still be asked.
    fn has_others(&self) -> bool;

    /// Everything ends. Says what is wrong with the end.
    fn end(&mut self) -> Result<(), String>;

    /// Words that nobody may see.
    fn secrets(&self) -> Vec<String>;
}

pub(crate) fn stage(place: Place) -> Box<dyn Stage> {
    if place.is_client() {
        Box::new(ClientStage::new(place))
    } else {
        Box::new(HubStage::new(place))
    }
}
