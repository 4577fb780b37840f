import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { after, before, describe, it } from "node:test";
import { buildSchema } from "graphql";
import { createFileUrls } from "../../src/photos/file-urls.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

const APP = "https://app.example.test";

describe("the HTTP server", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ workers: 0, env: { ALLOWED_ORIGINS: APP } });
  });
  after(() => service.close());

  it("answers every request with its request id, or a new one", async () => {
    for (const path of ["/graphql", "/photos", "/files/photos/1/a", "/health/live", "/nowhere"]) {
      assert.equal(
        (await fetch(service.url + path, { headers: { "x-request-id": "req-7" } })).headers.get(
          "x-request-id",
        ),
        "req-7",
        path,
      );
      assert.match(
        (
          await fetch(service.url + path, { headers: { "x-request-id": "not sound!" } })
        ).headers.get("x-request-id") ?? "",
        /^[0-9a-f-]{36}$/,
        path,
      );
    }
    const person = await service.person();
    assert.equal(
      (await person.ask("{ me { id } }", {}, { "x-request-id": "req-8" })).headers.get(
        "x-request-id",
      ),
      "req-8",
    );
  });

  it("answers an unknown path with 404 in JSON", async () => {
    const response = await fetch(`${service.url}/nowhere`);
    assert.deepEqual(
      [response.status, await response.json()],
      [404, { code: "NOT_FOUND", message: "Not found: no route has this method and path." }],
    );
  });

  it("masks an unexpected error, and logs it with the request id", async () => {
    const { sql } = service.database;
    const urls = createFileUrls({
      signingKey: "a-signing-key-for-tests-0123456789abcdef",
      publicUrl: null,
      storage: { presign: async () => null },
    });
    await sql`alter table photos rename to photos_of_yesterday`;
    const answer = await fetch(
      service.url + urls.sign("photos", "0198f3a0-0000-7000-8000-000000000000", "a.png"),
      { headers: { "x-request-id": "req-9" } },
    );
    await sql`alter table photos_of_yesterday rename to photos`;
    assert.deepEqual(
      [answer.status, await answer.json()],
      [500, { code: "INTERNAL_SERVER_ERROR", message: "Internal server error" }],
    );
    const line = service.logged.find(
      ({ requestId, level }) => requestId === "req-9" && level === 50,
    );
    assert.match(JSON.stringify(line), /relation \\"photos\\" does not exist/);
  });

  it("allows CORS with the needed headers for pages of allowed origins", async () => {
    for (const path of ["/graphql", "/photos", "/files/photos/1/a"]) {
      const preflight = await fetch(service.url + path, {
        method: "OPTIONS",
        headers: {
          origin: APP,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type,x-filename",
        },
      });
      assert.equal(preflight.status, 204, path);
      assert.equal(preflight.headers.get("access-control-allow-origin"), APP);
      assert.match(preflight.headers.get("access-control-allow-methods") ?? "", /POST/);
      for (const header of ["authorization", "content-type", "x-filename"])
        assert.ok(preflight.headers.get("access-control-allow-headers")?.includes(header), header);
      const answer = await fetch(service.url + path, { headers: { origin: APP } });
      assert.equal(answer.headers.get("access-control-allow-origin"), APP, path);
      assert.match(answer.headers.get("access-control-expose-headers") ?? "", /x-request-id/);
      assert.match(answer.headers.get("vary") ?? "", /origin/i);
    }
  });

  it("allows no CORS for other origins, and names them in the log", async () => {
    for (const origin of ["https://evil.test", "null", "http://localhost:3000"]) {
      for (const method of ["OPTIONS", "GET"]) {
        const answer = await fetch(`${service.url}/graphql`, {
          method,
          headers: { origin, "access-control-request-method": "POST" },
        });
        assert.equal(
          answer.headers.get("access-control-allow-origin"),
          null,
          `${method} from ${origin}`,
        );
      }
      const lines = service.logged.filter((line) => line["origin"] === origin);
      assert.deepEqual(
        lines.map(({ level }) => level),
        [40],
      );
    }
  });

  it("closes after the current request, although its connection is kept alive", async () => {
    const api = await service.addApi();
    const agent = new Agent({ keepAlive: true });
    const headers = {
      authorization: `Bearer ${await service.token()}`,
      "content-type": "application/json",
      expect: "100-continue",
    };
    const asking = request(`${api.url}/graphql`, { method: "POST", agent, headers });
    await once(asking, "continue");
    const closed = api.close();
    asking.end('{ "query": "{ me { id } }" }');
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    answer.resume();
    const startedAt = Date.now();
    await closed;
    agent.destroy();
    assert.equal(answer.statusCode, 200);
    assert.ok(Date.now() - startedAt < 5000, `it took ${Date.now() - startedAt} ms`);
  });

  it("serves the SDL only outside production", async () => {
    assert.equal((await fetch(`${service.url}/graphql/schema.graphql`)).status, 404);
    const development = await startTestService({ workers: 0, env: { NODE_ENV: "development" } });
    const response = await fetch(`${development.url}/graphql/schema.graphql`);
    const sdl = await response.text();
    const hint = await (await development.person()).ask("{ mee { id } }");
    const introspection = await (
      await development.person()
    ).ask('{ __type(name: "User") { name } }');
    await development.close();
    assert.ok(buildSchema(sdl).getType("QueuedJob"));
    assert.match(hint.errors?.[0]?.message ?? "", /Did you mean "me"/);
    assert.deepEqual(introspection.data, { __type: { name: "User" } });
  });
});
