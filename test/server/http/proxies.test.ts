import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Fastify from "fastify";
import { createProxies } from "../../../src/server/http/proxies.js";

const PEER = "127.0.0.1";
const CASES: [trusted: number | string[], forwarded: string | undefined, address: string][] = [
  [0, "6.6.6.6", PEER],
  [[], "6.6.6.6", PEER],
  [1, undefined, PEER],
  [1, "6.6.6.6", "6.6.6.6"],
  [1, "6.6.6.6, 1.2.3.4", "1.2.3.4"],
  [2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"],
  [9, "1.2.3.4, 10.0.0.1", "1.2.3.4"],
  [["127.0.0.1"], "6.6.6.6, 1.2.3.4", "1.2.3.4"],
  [["10.0.0.0/8"], "6.6.6.6", PEER],
  [["127.0.0.0/8", "10.0.0.0/8"], "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"],
  [["127.0.0.1", "fd00::/8"], "6.6.6.6, 2001:db8::1, fd00::5", "2001:db8::1"],
  [["127.0.0.1"], "6.6.6.6, unknown", "unknown"],
];

describe("the proxies in front", () => {
  for (const [trusted, forwarded, address] of CASES) {
    it(
      `of which ${JSON.stringify(trusted)} are trusted, saying ${forwarded ?? "nothing"}, ` +
        `make ${address} the address, over HTTP as on a socket`,
      async () => {
        const proxies = createProxies(trusted);
        const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
        assert.equal(proxies.addressOf({ headers, socket: { remoteAddress: PEER } }), address);
        const app = Fastify({ trustProxy: proxies.trusts });
        app.get("/", (request) => request.ip);
        assert.equal((await app.inject({ url: "/", headers, remoteAddress: PEER })).body, address);
      },
    );
  }

  it("may be known by an address of IPv6 that stands for one of IPv4", () => {
    assert.equal(
      createProxies(["127.0.0.0/8"]).addressOf({
        headers: { "x-forwarded-for": "1.2.3.4" },
        socket: { remoteAddress: "::ffff:127.0.0.1" },
      }),
      "1.2.3.4",
    );
  });
});
