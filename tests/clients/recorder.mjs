// Stands between a client and the server, passes every byte on, and keeps the events of each request
// that the server acknowledged: decoded here by the codecs the clients themselves use, so that what
// comes out of the server is compared with what went over the wire.

import http from "node:http";
import zlib from "node:zlib";
import { decodeMulti } from "@msgpack/msgpack";

export class Recorder {
  constructor(server) {
    this.server = new URL(server);
    this.events = [];
    this.statuses = new Map();
    this.underWay = new Set();
    this.proxy = http.createServer((request, response) => {
      const passed = this.#pass(request, response).catch(() => response.destroy());
      this.underWay.add(passed);
      passed.finally(() => this.underWay.delete(passed));
    });
  }

  async listen() {
    await new Promise((resolve) => this.proxy.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.proxy.address().port}`;
  }

  // A client may be gone before its last request is answered: pino's worker is, on a slow machine.
  async settle() {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  close() {
    this.proxy.closeAllConnections();
    this.proxy.close();
  }

  async #pass(request, response) {
    const body = Buffer.concat(await request.toArray());
    const options = {
      host: this.server.hostname,
      port: this.server.port,
      method: request.method,
      path: request.url,
      headers: request.headers,
    };
    const answer = await new Promise((resolve, reject) => {
      http.request(options, resolve).on("error", reject).end(body);
    });
    this.#record(request.headers, body, answer.statusCode);
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  }

  #record(headers, body, status) {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status !== 202) return;
    const plain = headers["content-encoding"] === "gzip" ? zlib.gunzipSync(body) : body;
    for (const value of decodeMulti(plain)) {
      if (Array.isArray(value)) this.events.push(...value);
      else this.events.push(value);
    }
  }
}
