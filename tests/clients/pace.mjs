// Logs `count` events in small portions. The clients keep their default settings, and with those drop
// what comes faster than 10 000 in five seconds; a real program logs over time.

import { setTimeout as sleep } from "node:timers/promises";

const PORTION = 500;
const PAUSE_MS = 300;

export async function inPortions(count, log) {
  for (let number = 0; number < count; number += 1) {
    log(number);
    if (number % PORTION === PORTION - 1) await sleep(PAUSE_MS);
  }
}
