// Compares the dashboard and the alerts with the metrics of a running service in which every kind
// of event has happened.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { OPERATOR_PASSWORD, scrape } from "./support/clients/scrape.js";
import { startTestService } from "./support/service/test-service.js";

const PROMTOOL = process.env["PROMTOOL"] ?? "/usr/bin/promtool";
const NO_PROMTOOL =
  !existsSync(PROMTOOL) &&
  "promtool was not found: apt-get install -y promtool, or set PROMTOOL to its path";

interface Dashboard {
  panels: {
    id: number;
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    datasource: { uid: string };
    targets: { expr: string }[];
  }[];
}

const read = (name: string) => readFileSync(`deploy/monitoring/${name}`, "utf8");
const dashboard = JSON.parse(read("grafana/dashboards/photo-service.json")) as Dashboard;
const alerts = [
  ...read("alerts.yml").matchAll(
    new RegExp(
      String.raw`- alert: (\w+)\n\s+expr: (.+)\n(?:\s+for: .+\n)?` +
        String.raw`\s+labels: \{ severity: (\w+) \}\n\s+annotations: \{ summary: "(.+)" \}`,
      "g",
    ),
  ),
].map(([, name = "", expr = "", severity = "", summary = ""]) => ({
  name,
  expr,
  severity,
  summary,
}));
const ADAPTER = "deploy/k8s/examples/autoscaling/prometheus-adapter.yaml";
const autoscaled = readFileSync(ADAPTER, "utf8").match(/photos_\w+/g) ?? [];
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...alerts.map(({ expr }) => expr),
];

describe("the dashboard and the alerts", () => {
  it("use only exported metrics and labels, and all metrics of the service", async () => {
    const service = await startTestService({
      workers: 0,
      env: {
        ADMIN_PASSWORD: OPERATOR_PASSWORD,
        WEBHOOK_URL: "http://127.0.0.1:1/",
        WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString("base64")}`,
      },
    });
    const worker = await service.addWorker();
    const person = await service.person();
    const stream = person.events({ after: await person.cursor() });
    await person.finished((await person.enqueue("echo")).id);
    await stream.next("the end", ({ type }) => type === "SUCCEEDED");
    await person.ask("{ nothing }");
    stream.stop();
    const pages = await Promise.all([scrape(service.url), scrape(worker.url)]);
    await service.close();

    const exported = new Set(pages.flatMap(({ names }) => [...names]));
    const named = new Set(
      expressions
        .flatMap((expr) => expr.match(/\b(?:photos|nodejs|process)_\w+/g) ?? [])
        .map((name) => name.replace(/_(bucket|sum|count)$/, "")),
    );
    assert.deepEqual(
      [...named, ...autoscaled].filter((name) => !exported.has(name)),
      [],
    );
    const serviceMetrics = [...exported].filter((name) => name.startsWith("photos_"));
    assert.deepEqual(
      serviceMetrics.filter((name) => !named.has(name)),
      [],
    );
    const text = pages.map((page) => page.text).join("\n");
    for (const expr of expressions) {
      for (const [, labels = ""] of expr.matchAll(/by \(([^)]*)\)/g))
        for (const label of labels.split(", "))
          assert.ok(
            label === "instance" || label === "le" || text.includes(`${label}="`),
            `${label} in ${expr}`,
          );
      for (const [, label = ""] of expr.matchAll(/[{,]\s*(\w+)(?==~?"|!=")/g))
        assert.ok(["job"].includes(label) || text.includes(`${label}="`), `${label} in ${expr}`);
    }
  });

  it("fire in their stories, and not for a healthy service", { skip: NO_PROMTOOL }, () => {
    assert.match(
      execFileSync(PROMTOOL, ["test", "rules", "deploy/monitoring/alerts.test.yml"], {
        encoding: "utf8",
        stdio: "pipe",
      }),
      /SUCCESS/,
    );
  });

  it("have a story for each alert in which it fires", () => {
    const fired = (
      parse(read("alerts.test.yml")) as {
        tests: { alert_rule_test: { alertname: string; exp_alerts?: object[] }[] }[];
      }
    ).tests.flatMap((one) =>
      one.alert_rule_test.filter((check) => check.exp_alerts).map(({ alertname }) => alertname),
    );
    assert.deepEqual(
      alerts.map(({ name }) => name).filter((name) => !fired.includes(name)),
      [],
    );
  });

  it("have a severity, a summary and a runbook entry per alert, and a place per panel", () => {
    assert.equal(alerts.length, read("alerts.yml").match(/- alert:/g)?.length);
    assert.deepEqual([...new Set(alerts.map(({ severity }) => severity))].toSorted(), [
      "page",
      "ticket",
    ]);
    const runbook = readFileSync("deploy/runbook.md", "utf8");
    assert.deepEqual(
      alerts.map(({ name }) => name).filter((name) => !runbook.includes(`\`${name}\``)),
      [],
    );
    const places = dashboard.panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
    assert.equal(new Set(places).size, places.length);
    assert.deepEqual(
      [...new Set(dashboard.panels.map(({ datasource }) => datasource.uid))],
      [/uid: (\w+)/.exec(read("grafana/provisioning/datasources/prometheus.yml"))?.[1]],
    );
    for (const expr of expressions)
      for (const [open, close] of ["()", "{}", "[]"].map((pair) => [...pair]))
        assert.equal(expr.split(open ?? "").length, expr.split(close ?? "").length, expr);
  });
});
