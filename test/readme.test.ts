// What a document and the code both say is compared.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { describe, it } from "node:test";
import { parseEnv } from "node:util";
import { buildSchema, parse, validate } from "graphql";
import { parseConfig } from "../src/runtime/config.js";
import { SECRET_NAMES, VARIABLE_NAMES } from "../src/runtime/variables.js";
import * as errors from "../src/domain/errors.js";
import { DOCUMENTS } from "./support/asserts/read-documents.js";

/** Scripts of `examples/`, which the documents name too. */
const EXAMPLE_SCRIPTS = new Set(["codegen", "react", "urql", "vite"]);
/** A file of the repository in backticks, without a placeholder. */
const PATH = /`((?:src|test|examples|drizzle|deploy|scripts|bench)\/[\w./-]+\.\w+)`/g;

/** The rows of the table under a heading of a document, as their cells. */
function rowsUnder(document: string, heading: string): string[][] {
  return sectionOf(document, heading)
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split(" | ")
        .map((cell) => cell.trim()),
    );
}
function sectionOf(document: string, heading: string): string {
  const text = readFileSync(document, "utf8");
  return text.split(new RegExp(`^#+ ${heading}$`, "m"))[1]?.split(/^#+ /m)[0] ?? "";
}
const wordsIn = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Record<
  string,
  Record<string, string>
>;

describe("README.md", () => {
  const lines = readFileSync("README.md", "utf8").trimEnd().split("\n");

  it("has at most 150 lines, and no line of prose over 120 columns", () => {
    assert.ok(lines.length <= 150, `${lines.length} lines`);
    const isProse = (line: string) => !line.startsWith("|") && !line.startsWith("![");
    assert.deepEqual(
      lines.filter((line) => isProse(line) && line.length > 120),
      [],
    );
  });

  it("has diagrams of at most 100 columns", () => {
    const blocks = lines.join("\n").split("```");
    const wide = blocks
      .filter((_, i) => i % 2 === 1)
      .flatMap((block) => block.split("\n"))
      .filter((line) => line.length > 100 && !line.startsWith("npm "));
    assert.deepEqual(wide, []);
  });

  it("shows a client of at most 15 lines", () => {
    const [, client = ""] = /```ts\n([^`]*(?:`[^`]+)*?)```/.exec(lines.join("\n")) ?? [];
    const written = client.split("\n").filter((line) => line.trim() !== "");
    assert.ok(written.length > 10 && written.length <= 15, `${written.length} lines`);
  });
});

describe("the documents", () => {
  it("describe every variable of the configuration, and no other, and mark the secrets", () => {
    const rows = rowsUnder("deploy/configuration.md", "Configuration");
    assert.deepEqual(
      rows.map(([name]) => wordsIn(name)[0]),
      [...VARIABLE_NAMES],
    );
    assert.deepEqual(
      rows.filter(([name]) => name?.endsWith("*")).map(([name]) => wordsIn(name)[0]),
      [...SECRET_NAMES],
    );
  });

  it("have every script of package.json among the commands, and no other", () => {
    const names = rowsUnder("src/README.md", "Commands")
      .flatMap(([command]) => wordsIn(command))
      .map((command) => command.replace(/^npm (run )?/, ""));
    assert.deepEqual(names.toSorted(), Object.keys(manifest["scripts"] ?? {}).toSorted());
  });

  it("have every code that may leave the service", () => {
    const guide = readFileSync("examples/README.md", "utf8");
    const codes = rowsUnder("examples/README.md", "Handle errors").flatMap(([code]) =>
      wordsIn(code),
    );
    const thrown = Object.values(errors).flatMap((kind) => {
      const instance: unknown = Reflect.construct(kind, [[], "x"]);
      return instance instanceof errors.ServiceError && typeof instance.code === "string"
        ? [instance.code]
        : [];
    });
    assert.deepEqual(
      thrown.filter((code) => !codes.includes(code) && !guide.includes(`\`${code}\``)),
      [],
    );
    for (const code of [
      "INTERNAL_SERVER_ERROR",
      "GRAPHQL_PARSE_FAILED",
      "GRAPHQL_VALIDATION_FAILED",
      "BAD_REQUEST",
    ])
      assert.ok(codes.includes(code), code);
  });

  it("show operations that fit the schema", () => {
    const schema = buildSchema(readFileSync("test/schema.graphql", "utf8"));
    const texts = ["README.md", "examples/README.md"].map((path) => readFileSync(path, "utf8"));
    const operations = texts.flatMap((text) =>
      [/"query": ?"([^"]+)"/g, /query(?::| =) `([^`]+)`/g, /query\("([^"]+)"\)/g].flatMap((form) =>
        [...text.matchAll(form)].map(([, operation = ""]) => operation),
      ),
    );
    assert.ok(operations.length >= 6, `only ${operations.length} were found`);
    assert.deepEqual(
      operations.flatMap((operation) => validate(schema, parse(operation))),
      [],
    );
  });

  it("have every folder of the sources in the layout, and no other", () => {
    const listed = rowsUnder("src/README.md", "Layout").flatMap(([folder]) => wordsIn(folder));
    const folders = readdirSync("src", { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "decisions")
      .map(({ name }) => `src/${name}/`);
    assert.deepEqual(
      listed.filter((folder) => /^src\/[\w-]+\/$/.test(folder)).toSorted(),
      folders.toSorted(),
    );
    for (const folder of listed.filter((path) => !path.includes("*")))
      assert.ok(existsSync(folder), folder);
  });

  it("explain what every dependency is for, and no other", () => {
    const { dependencies, optionalDependencies, devDependencies } = manifest;
    const explained = sectionOf("src/README.md", "Dependencies")
      .split("\n")
      .filter((line) => line.startsWith("- "))
      .flatMap((line) => wordsIn(line));
    assert.deepEqual(
      explained.toSorted(),
      Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies }).toSorted(),
    );
  });

  it("name files that exist", () => {
    const paths = DOCUMENTS.flatMap((document) =>
      [...readFileSync(document, "utf8").matchAll(PATH)].map(([, path = ""]) => path),
    );
    assert.deepEqual(
      paths.filter((path) => !existsSync(path)),
      [],
    );
    assert.ok(paths.length > 60, `only ${paths.length} paths were found`);
  });

  it("quote log lines of the runbook as the code writes them", () => {
    const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => readFileSync(`src/${path}`, "utf8"))
      .join("\n");
    const quoted = [...readFileSync("deploy/runbook.md", "utf8").matchAll(/"([a-z][a-z ]+)"/g)].map(
      ([, phrase = ""]) => phrase,
    );
    assert.ok(quoted.length >= 5, `only ${quoted.length} were found`);
    assert.deepEqual(
      quoted.filter((phrase) => !sources.includes(`"${phrase}`)),
      [],
    );
  });

  it("list every decision, each with context, alternatives, price and what was measured", () => {
    const index = readFileSync("src/decisions/README.md", "utf8");
    const files = readdirSync("src/decisions").filter((name) => /^\d{4}-/.test(name));
    assert.ok(files.length >= 11);
    for (const name of files) {
      assert.ok(index.includes(`(${name})`), name);
      const text = readFileSync(`src/decisions/${name}`, "utf8");
      assert.deepEqual(
        [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading),
        ["Context", "Decision", "Alternatives", "Price", "Measured"],
        name,
      );
    }
  });
});

