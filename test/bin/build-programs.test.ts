import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseSync } from "oxc-parser";

/** What a bundle still loads from node_modules. */
const OUTSIDE = [
  "@apollo/utils.createhash",
  "@bull-board/api",
  "@bull-board/api/bullMQAdapter",
  "@bull-board/fastify",
  "@opentelemetry/exporter-trace-otlp-http",
  "@opentelemetry/instrumentation-http",
  "@opentelemetry/instrumentation-ioredis",
  "@opentelemetry/sdk-node",
  "altair-static",
  "class-validator",
  "ioredis",
  "libheif-js/libheif-wasm/libheif-bundle.js",
  "pino",
  "sharp",
];

describe("the bundles of programs", () => {
  it("contain all libraries but those that must stay outside", () => {
    const bundles = readdirSync("dist/bin", { recursive: true, encoding: "utf8" });
    const imported = bundles
      .filter((name) => name.endsWith(".js"))
      .flatMap((name) => importsOf(join("dist/bin", name)))
      .filter((name) => !name.startsWith(".") && !isBuiltin(name));
    assert.deepEqual([...new Set(imported)].toSorted(), OUTSIDE);
  });

  it("exist for every program but those that build or watch a checkout", () => {
    const programs = (folder: string, ending: string) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(ending))
        .map((name) => name.slice(0, -ending.length));
    const bundled = new Set(programs("dist/bin", ".js"));
    assert.deepEqual(
      programs("src/bin", ".ts").filter((name) => !bundled.has(name)),
      ["build-console", "build-programs", "dev"],
    );
  });
});

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const { staticImports, dynamicImports } = parseSync(file, text).module;
  return [
    ...staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...dynamicImports
      .map(({ moduleRequest: { start, end } }) => text.slice(start, end))
      .filter((request) => request.startsWith('"'))
      .map((request) => request.slice(1, -1)),
  ];
}
