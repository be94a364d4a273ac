// Notices by mail, to a server that wants TLS and a login.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const PASSWORD = "hunter2-s3cr3t";

async function call(server, method, path, body) {
  const answer = await fetch(`${server.url}/api/v1/${path}`, {
    method,
    headers: server.headers,
    body: body && JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

function channel(name, port, authority, password) {
  const settings = {
    host: "localhost",
    port,
    user: "alerts",
    from: "Alerts <alerts@example.com>",
    to: ["ann@example.com", "gone@example.com"],
    certificate_authority: authority,
  };
  return { name, kind: "email", settings, secrets: { password } };
}

async function test(server, body) {
  const made = await call(server, "POST", "channels", body);
  assert.equal(made.status, 201, made.text);
  assert.ok(!made.text.includes(PASSWORD), made.text);
  const tried = await call(server, "POST", `channels/${body.name}/test`);
  assert.equal(tried.status, 200, tried.text);
  return JSON.parse(tried.text).data.attributes;
}

function check(mail) {
  assert.equal(mail.from, "alerts@example.com");
  assert.deepEqual(mail.to, ["ann@example.com"]);
  assert.equal(mail.is_encrypted, true);
  assert.deepEqual(mail.defects, []);
  assert.equal(mail.headers.subject, "[INFO] A test of mail (default)");
  assert.equal(mail.headers.from, "Alerts <alerts@example.com>");
  assert.equal(mail.headers["auto-submitted"], "auto-generated");
  assert.match(mail.headers["message-id"], /^<msg-[0-9a-f]{32}@example\.com>$/);
  for (const type of ["text/plain", "text/html"]) {
    assert.match(mail.parts[type], /tries whether notices arrive here/);
  }
}

// A channel of kind email: its notice arrives whole, one recipient is refused, and who has the wrong password or the wrong authority sends
// nothing.
export async function sendMail(server) {
  const child = spawn(process.env.CORDWOOD_TEST_PYTHON ?? "python3", ["mail.py"], {
    cwd: import.meta.dirname,
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { port, authority } = JSON.parse((await lines.next()).value);
    const delivered = await test(server, channel("mail", port, authority, PASSWORD));
    assert.equal(delivered.delivered, true, delivered.response);
    assert.match(delivered.response, /queued as 17; not for gone@example\.com: .*no such user/);
    check(JSON.parse((await lines.next()).value));
    const unknown = await test(server, channel("intruder", port, authority, "wrong"));
    assert.equal(unknown.status, 535, JSON.stringify(unknown));
    const untrusted = await test(server, channel("untrusted", port, undefined, PASSWORD));
    assert.equal(untrusted.status, null, JSON.stringify(untrusted));
    assert.match(untrusted.response, /certificate|UnknownIssuer/i);
  } finally {
    child.stdin.end();
  }
}
