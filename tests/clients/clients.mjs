// The official clients, each run as its own program with nothing set but the address.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { failure, intended } from "./intent.mjs";

function script(file) {
  return { program: process.execPath, file, input: () => "" };
}

// The Python program is told what to log, the others know it themselves.
function pythonInput(count) {
  const lines = [];
  for (let number = 0; number < count; number += 1) {
    lines.push(JSON.stringify(intended("python", number)));
  }
  return `${lines.join("\n")}\n`;
}

export const CLIENTS = [
  { name: "node", platform: "node", errorField: "error", keepsCause: false, ...script("send-node.mjs") },
  { name: "winston", platform: "node", errorField: "error", keepsCause: false, ...script("send-winston.mjs") },
  { name: "pino", platform: "node", errorField: "err", keepsCause: true, ...script("send-pino.mjs") },
  {
    name: "python",
    platform: "python",
    keepsCause: true,
    program: process.env.CORDWOOD_TEST_PYTHON ?? "python3",
    file: "send.py",
    input: pythonInput,
  },
];

// Runs a client to its end.
export async function run(client, endpoint, token, count) {
  const options = { cwd: import.meta.dirname, stdio: ["pipe", "inherit", "inherit"] };
  const child = spawn(client.program, [client.file, endpoint, token, String(count)], options);
  child.stdin.on("error", () => {});
  child.stdin.end(client.input(count));
  const [code, signal] = await once(child, "exit");
  if (code !== 0) throw new Error(`${client.file} ended with ${code ?? signal}`);
}

// Whether the errors among the found events say what was thrown.
export function checkErrors(client, count, events) {
  const found = new Map(events.map((event) => [event.marker, event]));
  for (let number = 0; number < count; number += 10) {
    const event = found.get(`${client.name}-${number}`);
    const error = failure(number);
    const text = client.errorField ? JSON.stringify(event[client.errorField]) : event.message;
    const parts = [error.name, error.message];
    if (client.keepsCause) parts.push(error.cause.message);
    for (const part of parts) {
      if (!text?.includes(part)) throw new Error(`${event.marker}: the error lacks "${part}"`);
    }
  }
}
