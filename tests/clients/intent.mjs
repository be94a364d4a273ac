// What every client is to log, as a function of its number: nested, sparse, unicode, errors.

const LEVELS = ["debug", "info", "warn", "error"];

export function intended(client, number) {
  const event = {
    level: LEVELS[number % LEVELS.length],
    message: `objednávka ${number}: příliš žluťoučký kůň 🐎 出荷 "quoted" \\ back\n\tnext line`,
    context: {
      marker: `${client}-${number}`,
      order: {
        id: number,
        total: number * 1.25,
        delta: 0.125 - number / 8,
        paid: number % 2 === 0,
        note: number % 3 === 0 ? null : `нота ${number}`,
        customer: { name: "Žofie Nováková", "full address": { city: "Brno", floor: number % 9 } },
        items: [
          { sku: `SKU-${number % 100}`, quantity: 1 + (number % 4), tags: ["křehké", "😀"] },
          { sku: "SKU-0", quantity: 0, tags: [] },
        ],
      },
      "dotted.key": { "inner.key": number },
      empty: {},
      nothing: [],
      largest: Number.MAX_SAFE_INTEGER - number,
      smallest: 5e-324,
      text: "",
    },
  };
  if (number % 7 === 0) event.context[`sparse_${number % 50}`] = number;
  return event;
}

// Every tenth event carries an error with a cause.
export function failure(number) {
  if (number % 10 !== 0) return undefined;
  return new TypeError(`nelze přečíst ${number}`, { cause: new Error("spojení odmítnuto") });
}
