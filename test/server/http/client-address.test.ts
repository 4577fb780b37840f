import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Fastify from "fastify";
import { createProxies, networkOf } from "../../../src/server/http/client-address.js";

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

describe("the address of a client", () => {
  for (const [trusted, forwarded, address] of CASES) {
    it(`is ${address} for trusted ${JSON.stringify(trusted)}, forwarded ${forwarded}`, async () => {
      const proxies = createProxies(trusted);
      const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
      assert.equal(proxies.addressOf({ headers, socket: { remoteAddress: PEER } }), address);
      const app = Fastify({ trustProxy: proxies.trusts });
      app.get("/", (request) => request.ip);
      assert.equal((await app.inject({ url: "/", headers, remoteAddress: PEER })).body, address);
    });
  }

  it("is found behind a trusted proxy with an IPv4-mapped IPv6 address", () => {
    assert.equal(
      createProxies(["127.0.0.0/8"]).addressOf({
        headers: { "x-forwarded-for": "1.2.3.4" },
        socket: { remoteAddress: "::ffff:127.0.0.1" },
      }),
      "1.2.3.4",
    );
  });
});

const NETWORKS: [address: string, network: string][] = [
  ["1.2.3.4", "1.2.3.4"],
  ["::ffff:1.2.3.4", "1.2.3.4"],
  ["::FFFF:102:304", "1.2.3.4"],
  ["::ffff:1.2.3.4%eth0", "1.2.3.4"],
  ["2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::"],
  ["2001:db8::1", "2001:db8::"],
  ["2001:db8:0:0:1::", "2001:db8::"],
  ["1:0:0:4::9", "1:0:0:4::"],
  ["::2:3:4:5:6:7", "0:0:2:3::"],
  ["64:ff9b::1.2.3.4", "64:ff9b::"],
  ["::1.2.3.4", "::"],
  ["::1", "::"],
  ["fe80::1%eth0", "fe80::"],
  ["UNKNOWN", "unknown"],
  ["x".repeat(100), "x".repeat(64)],
  ["", ""],
];

describe("the network of an address", () => {
  for (const [address, network] of NETWORKS)
    it(`is "${network}" for "${address}"`, () => assert.equal(networkOf(address), network));

  it('is "gone" for a disconnected peer', () => {
    assert.equal(networkOf(undefined), "gone");
  });
});
