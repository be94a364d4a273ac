// Agents: the official clients of the Model Context Protocol, over both transports, against /mcp and `cordwood mcp`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const binary = process.env.CORDWOOD_BINARY;
const python = process.env.CORDWOOD_TEST_PYTHON ?? "python3";
const KNOWN = ["betterstack_query_logs", "betterstack_list_sources", "betterstack_create_source"];

// What `cordwood mcp` is started with.
const relayed = (server) => ["mcp", "--url", server.url];
const environment = (server) => ({ ...process.env, CORDWOOD_TOKEN: server.token });

function transport(kind, server) {
  if (kind === "http") {
    const requestInit = { headers: { authorization: `Bearer ${server.token}` } };
    return new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit });
  }
  return new StdioClientTransport({ command: binary, args: relayed(server), env: environment(server) });
}

// The TypeScript SDK: it holds each structured answer against the schema that the tool declares.
async function converse(kind, server) {
  const client = new Client({ name: "cordwood-tests", version: "1" });
  await client.connect(transport(kind, server));
  try {
    const { tools } = await client.listTools();
    for (const name of KNOWN) assert.ok(tools.some((tool) => tool.name === name), name);
    const call = async (name, args) => client.callTool({ name, arguments: args });
    const made = await call("betterstack_create_source", { name: `agent ${kind}`, platform: "node" });
    const { id, attributes } = made.structuredContent.data;
    const marker = `agent-${kind}-${Date.now()}`;
    const sent = await fetch(server.url, {
      method: "POST",
      headers: { authorization: `Bearer ${attributes.token}`, "content-type": "application/json" },
      body: JSON.stringify({ message: marker, level: "error", request_id: marker }),
    });
    assert.equal(sent.status, 202);
    const found = await call("betterstack_query_logs", { query: `level:error "${marker}"`, source_id: id });
    assert.equal(found.structuredContent.data[0].message, marker);
    assert.deepEqual(JSON.parse(found.content[0].text), found.structuredContent);
    const refused = await call("betterstack_query_logs", { query: "(level:error" });
    assert.equal(refused.isError, true);
    assert.equal(JSON.parse(refused.content[0].text).error.corrected_query, "(level:error)");
    const answers = [
      await call("logs_stats", { stages: "stats count() by level", source_id: id }),
      await call("logs_patterns", { source_id: id }),
      await call("logs_what_changed", { source_id: id }),
      await call("logs_trace", { value: marker }),
      await call("logs_context", { id: found.structuredContent.data[0]._id }),
      await call("logs_fields", { source_id: id }),
      await call("saved_queries", { action: "list" }),
      await call("alerts", { action: "list" }),
      await call("incidents", { action: "list" }),
      await call("source_health", { source_id: id }),
    ];
    for (const answer of answers) assert.ok(!answer.isError, JSON.stringify(answer));
    const { resources } = await client.listResources();
    assert.ok(resources.length > 1);
    const { contents } = await client.readResource({ uri: resources[0].uri });
    assert.match(contents[0].text, /stats/);
    assert.equal((await client.listPrompts()).prompts.length, 4);
    return `${tools.length} tools, ${answers.length + 3} calls`;
  } finally {
    await client.close();
  }
}

async function withPython(kind, server) {
  const env = { ...environment(server), CORDWOOD_URL: server.url, CORDWOOD_BINARY: binary };
  const { stdout } = await run(python, [join(here, "mcp_client.py"), kind], { env });
  return stdout.trim();
}

// The inspector's command line, which people try servers with.
async function inspect(kind, server) {
  const cli = createRequire(import.meta.url).resolve("@modelcontextprotocol/inspector/cli/build/cli.js");
  const to = kind === "http"
    ? [`${server.url}/mcp`, "--transport", "http", "--header", `Authorization: Bearer ${server.token}`]
    : ["-e", `CORDWOOD_TOKEN=${server.token}`, binary, ...relayed(server)];
  const asked = ["--method", "tools/call", "--tool-name", "betterstack_list_sources"];
  const { stdout } = await run(process.execPath, [cli, "--cli", ...to, ...asked]);
  const answer = JSON.parse(stdout);
  assert.equal(answer.structuredContent.data[0].type, "source");
  return `${answer.structuredContent.data.length} sources`;
}

export const AGENTS = [];
for (const kind of ["http", "stdio"]) {
  AGENTS.push({ name: `mcp typescript ${kind}`, test: (server) => converse(kind, server) });
  AGENTS.push({ name: `mcp python ${kind}`, test: (server) => withPython(kind, server) });
  AGENTS.push({ name: `mcp inspector ${kind}`, test: (server) => inspect(kind, server) });
}
