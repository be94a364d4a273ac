// Logs through winston and @logtail/winston. Usage: node send-winston.mjs <endpoint> <source token> <count>

import { Logtail } from "@logtail/node";
import { LogtailTransport } from "@logtail/winston";
import winston from "winston";
import { failure, intended } from "./intent.mjs";
import { inPortions } from "./pace.mjs";

const [endpoint, token, count] = process.argv.slice(2);
const logtail = new Logtail(token, { endpoint });
const logger = winston.createLogger({
  level: "debug",
  transports: [new LogtailTransport(logtail)],
});

await inPortions(Number(count), (number) => {
  const { level, message, context } = intended("winston", number);
  const error = failure(number);
  logger.log(level, message, error ? { ...context, error } : context);
});
await new Promise((resolve) => {
  logger.on("finish", resolve);
  logger.end();
});
await logtail.flush();
if (logtail.dropped > 0) throw new Error(`the client dropped ${logtail.dropped} events`);
