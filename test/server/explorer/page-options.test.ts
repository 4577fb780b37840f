import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isOwnMachine, EXAMPLE_OPERATIONS } from "../../../src/server/explorer/page-options.js";
import { parse, validate } from "graphql";
import { createSchema } from "../../../src/graphql/schema.js";
import { createTypedJobs } from "../../../src/graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../../../src/tasks/catalogue.js";

const ask = (remoteAddress: string | undefined, headers: Record<string, string>) =>
  isOwnMachine({ headers, socket: { remoteAddress } });

describe("the browser that gets a token", () => {
  for (const [peer, host] of [
    ["127.0.0.1", "127.0.0.1:4000"],
    ["127.8.9.1", "localhost"],
    ["::1", "[::1]:4000"],
    ["::ffff:127.0.0.1", "LOCALHOST:4000"],
  ] as const) {
    it(`connects from ${peer} and opens ${host}`, () => {
      assert.equal(ask(peer, { host }), true);
      for (const site of ["none", "same-origin"])
        assert.equal(ask(peer, { host, "sec-fetch-site": site }), true);
    });
  }

  const OTHERS: [string, string | undefined, Record<string, string>][] = [
    ["another machine", "192.168.0.7", { host: "127.0.0.1:4000" }],
    ["an address with a loopback prefix", "127.0.0.1.evil.test", { host: "127.0.0.1:4000" }],
    ["a disconnected peer", undefined, { host: "127.0.0.1:4000" }],
    ["at a foreign name that resolves to us", "127.0.0.1", { host: "evil.test:4000" }],
    ["at a name with a loopback prefix", "127.0.0.1", { host: "127.0.0.1.evil.test" }],
    ["at a subdomain of localhost", "127.0.0.1", { host: "evil.localhost" }],
    ["without a Host header", "127.0.0.1", {}],
    [
      "a page of another origin on this machine",
      "127.0.0.1",
      { host: "127.0.0.1:4000", origin: "http://localhost:3000" },
    ],
    [
      "a frame or script of another site",
      "127.0.0.1",
      { host: "127.0.0.1:4000", "sec-fetch-site": "cross-site" },
    ],
    [
      "another port of this machine",
      "127.0.0.1",
      { host: "127.0.0.1:4000", "sec-fetch-site": "same-site" },
    ],
    ...[
      "forwarded",
      "via",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-proto",
      "x-real-ip",
    ].map((name): [string, string, Record<string, string>] => [
      `a proxy that adds ${name}`,
      "127.0.0.1",
      { host: "localhost", [name]: "x" },
    ]),
  ];
  for (const [what, peer, headers] of OTHERS) {
    it(`is not one from or behind: ${what}`, () => assert.equal(ask(peer, headers), false));
  }
});

describe("the example operations", () => {
  it("match the schema, each alone and all in one document", async () => {
    const schema = await createSchema(createTypedJobs(catalogue.values()));
    for (const { title, document } of EXAMPLE_OPERATIONS)
      assert.deepEqual(validate(schema, parse(document)), [], title);
    assert.deepEqual(
      validate(schema, parse(EXAMPLE_OPERATIONS.map(({ document }) => document).join("\n"))),
      [],
    );
  });

  it("end with the subscription, which the explorer shows first", () => {
    assert.match(EXAMPLE_OPERATIONS.at(-1)?.document ?? "", /^subscription /m);
  });
});
