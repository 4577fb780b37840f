// Tests the layout of src/README.md: imports point down, sibling folders do not import each other,
// and each library is used in one folder.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import {
  checkedFiles,
  countLines,
  filesWith,
  findCycle,
  firstImports,
  libraryOf,
  loadedBy,
  longFunctionsIn,
  resolveImport,
  roomOf,
  sources,
} from "./support/asserts/read-sources.js";

const GROUND = ["domain", "runtime"];
const LEAVES = ["db", "queue", "events", "auth", "photos", "embedded", "observability"];

/** Folders that each folder may import, besides itself and GROUND. */
const MAY_IMPORT: Record<string, string[]> = {
  bin: ["app", "demo", "graphql", "services", "tasks", "imaging", "auth", "db", "embedded"],
  app: ["server", "graphql", "worker", "services", "tasks", "imaging", "child-pool", ...LEAVES],
  demo: ["services", "auth", "../client", "../examples"],
  server: ["graphql", "services", "auth", "photos", "db", "events", "queue"],
  graphql: ["services", "events", "photos", "tasks"],
  worker: ["services", "tasks", "child-pool", "imaging", "photos", "queue"],
  services: ["db", "queue", "events", "photos", "tasks", "imaging", "child-pool"],
  tasks: ["imaging"],
  imaging: ["child-pool"],
  "child-pool": [],
  console: ["../client"],
  ...Object.fromEntries(LEAVES.map((leaf) => [leaf, []])),
  runtime: ["domain"],
  domain: [],
};

/** Folders that may use a library; all others may be used anywhere. */
const LIBRARIES: Record<string, string[]> = {
  jose: ["auth"],
  bullmq: ["queue", "worker"],
  ioredis: ["runtime", "embedded"],
  "drizzle-orm": ["db", "services"],
  postgres: ["db", "services", "embedded"],
  "type-graphql": ["graphql"],
  "reflect-metadata": ["graphql"],
  "graphql-scalars": ["graphql"],
  dataloader: ["graphql"],
  "@apollo/server": ["server"],
  "@as-integrations/fastify": ["server"],
  fastify: ["server"],
  "@bull-board/api": ["server"],
  "@bull-board/fastify": ["server"],
  "@fastify/basic-auth": ["server"],
  "@fastify/cors": ["server"],
  "@fastify/multipart": ["server"],
  "@fastify/send": ["server"],
  "@fastify/static": ["server"],
  "altair-static": ["server"],
  "graphql-jit": ["server"],
  "graphql-sse": ["server"],
  helmet: ["server"],
  ws: ["server"],
  "graphql-ws": ["server"],
  sharp: ["imaging"],
  exifreader: ["imaging"],
  blurhash: ["imaging"],
  thumbhash: ["imaging", "console"],
  preact: ["console"],
  "@preact/signals": ["console"],
  vite: ["app", "bin"],
  "libheif-js": ["imaging"],
  pino: ["runtime"],
  "dejavu-fonts-ttf": ["tasks"],
  yazl: ["tasks"],
  standardwebhooks: ["services"],
  aws4fetch: ["photos"],
  "close-with-grace": ["runtime"],
  "cli-progress": ["demo"],
  "prom-client": ["observability"],
  "@opentelemetry/api": ["observability"],
  "@opentelemetry/sdk-node": ["observability"],
  "@opentelemetry/exporter-trace-otlp-http": ["observability"],
  "@opentelemetry/instrumentation-http": ["observability"],
  "@opentelemetry/instrumentation-ioredis": ["observability"],
};

const MAX_FILE_LINES = 300;
const MAX_FILES = 15;
const MAX_FUNCTION_LINES = 60;

