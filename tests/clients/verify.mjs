// Compares what a search finds with what was sent: each event once, equal field by field.

import assert from "node:assert/strict";
import { intended } from "./intent.mjs";

// Nanoseconds since 1970 of an RFC 3339 time, so that different spellings of an instant are equal.
export function instant(text) {
  const parts = /^(.+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  assert.ok(parts, `not a time: ${text}`);
  const [, whole, fraction = "", zone] = parts;
  const seconds = BigInt(Date.parse(`${whole}${zone}`)) / 1000n;
  return seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

// Without what the server adds, and with the time as an instant.
function comparable(event) {
  const { _id, _source, dt, ...fields } = event;
  return { ...fields, dt: instant(dt) };
}

function byMarker(events) {
  const found = new Map();
  for (const event of events) {
    assert.ok(event.marker, `an event without a marker: ${JSON.stringify(event)}`);
    assert.ok(!found.has(event.marker), `${event.marker} is there more than once`);
    found.set(event.marker, event);
  }
  return found;
}

// `sent` is what went over the wire, `found` what the search gave.
export function verify(client, count, sent, found) {
  assert.equal(sent.length, count, "the client sent another number of events");
  const onWire = byMarker(sent);
  const stored = byMarker(found);
  assert.equal(stored.size, count, "the search finds another number of events");
  for (let number = 0; number < count; number += 1) {
    const { level, message, context } = intended(client, number);
    const wire = onWire.get(context.marker);
    const event = stored.get(context.marker);
    assert.ok(wire, `${context.marker} was not sent`);
    assert.ok(event, `${context.marker} is not found`);
    assert.deepEqual(comparable(event), comparable(wire), `${context.marker} differs`);
    assert.equal(event.level, client === "python" && level === "warn" ? "warning" : level);
    assert.ok(event.message.startsWith(message), `${context.marker} has another message`);
    for (const [field, value] of Object.entries(context)) {
      assert.deepEqual(event[field], value, `${context.marker} ${field}`);
    }
  }
}