describe("the commands that texts name", () => {
  const files = execFileSync("git", ["ls-files"], { encoding: "utf8" })
    .split("\n")
    .filter((path) => /\.(md|tsx?|mjs|cjs|sh|ya?ml)$|^\.ci\/|Dockerfile$/.test(path))
    // Its command is invented.
    .filter((path) => existsSync(path) && path !== "test/runtime/command-line.test.ts");

  it("are scripts of package.json, where npm runs them", () => {
    const scripts = new Set(Object.keys(manifest["scripts"] ?? {}));
    const missing = files.flatMap((path) =>
      [...readFileSync(path, "utf8").matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)]
        .map(([, name = ""]) => name)
        .filter((name) => !scripts.has(name) && !EXAMPLE_SCRIPTS.has(name))
        .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(missing, []);
  });

  it("are compiled from a source, where node runs them", () => {
    const missing = files.flatMap((path) =>
      [...readFileSync(path, "utf8").matchAll(/node (dist\/[\w./-]+)\.js/g)]
        .map(([, file = ""]) => file.replace(/^dist\//, "").replace(/^bin\//, "src/bin/"))
        .filter((file) => !existsSync(`${file}.ts`))
        .map((file) => `${path}: ${file}`),
    );
    assert.deepEqual(missing, []);
  });
});

describe("the file .env", () => {
  it("says what the configuration would be without it, and holds no secret", () => {
    const values = parseEnv(readFileSync(".env", "utf8"));
    assert.deepEqual(parseConfig(values, []), parseConfig({}, []));
    assert.deepEqual(
      SECRET_NAMES.filter((name) => name in values),
      [],
    );
    assert.deepEqual(
      Object.keys(values).filter((name) => !(VARIABLE_NAMES as string[]).includes(name)),
      [],
    );
  });
});

describe("the paths in src/README.md", () => {
  const paths = readFileSync("src/README.md", "utf8")
    .split(/^## /m)
    .filter((section) => /^(A request|A job|An event)/.test(section));
  const filesOf = (path: string) =>
    [...path.matchAll(/^\d+\. `(src\/[^`]+)`/gm)].map(([, file = ""]) => file);
  const nameOf = (file: string) => basename(file).replace(/\.ts$/, ".js");

  it("open at most 20 files for a request, 18 for a job and 14 for an event", () => {
    const counts = paths.map((path) => filesOf(path).length);
    assert.deepEqual(
      counts.map((count, i) => count > 10 && count <= ([20, 18, 14][i] ?? 0)),
      [true, true, true],
      counts.join(", "),
    );
  });

  it("name files of which each imports one before it, or is imported by one", () => {
    const isImported = (by: string, file: string) =>
      readFileSync(by, "utf8").includes(`/${nameOf(file)}"`);
    const apart = paths.flatMap((path) => {
      const files = filesOf(path);
      const isLinked = (file: string, i: number) =>
        files.slice(0, i).some((other) => isImported(other, file) || isImported(file, other));
      return files.filter((file, i) => i > 0 && !isLinked(file, i));
    });
    assert.deepEqual(apart, []);
  });
});
