// Logs through @logtail/node. Usage: node send-node.mjs <endpoint> <source token> <count>

import { Logtail } from "@logtail/node";
import { failure, intended } from "./intent.mjs";
import { inPortions } from "./pace.mjs";

const [endpoint, token, count] = process.argv.slice(2);
const logtail = new Logtail(token, { endpoint });
const pending = [];

await inPortions(Number(count), (number) => {
  const { level, message, context } = intended("node", number);
  const error = failure(number);
  pending.push(logtail[level](message, error ? { ...context, error } : context));
});
await logtail.flush();
await Promise.all(pending);
if (logtail.dropped > 0) throw new Error(`the client dropped ${logtail.dropped} events`);
