//! Plain text: every line an event with the line as its `message`.

use cordwood_event::Scalar;

use crate::events::Events;

pub(crate) fn decode(body: &[u8], events: &mut Events) {
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        events.builder.begin_event();
        events
            .builder
            .set_root_field("message", Scalar::Str(&String::from_utf8_lossy(line)));
        events.finish_event(line.len());
    }
}
