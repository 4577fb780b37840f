// Compares the variables of the compose file with those of the configuration, as the processes
// would read them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseEnv } from "node:util";
import { parseConfig, type Config } from "../src/runtime/config.js";
import { SECRET_NAMES, VARIABLE_NAMES, type VariableName } from "../src/runtime/variables.js";
import { environmentOf, readCompose, type Values } from "./deploy/compose-file.js";
import { makeSecrets, NEEDS, programOf } from "./deploy/programs.js";

/** The image sets these, and the published ports lead to them. */
const LEFT_OUT: VariableName[] = ["NODE_ENV", "HOST", "PORT", "WORKER_PORT", "EMBEDDED"];
/** Secrets that a process does not read. */
const NOT_READ: Record<string, VariableName[]> = {
  api: [],
  worker: ["JWT_PUBLIC_KEY", "JWT_JWKS_URL"],
  seed: ["JWT_PUBLIC_KEY", "JWT_JWKS_URL", "ADMIN_PASSWORD", "FILE_SIGNING_KEY"],
  migrate: ["REDIS_URL", "JWT_PUBLIC_KEY", "JWT_JWKS_URL", "ADMIN_PASSWORD", "FILE_SIGNING_KEY"],
};
const PROCESSES = ["migrate", "api", "db-admin", "queue-admin", "worker", "seed"];

/** A valid value of each variable that is not its default. */
const OTHER: Record<string, string> = {
  DATABASE_REPLICA_URL: "postgres://replica/photos",
  ADMIN_EMAILS: "ann@example.test",
  ADMIN_ACTIONS: "true",
  STORAGE_URL: "s3://bucket",
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret",
  AWS_REGION: "eu-west-1",
  AWS_ENDPOINT_URL: "http://minio:9000",
  JWT_ISSUER: "https://accounts.example.test",
  JWT_AUDIENCE: "app",
  ALLOWED_ORIGINS: "https://app.test",
  WORKER_CONCURRENCY: "3",
  WORKER_TASKS: "33",
  DISABLED_JOBS: "crop",
  ECHO: "true",
  ACCEPT_HEIC: "false",
  IMAGE_CHILDREN: "2",
  RATE_LIMIT_PER_MINUTE: "12",
  INTROSPECTION: "true",
  EXPLORER: "true",
  TRUST_PROXY: "1",
  PUBLIC_URL: "https://photos.test",
  FRONT_PAGE: "/admin/jobs",
  REVISION: "abc",
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
  LOG_FORMAT: "json",
  LOG_LEVEL: "debug",
  TASKS: "/tasks",
  WEBHOOK_EVENTS: "FAILED",
};

describe("the compose file", () => {
  const secrets = makeSecrets();
  const shipped = parseEnv(readFileSync(".env", "utf8"));
  const read = (name: string, values: Values = {}) => {
    const service = readCompose(values).services[name];
    assert.ok(service, name);
    const env = environmentOf(service, { values, secrets });
    return { program: programOf(service.command), env, service };
  };
  const configOf = (name: string, values: Values = {}): Config => {
    const { program, env } = read(name, values);
    return parseConfig(env, NEEDS[program] ?? [], { production: true });
  };

  for (const name of PROCESSES) {
    it(`passes every variable that ${name} reads, and no other`, () => {
      const { program, service } = read(name);
      const passed = Object.keys(service.environment ?? {});
      const missing = VARIABLE_NAMES.filter(
        (variable) => !passed.includes(variable) && !passed.includes(`${variable}_FILE`),
      );
      const notRead = new Set([...LEFT_OUT, ...(NOT_READ[program] ?? [])]);
      assert.deepEqual(
        missing,
        VARIABLE_NAMES.filter((variable) => notRead.has(variable)),
      );
      const names = new Set<string>(VARIABLE_NAMES);
      assert.deepEqual(
        passed.filter((one) => !names.has(one.replace(/_FILE$/, "")) && !one.startsWith("OTEL_")),
        [],
      );
    });

    it(`gives ${name} the same valid configuration with and without the shipped .env`, () => {
      const config = configOf(name, shipped);
      assert.deepEqual(config, configOf(name));
      assert.deepEqual(
        [config.production, config.host, config.port, config.workerPort, config.storageUrl],
        [true, "0.0.0.0", 4000, 4001, "file:/data/photos"],
      );
    });

    it(`gives ${name} the values of .env and of the shell`, () => {
      const numbers = VARIABLE_NAMES.filter((variable) => /^MAX_|_TTL$/.test(variable));
      const small = Object.fromEntries(numbers.map((one, i) => [one, `${i + 1}`]));
      const values: Record<string, string> = { ...small, ...OTHER };
      const { program, env } = read(name);
      // Some services differ from the API in their page.
      const page = env["FRONT_PAGE"] ? { FRONT_PAGE: env["FRONT_PAGE"] } : {};
      const expected = { ...env, ...values, ...page };
      assert.deepEqual(
        configOf(name, values),
        parseConfig(expected, NEEDS[program] ?? [], { production: true }),
      );
      const untested = VARIABLE_NAMES.filter(
        (one) =>
          !(one in values) &&
          !LEFT_OUT.includes(one) &&
          !SECRET_NAMES.some((secret) => secret === one),
      );
      assert.deepEqual(untested, []);
    });
  }

  it("lets JWT_JWKS_URL replace the public key", () => {
    const values = { JWT_JWKS_URL: "https://keys.test/jwks" };
    assert.throws(() => configOf("api", values), /JWT_PUBLIC_KEY and JWT_JWKS_URL are both set/);
    const config = configOf("api", { ...values, JWT_PUBLIC_KEY_FILE: "" });
    assert.deepEqual([config.jwtJwksUrl, config.jwtPublicKey], ["https://keys.test/jwks", null]);
  });

  it("leads / to the console, to the database page and to the queues", () => {
    assert.deepEqual(
      ["api", "db-admin", "queue-admin"].map((name) => configOf(name).frontPage),
      ["/", "/admin/db", "/admin/queues"],
    );
  });

  it("lets the processes that use a bucket or a receiver of spans reach it", () => {
    const outside = PROCESSES.filter((name) => read(name).service.networks?.includes("outside"));
    assert.deepEqual(
      outside,
      PROCESSES.filter((name) => name !== "migrate"),
    );
  });
});
