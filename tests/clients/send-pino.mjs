// Logs through pino and @logtail/pino, which runs in a worker thread of pino's own.
// Usage: node send-pino.mjs <endpoint> <source token> <count>

import pino from "pino";
import { failure, intended } from "./intent.mjs";
import { inPortions } from "./pace.mjs";

const [endpoint, sourceToken, count] = process.argv.slice(2);
const transport = pino.transport({
  target: "@logtail/pino",
  options: { sourceToken, options: { endpoint } },
});
const logger = pino({ level: "debug" }, transport);

await inPortions(Number(count), (number) => {
  const { level, message, context } = intended("pino", number);
  const err = failure(number);
  logger[level](err ? { ...context, err } : context, message);
});
// The worker does not keep the program alive, and its last batch waits up to a second.
const alive = setInterval(() => {}, 1000);
await new Promise((resolve) => {
  transport.on("close", resolve);
  transport.end();
});
clearInterval(alive);
