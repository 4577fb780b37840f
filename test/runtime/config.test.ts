import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { parseConfig, readEnvironment, type Config } from "../../src/runtime/config.js";
import { VARIABLE_NAMES } from "../../src/runtime/variables.js";
import { faultsOf } from "./faults-of.js";

const folder = mkdtempSync(join(tmpdir(), "photo-config-"));
after(() => rmSync(folder, { recursive: true }));
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const SECRET = "hunter2-hunter2-hunter2-hunter2-";
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24).toString("base64")}`;

describe("the configuration", () => {
  it("requires nothing in development, and only secrets have no default", () => {
    const config = parseConfig({}, ["tokens", "files"]);
    assert.deepEqual(config, {
      production: false,
      databaseUrl: null,
      databaseReplicaUrl: null,
      redisUrl: null,
      host: "127.0.0.1",
      port: 4000,
      workerPort: 4001,
      jwtPublicKey: null,
      jwtJwksUrl: null,
      jwtIssuers: [],
      jwtAudiences: [],
      adminEmails: [],
      adminPassword: null,
      adminActions: false,
      fileSigningKey: null,
      storageUrl: "file:.data/photos",
      awsAccessKeyId: null,
      awsSecretAccessKey: null,
      awsRegion: null,
      awsEndpointUrl: null,
      jobTtlSeconds: 86_400,
      eventTtlSeconds: 86_400,
      allowedOrigins: [],
      workerConcurrency: Math.min(availableParallelism(), 100),
      workerTasks: 100,
      tasks: [],
      disabledJobs: [],
      echo: true,
      maxPendingPerUser: 10_000,
      maxUploadBytes: 52_428_800,
      maxPhotoPixels: 100_000_000,
      acceptHeic: true,
      rateLimitPerMinute: 6000,
      maxSocketsPerUser: 50,
      maxSubscriptionsPerSocket: 100,
      maxOpeningSockets: 500,
      maxStoredBytesPerUser: 10_737_418_240,
      maxRecordedBytesPerUser: 1_073_741_824,
      embedded: false,
      imageChildren: 1,
      introspection: true,
      explorer: true,
      webhooks: null,
      trustProxy: 0,
      publicUrl: null,
      frontPage: "/",
      revision: null,
      otlpEndpoint: null,
      logLevel: "info",
      logFormat: null,
      dataFolder: ".data",
    });
  });

  it("contains every value of the environment", () => {
    const { dataFolder: _, ...config } = parseConfig(
      {
        NODE_ENV: "production",
        DATABASE_URL: "postgresql://u:p@db:5432/photos",
        DATABASE_REPLICA_URL: "postgres://u:p@replica/photos",
        REDIS_URL: "rediss://:p@redis:6380/1",
        HOST: "0.0.0.0",
        PORT: "80",
        WORKER_PORT: "0",
        JWT_JWKS_URL: "https://keys.test/jwks",
        JWT_ISSUER: "https://a.test, https://b.test,",
        JWT_AUDIENCE: "one",
        ADMIN_EMAILS: "Ann@Example.Test,bob@example.test",
        ADMIN_PASSWORD: "twelve or more",
        ADMIN_ACTIONS: "true",
        FILE_SIGNING_KEY: SECRET,
        STORAGE_URL: "s3://bucket/pre/fix",
        AWS_ACCESS_KEY_ID: "id",
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_REGION: "eu-west-1",
        AWS_ENDPOINT_URL: "http://minio:9000",
        MAX_JOB_TTL: "1",
        EVENT_TTL: "2",
        ALLOWED_ORIGINS: "https://app.test",
        WORKER_CONCURRENCY: "3",
        WORKER_TASKS: "4",
        TASKS: "/tasks, @my/tasks",
        DISABLED_JOBS: "echo, thumbnail",
        ECHO: "1",
        MAX_PENDING_PER_USER: "5",
        MAX_UPLOAD_BYTES: "6",
        MAX_PHOTO_PIXELS: "7",
        ACCEPT_HEIC: "false",
        IMAGE_CHILDREN: "14",
        RATE_LIMIT_PER_MINUTE: "12",
        MAX_SOCKETS_PER_USER: "8",
        MAX_SUBSCRIPTIONS_PER_SOCKET: "9",
        MAX_OPENING_SOCKETS: "10",
        MAX_STORED_BYTES_PER_USER: "11",
        MAX_RECORDED_BYTES_PER_USER: "13",
        EMBEDDED: "true",
        INTROSPECTION: "1",
        EXPLORER: "true",
        WEBHOOK_URL: "https://receiver.test/hook",
        WEBHOOK_SECRET: `${WEBHOOK_SECRET}, ${WEBHOOK_SECRET}`,
        WEBHOOK_EVENTS: "FAILED, CANCELLED",
        TRUST_PROXY: "10.0.0.1, fd00::/8",
        PUBLIC_URL: "https://photos.test",
        FRONT_PAGE: "/admin/db",
        REVISION: "abc",
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
        LOG_LEVEL: "debug",
        LOG_FORMAT: "json",
      },
      ["database", "redis", "tokens", "files"],
    );
    assert.deepEqual(config, {
      production: true,
      databaseUrl: "postgresql://u:p@db:5432/photos",
      databaseReplicaUrl: "postgres://u:p@replica/photos",
      redisUrl: "rediss://:p@redis:6380/1",
      host: "0.0.0.0",
      port: 80,
      workerPort: 0,
      jwtPublicKey: null,
      jwtJwksUrl: "https://keys.test/jwks",
      jwtIssuers: ["https://a.test", "https://b.test"],
      jwtAudiences: ["one"],
      adminEmails: ["ann@example.test", "bob@example.test"],
      adminPassword: "twelve or more",
      adminActions: true,
      fileSigningKey: SECRET,
      storageUrl: "s3://bucket/pre/fix",
      awsAccessKeyId: "id",
      awsSecretAccessKey: "secret",
      awsRegion: "eu-west-1",
      awsEndpointUrl: "http://minio:9000",
      jobTtlSeconds: 1,
      eventTtlSeconds: 2,
      allowedOrigins: ["https://app.test"],
      workerConcurrency: 3,
      workerTasks: 4,
      tasks: ["/tasks", "@my/tasks"],
      disabledJobs: ["echo", "thumbnail"],
      echo: true,
      maxPendingPerUser: 5,
      maxUploadBytes: 6,
      maxPhotoPixels: 7,
      acceptHeic: false,
      imageChildren: 14,
      rateLimitPerMinute: 12,
      maxSocketsPerUser: 8,
      maxSubscriptionsPerSocket: 9,
      maxOpeningSockets: 10,
      maxStoredBytesPerUser: 11,
      maxRecordedBytesPerUser: 13,
      embedded: true,
      introspection: true,
      explorer: true,
      webhooks: {
        url: "https://receiver.test/hook",
        secrets: [WEBHOOK_SECRET, WEBHOOK_SECRET],
        events: ["FAILED", "CANCELLED"],
      },
      trustProxy: ["10.0.0.1", "fd00::/8"],
      publicUrl: "https://photos.test",
      frontPage: "/admin/db",
      revision: "abc",
      otlpEndpoint: "http://collector:4318",
      logLevel: "debug",
      logFormat: "json",
    });
  });

  it("treats an empty variable as unset", () => {
    const empty = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, ""]));
    assert.deepEqual(parseConfig(empty, []), parseConfig({}, []));
    assert.deepEqual(parseConfig({ DATABASE_URL_FILE: "" }, []).databaseUrl, null);
  });

  it("accepts the URL of a Unix socket with a user and without a host", () => {
    for (const [url, expected] of [
      ["postgres://me@/photos?host=/run", "postgres://me@localhost/photos?host=/run"],
      ["postgresql://me:p%40@?host=/run", "postgresql://me:p%40@localhost?host=/run"],
      ["postgres:///photos?host=/run", "postgres:///photos?host=/run"],
      ["postgres://me@db/a@/b", "postgres://me@db/a@/b"],
    ])
      assert.equal(parseConfig({ DATABASE_URL: url }, []).databaseUrl, expected);
  });

  it("lists every fault in one message", () => {
    assert.throws(
      () =>
        parseConfig(
          { PORT: "x", LOG_LEVEL: "loud", WORKER_TASKS: "0", JWT_JWKS_URL: "https://keys.test" },
          ["database", "redis", "tokens"],
        ),
      {
        name: "ConfigError",
        message: [
          "The configuration has 7 faults:",
          '  - PORT is not a whole number (it is "x")',
          '  - WORKER_TASKS is less than 1 (it is "0")',
          '  - LOG_LEVEL is not a log level of pino (it is "loud")',
          "  - DATABASE_URL is not set: it names the PostgreSQL to use, as " +
            "postgres://user:password@host:5432/database",
          "  - REDIS_URL is not set: it names the Redis to use, as redis://host:6379",
          "  - JWT_ISSUER is not set: it is the required value of the claim iss",
          "  - JWT_AUDIENCE is not set: it is the required value of the claim aud",
        ].join("\n"),
      },
    );
    assert.throws(() => parseConfig({ PORT: "x" }, []), {
      message: 'The configuration has a fault:\n  - PORT is not a whole number (it is "x")',
    });
  });

  it("accepts any positive time to live and caps it at a century, because dates end", () => {
    const ttl = (text: string) =>
      parseConfig({ EVENT_TTL: text, MAX_JOB_TTL: String(Math.ceil(Number(text))) }, []);
    assert.deepEqual(
      ["0.25", "1", "90.5", "9007199254740991"].map((text) => ttl(text).eventTtlSeconds),
      [0.25, 1, 90.5, 3_155_760_000],
    );
    assert.equal(ttl("9007199254740991").jobTtlSeconds, 3_155_760_000);
  });

  it("lists the faults of a check together with all others", () => {
    const check = ({ port, jwtPublicKey }: Config) => [`the check saw ${port} and ${jwtPublicKey}`];
    assert.throws(
      () =>
        parseConfig(
          { PORT: "x", JWT_PUBLIC_KEY: "key", JWT_ISSUER: "i", JWT_AUDIENCE: "a" },
          ["tokens"],
          { check },
        ),
      { faults: ['PORT is not a whole number (it is "x")', "the check saw 4000 and key"] },
    );
  });

  it("does not report an invalid variable as missing", () => {
    assert.deepEqual(faultsOf({ DATABASE_URL: "db" }, ["database"]), [
      "DATABASE_URL is not a URL that begins with postgres:// or postgresql://",
    ]);
  });

  describe("of development", () => {
    const defaults = file(".env", "PORT=4444\nLOG_LEVEL=debug # loud\n");

    it("takes the defaults from a file and prefers the process's variables", () => {
      assert.deepEqual(readEnvironment({ LOG_LEVEL: "warn", OTHER: "x" }, defaults), {
        PORT: "4444",
        LOG_LEVEL: "warn",
        OTHER: "x",
      });
    });

    it("ignores a missing file, and every file in production", () => {
      for (const [env, path] of [
        [{ A: "1" }, join(folder, "none")],
        [{ NODE_ENV: "production" }, defaults],
      ] as const)
        assert.deepEqual(readEnvironment(env, path), env);
    });
  });
});
