// Single requests in the manner of senders that are not run here.

import assert from "node:assert/strict";
import zlib from "node:zlib";
import { encode } from "@msgpack/msgpack";

// The Ruby client sends MessagePack in a zlib stream and takes nothing but a 202 for success.
export async function rubyRequest(server) {
  const source = await server.createSource("ruby request", "ruby");
  const events = [
    { dt: "2026-03-27T10:00:00.123456Z", level: "info", message: "Completed 200 OK", event: { ms: 12.5 } },
    { dt: "2026-03-27T10:00:01.000001Z", level: "error", message: "ActionView::Template::Error ž" },
  ];
  const answer = await fetch(server.url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${source.token}`,
      "content-type": "application/msgpack",
      "content-encoding": "deflate",
      "user-agent": "Logtail Ruby/0.1.17 (HTTP)",
    },
    body: zlib.deflateSync(encode(events)),
  });
  assert.equal(answer.status, 202);
  assert.equal(await answer.text(), "");
  const found = [];
  for await (const event of server.find(source.id, "")) found.push(event);
  assert.equal(found.length, 2);
  assert.equal(found[0].message, events[1].message);
  assert.equal(found[1].dt, events[0].dt);
  assert.deepEqual(found[1].event, events[0].event);
}

// A browser asks first whether it may send its token and a JSON body from another origin.
export async function browserPreflight(server) {
  const answer = await fetch(server.url, {
    method: "OPTIONS",
    headers: {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  });
  assert.ok(answer.status === 200 || answer.status === 204, `status ${answer.status}`);
  const allowed = (name) => (answer.headers.get(`access-control-allow-${name}`) ?? "").toLowerCase();
  assert.ok(["*", "https://shop.example"].includes(allowed("origin")), allowed("origin"));
  assert.ok(/post|\*/.test(allowed("methods")), allowed("methods"));
  // A star does not cover Authorization (Fetch standard, CORS-unsafe request headers).
  assert.ok(allowed("headers").includes("authorization"), allowed("headers"));
  assert.ok(/content-type|\*/.test(allowed("headers")), allowed("headers"));
}

// And the request itself must carry the permission too.
export async function browserRequest(server) {
  const source = await server.createSource("browser request", "javascript");
  const answer = await fetch(server.url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${source.token}`,
      "content-type": "application/json",
      origin: "https://shop.example",
    },
    body: JSON.stringify([{ message: "clicked", level: "info", dt: new Date().toISOString() }]),
  });
  assert.equal(answer.status, 202);
  const origin = answer.headers.get("access-control-allow-origin");
  assert.ok(["*", "https://shop.example"].includes(origin), String(origin));
}

// The clients' own end-to-end tests demand that a wrong token is not taken for success.
export async function wrongToken(server) {
  const answer = await fetch(server.url, {
    method: "POST",
    headers: { authorization: "Bearer wrong", "content-type": "application/json" },
    body: "[]",
  });
  assert.equal(answer.status, 403);
}

export const REQUESTS = [rubyRequest, browserPreflight, browserRequest, wrongToken];