describe("the architecture", () => {
  it("lets imports point down only, and never to sibling folders", () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((name) => name.startsWith("."))
        .map((name) => resolveImport(path, name))
        .filter((target) => !mayImport(path, target))
        .map((target) => `${path} imports ${target}`),
    );
    assert.deepEqual(wrong, []);
  });

  it("has every source file in a known folder", () => {
    assert.deepEqual(
      sources
        .map(({ path }) => roomOf(path))
        .filter((room) => !(room in MAY_IMPORT) && !GROUND.includes(room)),
      [],
    );
  });

  it("uses each library only in its folders", () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((name) => !(LIBRARIES[libraryOf(name)] ?? [roomOf(path)]).includes(roomOf(path)))
        .map((name) => `${path} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it("has no import cycles, not even of types", () => {
    const graph = new Map(
      sources.map(({ path, text }) => [
        path,
        firstImports(text)
          .filter((name) => name.startsWith("."))
          .map((name) => resolveImport(path, name)),
      ]),
    );
    assert.deepEqual(findCycle(graph), null);
  });

  it("reads the environment in bin/, app/ and config.ts only", () => {
    assert.deepEqual(
      filesWith(/process\.env/).filter((path) => !/^(bin|app)\/|^runtime\/config\.ts$/.test(path)),
      [],
    );
  });

  it("has no default exports, no `any` and no `console`", () => {
    assert.deepEqual(filesWith(/^export default/m), []);
    assert.deepEqual(filesWith(/(: any\b|<any>|\bas any\b)/), []);
    assert.deepEqual(filesWith(/console\./), []);
  });

  it("lets only the QueuedJob service write statuses and events", () => {
    const writes = filesWith(
      /(update|insert into|delete from) queued_jobs|insert into queued_job_events|\.ring\(/i,
    );
    assert.deepEqual(
      writes.filter((path) => !path.startsWith("services/queued-jobs")),
      [],
    );
  });

  it("loads no image libraries in API and worker, and rarely used libraries only on demand", () => {
    const { files, libraries } = loadedBy("bin/api.ts", "bin/worker.ts");
    assert.deepEqual(
      libraries.filter((name) =>
        [
          "sharp",
          "exifreader",
          "blurhash",
          "thumbhash",
          "libheif-js",
          "@bull-board/api",
          "@bull-board/fastify",
          "graphql-jit",
        ].includes(name),
      ),
      [],
    );
    assert.ok(files > 50, `only ${files} files are loaded`);
  });

  it("loads no schemas in child processes, and special libraries only on demand", () => {
    const { libraries } = loadedBy(
      "worker/child/task-child.ts",
      "tasks/thumbnail/run.ts",
      "imaging/inspect/photo-child.ts",
    );
    assert.deepEqual(
      libraries.filter((name) => ["zod", "exifreader", "blurhash", "libheif-js"].includes(name)),
      [],
    );
    assert.ok(libraries.includes("sharp"));
  });

  it("keeps files and folders small", () => {
    const long = checkedFiles.filter(
      (path) => countLines(readFileSync(path, "utf8")) > MAX_FILE_LINES,
    );
    assert.deepEqual(long, [], "only generated files may be longer");
    const folders = checkedFiles.map(dirname);
    const wide = folders.filter(
      (folder, i) =>
        folders.filter((other, j) => other === folder && j <= i).length === MAX_FILES + 1,
    );
    assert.deepEqual(wide, []);
  });

  it("keeps all functions short", () => {
    const long = checkedFiles
      .filter((path) => /\.tsx?$/.test(path))
      .map((path) => ({ path, source: readFileSync(path, "utf8") }))
      // A short file has no long function, and needs no syntax tree.
      .filter(({ source }) => source.split("\n").length > MAX_FUNCTION_LINES)
      .flatMap(({ path, source }) => longFunctionsIn(path, source, MAX_FUNCTION_LINES));
    assert.deepEqual(long, []);
  });

  it("has each test at the path of the tested file", () => {
    const stories = [
      "architecture",
      "deploy",
      "documents",
      "monitoring",
      "prose",
      "readme",
      "release",
    ];
    const tests = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".test.ts"),
    );
    // A test covers a file, a folder (a task), or one subject of a file (enqueue of queued-jobs).
    const isTested = (name: string) =>
      [
        `src/${name}.ts`,
        `src/${name}.tsx`,
        `src/${name}`,
        name,
        `${name}.ts`,
        `${name}.sh`,
        `${name}.md`,
        `${name}.yml`,
        `src/${dirname(name)}.ts`,
      ].some((path) => existsSync(path));
    // Attacks and stories test the whole service.
    const strays = tests
      .map((path) => path.replace(/\.test\.ts$/, ""))
      .filter(
        (name) => !stories.includes(name) && !/^(security|stories)\//.test(name) && !isTested(name),
      );
    assert.deepEqual(strays, []);
  });
});

function mayImport(from: string, target: string): boolean {
  const [room, other] = [
    roomOf(from),
    target.startsWith("..") ? target.split("/").slice(0, 2).join("/") : roomOf(target),
  ];
  return (
    room === other ||
    (GROUND.includes(other) && !GROUND.includes(room)) ||
    (MAY_IMPORT[room] ?? []).includes(other)
  );
}
