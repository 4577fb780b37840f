import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDatabaseUrl, parseRedisUrl } from "../../src/runtime/store-urls.js";

describe("the URL of a store", () => {
  it("of PostgreSQL names one host, or the primary among several", () => {
    for (const url of ["postgres://u:p%40@db/photos", "postgres://u@h:6/n?host=/run/a,b"])
      assert.deepEqual(
        [parseDatabaseUrl(url).url, parseDatabaseUrl(url).needsPrimary],
        [url, false],
      );
    const rest = "photos?sslmode=require&target_session_attrs=read-write";
    assert.deepEqual(parseDatabaseUrl(`postgres://u:p@a,b:6000,[::1]:7/${rest}`), {
      url: "postgres://u:p@a/photos?sslmode=require",
      hosts: [
        { host: "a", port: 5432 },
        { host: "b", port: 6000 },
        { host: "::1", port: 7 },
      ],
      needsPrimary: true,
    });
  });

  it("of Redis names one server, sentinels with a master, or nodes of a cluster", () => {
    const single = "rediss://:p@redis:6380/1?family=6";
    assert.deepEqual(parseRedisUrl(single), { kind: "single", url: single });
    assert.deepEqual(
      parseRedisUrl("rediss+sentinel://u:p%2F@a:1,b/main?db=2&sentinelPassword=s%20s"),
      {
        kind: "sentinel",
        access: { username: "u", password: "p/", tls: {}, sentinelPassword: "s s", db: 2 },
        sentinels: [
          { host: "a", port: 1 },
          { host: "b", port: 26_379 },
        ],
        name: "main",
      },
    );
    assert.deepEqual(parseRedisUrl("redis+cluster://:p@a:1,b"), {
      kind: "cluster",
      access: { password: "p" },
      nodes: [
        { host: "a", port: 1 },
        { host: "b", port: 6379 },
      ],
    });
  });
});
