import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const JSON_TYPE = { "content-type": "application/json" };
const QUERY = JSON.stringify({ query: "{ me { id } }" });
const MUTATION = "mutation { deleteMe }";

describe("POST and GET /graphql", () => {
  let service: TestService;
  let authorization: string;
  before(async () => {
    service = await startTestService({ workers: 0 });
    authorization = `Bearer ${await service.token()}`;
  });
  after(() => service.close());

  const ask = (init: RequestInit & { path?: string }) =>
    fetch(`${service.url}/graphql${init.path ?? ""}`, {
      method: "POST",
      ...init,
      headers: { authorization, ...(init.headers as Record<string, string>) },
    });

  it("accept a query by POST, and by GET with a header that requires a preflight", async () => {
    assert.equal((await ask({ headers: JSON_TYPE, body: QUERY })).status, 200);
    assert.equal(
      (
        await ask({
          method: "GET",
          path: `?query=${encodeURIComponent("{ me { id } }")}`,
          headers: { "apollo-require-preflight": "1" },
        })
      ).status,
      200,
    );
    assert.equal(
      (
        await ask({
          headers: { "content-type": "application/graphql+json; charset=utf-8" },
          body: QUERY,
        })
      ).status,
      200,
    );
  });

  it("execute no mutation by GET", async () => {
    const get = async () =>
      (
        (await (await ask({ headers: JSON_TYPE, body: QUERY })).json()) as {
          data: { me: { id: string } };
        }
      ).data.me.id;
    const me = await get();
    await ask({
      method: "GET",
      path: `?query=${encodeURIComponent(MUTATION)}`,
      headers: { "apollo-require-preflight": "1" },
    });
    assert.equal(await get(), me);
  });

  it("accept at most 256 KiB", async () => {
    const room =
      256 * 1024 - JSON.stringify({ query: "{ me { id } }", variables: { a: "" } }).length;
    const body = (more: number) =>
      JSON.stringify({ query: "{ me { id } }", variables: { a: "x".repeat(room + more) } });
    assert.equal((await ask({ headers: JSON_TYPE, body: body(0) })).status, 200);
    assert.equal((await ask({ headers: JSON_TYPE, body: body(1) })).status, 413);
  });
});
