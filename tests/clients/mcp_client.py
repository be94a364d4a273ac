"""The Python package `mcp` against Cordwood: `mcp_client.py http|stdio`. Prints one line of what was done."""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

URL = os.environ["CORDWOOD_URL"]
TOKEN = os.environ["CORDWOOD_TOKEN"]


async def converse(reading, writing):
    async with ClientSession(reading, writing) as session:
        hello = await session.initialize()
        assert hello.server_info.name == "cordwood", hello
        tools = {tool.name for tool in (await session.list_tools()).tools}
        assert {"betterstack_query_logs", "betterstack_list_sources", "betterstack_create_source"} <= tools
        made = await session.call_tool("betterstack_create_source", {"name": f"python {sys.argv[1]}"})
        assert made.structured_content["data"]["id"].startswith("src-"), made
        told = []

        async def progress(done, total, message):
            told.append(done)

        found = await session.call_tool("betterstack_query_logs", {"query": "*"}, progress_callback=progress)
        assert not found.is_error and found.structured_content["meta"]["complete"], found
        refused = await session.call_tool("betterstack_query_logs", {"query": "*", "source_id": "nowhere"})
        assert refused.is_error and json.loads(refused.content[0].text)["error"]["sources"], refused
        prompt = await session.get_prompt("incident_investigation", {"service": "api"})
        assert "service api" in prompt.messages[0].content.text, prompt
        print(f"{len(tools)} tools, protocol {hello.protocol_version}")


async def main():
    if sys.argv[1] == "http":
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with create_mcp_http_client(headers=headers) as client:
            async with streamable_http_client(f"{URL}/mcp", http_client=client) as streams:
                await converse(streams[0], streams[1])
    else:
        server = StdioServerParameters(
            command=os.environ["CORDWOOD_BINARY"],
            args=["mcp", "--url", URL],
            env={"CORDWOOD_TOKEN": TOKEN},
        )
        async with stdio_client(server) as (reading, writing):
            await converse(reading, writing)


asyncio.run(main())
