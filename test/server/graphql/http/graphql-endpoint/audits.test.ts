import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { serverAudits } from "graphql-http";
import { openRawSocket } from "../../../../support/clients/raw-socket.js";
import { startTestService, type ProxiedService } from "../../../../support/service/test-service.js";

describe("the GraphQL endpoint", () => {
  let counted: ProxiedService;
  before(async () => {
    counted = await startTestService({ proxied: true, workers: 0, env: { INTROSPECTION: "true" } });
  });
  after(() => counted.close());

  const HIDES =
    "A client that only checks the status must see that nothing was executed; the " +
    "specification requires 400 for its own media type.";
  const FOREIGN =
    "Any page can make a browser send a GET without additional headers; a GET with " +
    "`apollo-require-preflight` is accepted.";
  /** Audits that fail on purpose, with the reason. None of them is a MUST. */
  const EXCEPTIONS: Record<string, [audit: string, why: string]> = {
    "572B": [
      "SHOULD use 200 status code on document parsing failure when accepting application/json",
      HIDES,
    ],
    FDE2: [
      "SHOULD use 200 status code on document validation failure when accepting application/json",
      HIDES,
    ],
    "7B9B": [
      "SHOULD use a status code of 200 on variable coercion failure when accepting " +
        "application/json",
      HIDES,
    ],
    "5A70": ["MAY accept application/x-www-form-urlencoded formatted GET requests", FOREIGN],
    D6D5: [
      "MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting " +
        "application/graphql-response+json",
      FOREIGN,
    ],
    "6A70": [
      "MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting " +
        "application/json",
      FOREIGN,
    ],
  };

  it("passes the GraphQL over HTTP audits, except unsafe optional ones", async () => {
    const token = await counted.token();
    const failuresWith = async (more: Record<string, string>) => {
      const audits = serverAudits({
        url: `${counted.url}/graphql`,
        fetchFn: (url: string, init: RequestInit = {}) =>
          fetch(url, {
            ...init,
            headers: {
              ...(init.headers as Record<string, string>),
              authorization: `Bearer ${token}`,
              ...more,
            },
          }),
      });
      const results = await Promise.all(
        audits.map(async (audit) => ({
          name: `${audit.id} ${audit.name}`,
          result: await audit.fn(),
        })),
      );
      assert.ok(results.length > 60, `only ${results.length} audits`);
      return results
        .filter(({ result }) => result.status !== "ok")
        .map(({ name }) => name)
        .toSorted();
    };
    const namesOf = (exceptions: [string, [string, string]][]) =>
      exceptions.map(([id, [audit]]) => `${id} ${audit}`).toSorted();
    const all = Object.entries(EXCEPTIONS);
    assert.deepEqual(await failuresWith({}), namesOf(all));
    assert.deepEqual(
      await failuresWith({ "apollo-require-preflight": "1" }),
      namesOf(all.filter(([, [, why]]) => why !== FOREIGN)),
    );
  });

  it("answers 503, or 1013 on a new socket, while PostgreSQL is unavailable", async () => {
    const service = counted;
    const regular = await service.person();
    await regular.get("{ me { id } }");
    counted.postgres.down();
    const query = await regular.ask("{ queuedJobs { totalCount } }");
    assert.deepEqual(
      [query.status, query.code, query.errors?.[0]?.message],
      [503, "SERVICE_UNAVAILABLE", "The database is unavailable; try again in a moment."],
    );
    const newcomer = await service.person();
    const signIn = await newcomer.ask("{ me { id } }");
    assert.deepEqual(
      [signIn.status, signIn.headers.get("retry-after"), signIn.code],
      [503, "2", "SERVICE_UNAVAILABLE"],
    );
    const upload = await newcomer.upload(Buffer.from("x"));
    assert.deepEqual([upload.status, upload.json["code"]], [503, "SERVICE_UNAVAILABLE"]);
    const socket = openRawSocket(service.url);
    socket.send({
      type: "connection_init",
      payload: { authorization: `Bearer ${newcomer.token}` },
    });
    assert.deepEqual(await socket.closed(), { code: 1013, reason: "Try again later" });

    counted.postgres.up();
    assert.equal((await newcomer.ask("{ me { id } }")).status, 200);
    assert.equal((await regular.enqueue("echo")).status, "PENDING");
  });
});
