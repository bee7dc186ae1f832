//! Changes of lists, groups, names and settings.

use super::arena::SlotId;
use super::{Directory, Hub};
use crate::ns::Request;
use crate::time::Instant;
use crate::types::ErrorCode;

impl<D: Directory> Hub<D> {
    pub(super) fn on_change(
        &mut self,
        _now: Instant,
        conn: SlotId,
        _person: SlotId,
        request: Request<'_>,
    ) {
        if let Some(trid) = request.trid() {
            self.lines.refuse(conn, ErrorCode::COMMAND_DISABLED, trid);
        }
    }
}
