// The server under test, through its REST interface.

const PAGE = 1000;

export class Server {
  constructor(url, token) {
    this.url = url;
    this.token = token;
    this.headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  }

  // Makes a source and returns its id and token.
  async createSource(name, platform) {
    const answer = await fetch(`${this.url}/api/v1/sources`, {
      method: "POST",
      headers: this.headers,
      body: JSON.stringify({ name, platform }),
    });
    if (answer.status !== 201) {
      throw new Error(`creating a source: ${answer.status} ${await answer.text()}`);
    }
    const { data } = await answer.json();
    return { id: data.id, token: data.attributes.token };
  }

  // Every event a query finds, following the cursor to the end.
  async *find(sourceId, query) {
    const parameters = new URLSearchParams({ source_id: sourceId, query, batch_size: PAGE });
    let next = `${this.url}/api/v1/query?${parameters}`;
    while (next) {
      const answer = await fetch(next, { headers: this.headers });
      if (answer.status !== 200) {
        throw new Error(`query: ${answer.status} ${await answer.text()}`);
      }
      const page = await answer.json();
      if (page.meta.complete === false) throw new Error("the answer says it is not complete");
      yield* page.data;
      next = page.pagination.next;
    }
  }
}
