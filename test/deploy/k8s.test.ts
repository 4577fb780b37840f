import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { parseConfig } from "../../src/runtime/config.js";
import { SECRET_NAMES } from "../../src/runtime/variables.js";
import { makeSecrets, NEEDS, programOf, unknown } from "./programs.js";

interface Container {
  args?: string[];
  image: string;
  env?: { name: string; value?: string }[];
  envFrom?: { configMapRef: { name: string } }[];
  livenessProbe?: { httpGet: { path: string } };
  readinessProbe?: { httpGet: { path: string } };
  startupProbe?: { httpGet: { path: string } };
  securityContext: Record<string, unknown>;
  resources: { limits: { memory?: string } };
}

interface Manifest {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec?: {
    template?: {
      spec: {
        containers: Container[];
        terminationGracePeriodSeconds?: number;
        securityContext: Record<string, unknown>;
        volumes: { secret?: { items: { key: string; path: string }[] } }[];
      };
    };
  };
}

interface Autoscaler {
  spec: {
    scaleTargetRef: { name: string };
    maxReplicas: number;
    metrics: { external?: { metric: { name: string } } }[];
  };
}

describe("the Kubernetes manifests", () => {
  const secrets = makeSecrets();
  const manifests = readdirSync("deploy/k8s/base")
    .filter((file) => file !== "kustomization.yaml")
    .flatMap((file) =>
      parseAllDocuments(readFileSync(join("deploy/k8s/base", file), "utf8")).map(
        (document) => document.toJS() as Manifest,
      ),
    );
  const pods = manifests.flatMap((manifest) =>
    manifest.spec?.template
      ? [{ name: manifest.metadata.name, ...manifest.spec.template.spec }]
      : [],
  );
  const maps = Object.fromEntries(
    manifests
      .filter(({ kind }) => kind === "ConfigMap")
      .map(({ metadata, data }) => [metadata.name, data ?? {}]),
  );

  it("contain API, worker and migration, and disruption budgets for API and worker", () => {
    assert.deepEqual(
      manifests
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
        .filter((name) => /^(Deployment|Job|Pod)/.test(name))
        .toSorted(),
      [
        "Deployment api",
        "Deployment worker",
        "Job migrate",
        "PodDisruptionBudget api",
        "PodDisruptionBudget worker",
      ],
    );
    const resources = (
      parse(readFileSync("deploy/k8s/base/kustomization.yaml", "utf8")) as { resources: string[] }
    ).resources;
    assert.deepEqual(
      resources.toSorted(),
      readdirSync("deploy/k8s/base")
        .filter((file) => file !== "kustomization.yaml")
        .toSorted(),
    );
  });

  it("drop all privileges, set memory limits, and probe the right health endpoints", () => {
    for (const {
      name,
      containers,
      securityContext,
      terminationGracePeriodSeconds: grace = 30,
    } of pods) {
      assert.equal(securityContext["runAsNonRoot"], true);
      for (const {
        securityContext: rights,
        resources,
        livenessProbe,
        readinessProbe,
        startupProbe,
      } of containers) {
        assert.deepEqual(rights, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        assert.ok(resources.limits.memory, name);
        if (name === "migrate") continue;
        assert.deepEqual(
          [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet.path),
          ["/health/live", "/health/live", "/health/ready"],
        );
        assert.ok(grace > (name === "worker" ? 35 : 25), name);
      }
    }
  });

  it("give each program a configuration that it starts with, secrets by reference only", () => {
    for (const { name, containers, volumes } of pods) {
      for (const { args, env = [], envFrom = [] } of containers) {
        const values: Record<string, string> = Object.assign(
          {},
          ...envFrom.map(({ configMapRef }) => maps[configMapRef.name]),
          Object.fromEntries(env.map((one) => [one.name, one.value ?? ""])),
        );
        assert.deepEqual(
          [
            name,
            unknown(Object.keys(values)),
            SECRET_NAMES.filter((secret) => secret in values && secret !== "JWT_JWKS_URL"),
          ],
          [name, [], []],
        );
        const mounted = volumes.flatMap(
          ({ secret }) =>
            secret?.items.map(({ path }) => `/run/secrets/photo-service/${path}`) ?? [],
        );
        const files = Object.entries(values).filter(([variable]) => variable.endsWith("_FILE"));
        assert.deepEqual(
          files.map(([, path]) => path).filter((path) => !mounted.includes(path)),
          [],
          name,
        );
        const inPlace = Object.fromEntries(
          files.map(([variable, path]) => [
            variable,
            join(
              secrets,
              path
                .split("/")
                .at(-1)
                ?.replaceAll("-", "_")
                .replace(/^aws.*/, "admin_password") ?? "",
            ),
          ]),
        );
        assert.doesNotThrow(
          () => parseConfig({ ...values, ...inPlace }, NEEDS[programOf(args)] ?? []),
          name,
        );
        if (name !== "migrate")
          assert.ok("ADMIN_PASSWORD_FILE" in values, `${name} has no metrics`);
      }
    }
  });

  it("scale workers by an age that the adapter exports, to no more processes than fit", () => {
    const folder = "deploy/k8s/examples/autoscaling";
    const read = (file: string) => parse(readFileSync(join(folder, file), "utf8")) as never;
    const { resources } = read("kustomization.yaml") as { resources: string[] };
    const scalers = resources.map((file) => read(file) as Autoscaler);
    const adapter = read("prometheus-adapter.yaml") as {
      rules: { external: { name: { as: string } }[] };
    };
    assert.deepEqual(
      scalers.map(({ spec }) => spec.scaleTargetRef.name),
      ["worker", "api"],
    );
    assert.deepEqual(
      scalers.flatMap(({ spec }) => spec.metrics.flatMap(({ external }) => external?.metric ?? [])),
      adapter.rules.external.map(({ name }) => ({ name: name.as })),
    );
    const readme = readFileSync("deploy/README.md", "utf8");
    const clients = Number(/max_client_conn = (\d+)/.exec(readme)?.[1]);
    const each = Number(/`max_client_conn` \| (\d+) × processes/.exec(readme)?.[1]);
    const processes = scalers.reduce((sum, { spec }) => sum + spec.maxReplicas, 0);
    assert.equal(processes, 40);
    assert.ok(processes * each <= clients, `${processes} × ${each} > ${clients}`);
  });

  it("trust no proxy by default, and one proxy in the example", () => {
    assert.deepEqual(
      Object.values(maps).filter((map) => "TRUST_PROXY" in map),
      [],
    );
    const { patches } = parse(readFileSync("deploy/k8s/examples/kustomization.yaml", "utf8")) as {
      patches: { patch: string }[];
    };
    const added = Object.fromEntries(
      patches.flatMap(({ patch }) =>
        (parse(patch) as { path: string; value: string }[]).map(({ path, value }) => [
          path.replace("/data/", ""),
          value,
        ]),
      ),
    );
    assert.deepEqual(
      [parseConfig(added, []).trustProxy, parseConfig(added, []).publicUrl],
      [1, "https://photos.example.com"],
    );
  });
});
