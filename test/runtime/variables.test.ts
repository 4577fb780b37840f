import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Environment } from "../../src/runtime/config.js";
import { faultsOf } from "./faults-of.js";

const SECRET = "hunter2-hunter2-hunter2-hunter2-";
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32).toString("base64")}`;

describe("invalid variables", () => {
  const faults: [env: Environment, fault: string][] = [
    [{ PORT: "eighty" }, 'PORT is not a whole number (it is "eighty")'],
    [{ PORT: "-1" }, 'PORT is not a whole number (it is "-1")'],
    [{ PORT: "1e3" }, 'PORT is not a whole number (it is "1e3")'],
    [{ PORT: "65536" }, 'PORT is more than 65535 (it is "65536")'],
    [{ MAX_JOB_TTL: "0" }, 'MAX_JOB_TTL is less than 1 (it is "0")'],
    ...["0", "0.0"].map((text): [Environment, string] => [
      { EVENT_TTL: text },
      `EVENT_TTL is not more than 0 (it is "${text}")`,
    ]),
    ...["-1", "1h", "1e3", ".5", "Infinity"].map((text): [Environment, string] => [
      { EVENT_TTL: text },
      `EVENT_TTL is not a number (it is "${text}")`,
    ]),
    [{ EMBEDDED: "yes" }, 'EMBEDDED is neither true nor false (it is "yes")'],
    ...[
      "true",
      "proxy.test",
      "10.0.0.0/33",
      "::1/129",
      "10.0.0.1/",
      "10.0.0.0/8/8",
      "10.0.0.1,,",
      "100",
    ].map((text): [Environment, string] => [
      { TRUST_PROXY: text },
      "TRUST_PROXY is neither a number of proxies nor a list of their addresses or " +
        `networks (it is "${text}")`,
    ]),
    [{ LOG_FORMAT: "xml" }, 'LOG_FORMAT is neither pretty nor json (it is "xml")'],
    [{ LOG_LEVEL: "loud" }, 'LOG_LEVEL is not a log level of pino (it is "loud")'],
    ...["/var/photos", "file:", "s3://", "s3://B", "s3://a/b c", "s3:bucket", "https://bucket"].map(
      (url): [Environment, string] => [
        { STORAGE_URL: url },
        `STORAGE_URL is neither file:<folder> nor s3://<bucket>[/<prefix>] (it is "${url}")`,
      ],
    ),
    [
      { AWS_ENDPOINT_URL: "minio:9000" },
      'AWS_ENDPOINT_URL is not a URL that begins with https:// or http:// (it is "minio:9000")',
    ],
    [
      { PUBLIC_URL: "photos.test" },
      'PUBLIC_URL is not a URL that begins with https:// or http:// (it is "photos.test")',
    ],
    ...["admin", "//evil.test", "https://evil.test", "/\\evil.test", "/a b"].map(
      (path): [Environment, string] => [
        { FRONT_PAGE: path },
        `FRONT_PAGE is not a path such as /admin/db (it is "${path}")`,
      ],
    ),
    ...[
      ["mysql://db", "is not a URL that begins with postgres:// or postgresql://"],
      ["postgres://a:1,b:x/n", "is not a URL that begins with postgres:// or postgresql://"],
      [
        "postgres://a:1,b:2/n",
        "names several hosts: add target_session_attrs=read-write, so that the primary is used",
      ],
      [
        "postgres://a/n?target_session_attrs=standby",
        "has target_session_attrs=standby: allowed are read-write, primary and any",
      ],
    ].map(([url = "", fault = ""]): [Environment, string] => [
      { DATABASE_URL: url },
      `DATABASE_URL ${fault}`,
    ]),
    ...[
      [
        "redis",
        "is not a URL that begins with redis://, redis+sentinel:// or redis+cluster://, or with " +
          "rediss instead of redis for TLS",
      ],
      ["redis://a,b", "names several hosts: begin with redis+sentinel:// or redis+cluster://"],
      ["redis+cluster://a:1,b:x", "has a host that is not written as host or host:port"],
      ["redis+cluster://", "names no host"],
      [
        "redis+cluster://a:1/2",
        "has more than hosts: a cluster has one database and no parameters",
      ],
      [
        "redis+sentinel://a:1,b:2",
        "names no master: end with its name, as in redis+sentinel://host:26379/name",
      ],
      ["redis+sentinel://a/name?db=x", "has a db that is not a whole number"],
      [
        "redis+sentinel://a/name?database=1",
        "has the parameter database: allowed are db, sentinelUsername, sentinelPassword",
      ],
    ].map(([url = "", fault = ""]): [Environment, string] => [
      { REDIS_URL: url },
      `REDIS_URL ${fault}`,
    ]),
    [{ ADMIN_PASSWORD: "11-chars-as" }, "ADMIN_PASSWORD is shorter than 12 characters"],
    [{ FILE_SIGNING_KEY: "short" }, "FILE_SIGNING_KEY is shorter than 32 characters"],
    [{ FILE_SIGNING_KEY: " , " }, "FILE_SIGNING_KEY is shorter than 32 characters"],
    [
      { FILE_SIGNING_KEY: `${SECRET},${SECRET.slice(1)}` },
      "FILE_SIGNING_KEY has a key, number 2 of 2, that is shorter than 32 characters",
    ],
    [
      { FILE_SIGNING_KEY: `short , ${SECRET},` },
      "FILE_SIGNING_KEY has a key, number 1 of 2, that is shorter than 32 characters",
    ],
    ...["ftp://receiver.test", "receiver.test", "file:///etc/passwd"].map(
      (url): [Environment, string] => [
        { WEBHOOK_URL: url },
        "WEBHOOK_URL is not a URL that begins with https:// or http://",
      ],
    ),
    [
      { WEBHOOK_URL: "https://a:b@receiver.test", WEBHOOK_SECRET },
      "WEBHOOK_URL contains a user or a password, which requests cannot carry",
    ],
    ...["whsec_", "whsec_c2hvcnQ=", `whsec_${WEBHOOK_SECRET}`, WEBHOOK_SECRET.slice(6)].map(
      (secret): [Environment, string] => [
        { WEBHOOK_SECRET: secret },
        "WEBHOOK_SECRET is not whsec_ with 24 to 64 random bytes in base64",
      ],
    ),
    [
      { WEBHOOK_SECRET: `${WEBHOOK_SECRET},short` },
      "WEBHOOK_SECRET has a secret, number 2 of 2, that is not whsec_ with 24 to 64 random " +
        "bytes in base64",
    ],
    [
      { WEBHOOK_EVENTS: "SUCCEEDED,DELETED" },
      'WEBHOOK_EVENTS is not a list of SUCCEEDED, FAILED, CANCELLED (it is "SUCCEEDED,DELETED")',
    ],
    [{ WEBHOOK_EVENTS: "," }, 'WEBHOOK_EVENTS names no type of event (it is ",")'],
    [
      { WORKER_CONCURRENCY: "8", WORKER_TASKS: "7" },
      "WORKER_TASKS (7) is less than WORKER_CONCURRENCY (8): photos are tasks too",
    ],
    [
      { JWT_PUBLIC_KEY: "a", JWT_JWKS_URL: "https://keys.test" },
      "JWT_PUBLIC_KEY and JWT_JWKS_URL are both set: set only one of them to verify tokens",
    ],
  ];
  for (const [env, fault] of faults)
    it(`are refused: ${fault}`, () => assert.deepEqual(faultsOf(env), [fault]));
});
