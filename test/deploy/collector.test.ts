// Checks deploy/collector.md by what its configuration would make of a line that the service really
// writes. The collector itself is not run.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { parse } from "yaml";
import { eventually } from "../support/runner/eventually.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

type Named = Record<string, unknown>;
interface Operator {
  type: string;
  from?: string;
  to?: string;
  field?: string;
  severity?: { parse_from: string; mapping: Record<string, number> };
}
interface Common {
  receivers: Named & { filelog: { resource: Named; operators: Operator[] } };
  processors: Named;
}
interface Exporting {
  exporters: Named;
  service: {
    pipelines: Record<string, Record<"receivers" | "processors" | "exporters", string[]>>;
  };
}

const page = readFileSync("deploy/collector.md", "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"))].map(
    ([, text = ""]) => text,
  );
const [common, ...exporting] = blocks("yaml").map((text) => parse(text) as unknown) as [
  Common,
  ...Exporting[],
];
const [line = {}, datadog = {}, splunk = {}] = blocks("json").map(
  (text) => JSON.parse(text) as Named,
);

/** What the operators of the page make of a line: its body, attributes and severity. */
function collected(written: Named) {
  const attributes = { ...written };
  let body: unknown = JSON.stringify(written);
  let severity: string | undefined;
  const nameIn = (path = "") => path.replace(/^attributes\./, "");
  for (const { type, from, to, field, severity: level } of common.receivers.filelog.operators) {
    if (level)
      severity = Object.keys(level.mapping).find(
        (one) => level.mapping[one] === attributes[nameIn(level.parse_from)],
      );
    if (type === "move" && to === "body") body = attributes[nameIn(from)];
    if (type === "move" || type === "remove") delete attributes[nameIn(from ?? field)];
  }
  return { body, attributes, severity };
}

describe("the page about the collector", () => {
  let service: TestService;
  let real: Named;
  before(async () => {
    service = await startTestService();
    const person = await service.person();
    const { id } = await person.enqueue("echo");
    await person.finished(id);
    real = await eventually("the last step is logged", () =>
      service.logged.find(({ queuedJobId, type }) => queuedJobId === id && type === "SUCCEEDED"),
    );
  });
  after(() => service.close());

  it("has configurations whose pipelines use everything that they define", () => {
    assert.equal(exporting.length, 2);
    for (const {
      exporters,
      service: { pipelines },
    } of exporting) {
      const used = (part: "receivers" | "processors" | "exporters") =>
        [...new Set(Object.values(pipelines).flatMap((pipeline) => pipeline[part]))].toSorted();
      assert.deepEqual(used("receivers"), Object.keys(common.receivers).toSorted());
      assert.deepEqual(used("processors"), Object.keys(common.processors).toSorted());
      assert.deepEqual(used("exporters"), Object.keys(exporters).toSorted());
    }
  });

  it("shows a line with the fields of a real one", () => {
    // The tests' logger has no name.
    assert.deepEqual(Object.keys(line).toSorted(), [...Object.keys(real), "name"].toSorted());
    for (const [name, value] of Object.entries(real))
      assert.equal(typeof line[name], typeof value, name);
    assert.deepEqual([line["type"], line["msg"]], [real["type"], real["msg"]]);
  });

  it("shows that line in Datadog's and in Splunk's form", () => {
    const { body, attributes, severity } = collected(line);
    const resource = common.receivers.filelog.resource;
    assert.deepEqual(datadog, {
      timestamp: line["time"],
      status: severity,
      service: resource["service.name"],
      message: body,
      attributes,
    });
    assert.deepEqual(splunk, {
      time: Number(line["time"]) / 1000,
      sourcetype: "photo-service",
      event: body,
      fields: { ...resource, "otel.log.severity.text": severity?.toUpperCase(), ...attributes },
    });
  });

  it("maps the level of every kind of line", () => {
    const severities = [10, 20, 30, 40, 50, 60].map((level) => collected({ level }).severity);
    assert.deepEqual(severities, ["trace", "debug", "info", "warn", "error", "fatal"]);
  });

  it("asks for fields that the lines have", () => {
    const rows = page.split("\n").filter((row) => row.startsWith("| "));
    const names = rows.flatMap((row) =>
      [...row.matchAll(/@(\w+)|(\w+)::/g)].map(([, one, other]) => one ?? other ?? ""),
    );
    assert.ok(names.length > 10, String(names));
    const { attributes } = collected(line);
    assert.deepEqual(
      names.filter((name) => !(name in attributes)),
      [],
    );
  });
});
