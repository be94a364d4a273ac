// Runs every official client against a running server and proves that each event is found exactly
// once and equal to what was sent. The last line counts: `N passed, M failed`.
//
// CORDWOOD_URL and CORDWOOD_TOKEN name the server, CORDWOOD_BINARY its program, CORDWOOD_TEST_PYTHON the interpreter that has
// logtail-python and mcp, CORDWOOD_TEST_EVENTS how many events each client sends.

import { CLIENTS, checkErrors, run } from "./clients.mjs";
import { AGENTS } from "./mcp.mjs";
import { sendMail } from "./mail.mjs";
import { Recorder } from "./recorder.mjs";
import { REQUESTS } from "./requests.mjs";
import { Server } from "./server.mjs";
import { verify } from "./verify.mjs";

const count = Number(process.env.CORDWOOD_TEST_EVENTS ?? 10_000);
const server = new Server(process.env.CORDWOOD_URL, process.env.CORDWOOD_TOKEN);
let passed = 0;
let failed = 0;

async function attempt(name, test) {
  const started = Date.now();
  try {
    const remark = await test();
    passed += 1;
    console.log(`ok      ${name} (${Date.now() - started} ms)${remark ? `: ${remark}` : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.stack}`);
  }
}

async function sendAndFind(client) {
  const source = await server.createSource(`client ${client.name}`, client.platform);
  const recorder = new Recorder(server.url);
  try {
    await run(client, await recorder.listen(), source.token, count);
    await recorder.settle();
  } finally {
    recorder.close();
  }
  const found = [];
  for await (const event of server.find(source.id, "marker:*")) found.push(event);
  verify(client.name, count, recorder.events, found);
  checkErrors(client, count, found);
  const requests = [...recorder.statuses].map(([status, times]) => `${times} × ${status}`);
  return `${found.length} events in ${requests.join(", ")}`;
}

await attempt("mail", () => sendMail(server));
for (const agent of AGENTS) await attempt(agent.name, () => agent.test(server));
for (const request of REQUESTS) await attempt(request.name, () => request(server));
await Promise.all(CLIENTS.map((client) => attempt(client.name, () => sendAndFind(client))));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
