// What stands in the README and somewhere else is compared.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { describe, it } from "node:test";
import { parseEnv } from "node:util";
import { parseConfig } from "../src/runtime/config.js";
import { SECRET_NAMES, VARIABLE_NAMES } from "../src/runtime/variables.js";
import * as errors from "../src/domain/errors.js";

const readme = readFileSync("README.md", "utf8");

function sectionOf(heading: string): string {
  return readme.split(new RegExp(`^#+ ${heading}$`, "m"))[1]?.split(/^#+ /m)[0] ?? "";
}

/** The rows of the table under a heading, as their cells. */
function rowsUnder(heading: string): string[][] {
  return sectionOf(heading)
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
const wordsIn = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);

describe("the README", () => {
  it("describes every variable of the configuration, and no other, and marks the secrets", () => {
    const rows = rowsUnder("Configuration");
    assert.deepEqual(
      rows.map(([name]) => wordsIn(name)[0]),
      [...VARIABLE_NAMES],
    );
    assert.deepEqual(
      rows.filter(([name]) => name?.endsWith("*")).map(([name]) => wordsIn(name)[0]),
      [...SECRET_NAMES],
    );
  });

  it("has every script of package.json among its commands, and no other", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
      scripts: Record<string, string>;
    };
    const told = rowsUnder("Commands")
      .flatMap(([command]) => wordsIn(command))
      .map((command) => command.replace(/^npm (run )?/, ""));
    assert.deepEqual(
      told.toSorted(),
      Object.keys(scripts)
        .filter((name) => !/^pre(?!view)/.test(name))
        .toSorted(),
    );
  });

  it("has every code that may leave the service", () => {
    const told = rowsUnder("Handle errors").flatMap(([code]) => wordsIn(code));
    const own = Object.values(errors).flatMap((kind) => {
      const instance: unknown = Reflect.construct(kind, [[], "x"]);
      return instance instanceof errors.ServiceError && typeof instance.code === "string"
        ? [instance.code]
        : [];
    });
    assert.deepEqual(
      own.filter((code) => !told.includes(code) && !readme.includes(`\`${code}\``)),
      [],
    );
    for (const code of [
      "INTERNAL_SERVER_ERROR",
      "GRAPHQL_PARSE_FAILED",
      "GRAPHQL_VALIDATION_FAILED",
      "BAD_REQUEST",
    ])
      assert.ok(told.includes(code), code);
  });

  it("has every folder of the sources in its layout, and no other", () => {
    const told = rowsUnder("Layout").flatMap(([folder]) => wordsIn(folder));
    const folders = readdirSync("src", { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `src/${name}/`);
    assert.deepEqual(
      told.filter((folder) => /^src\/[\w-]+\/$/.test(folder)).toSorted(),
      folders.toSorted(),
    );
    for (const folder of told.filter((path) => !path.includes("*")))
      assert.ok(existsSync(folder), folder);
  });

  it("says of every dependency what it is for, and of no other", () => {
    const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
      readFileSync("package.json", "utf8"),
    ) as Record<string, Record<string, string>>;
    const told = sectionOf("Dependencies")
      .split("\n")
      .filter((line) => line.startsWith("- "))
      .flatMap((line) => wordsIn(line));
    assert.deepEqual(
      told.toSorted(),
      Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies }).toSorted(),
    );
  });

  it("names files that exist", () => {
    const paths = [...readme.matchAll(/`((?:src|test|examples|drizzle)\/[\w./-]+\.\w+)`/g)].map(
      ([, path = ""]) => path,
    );
    assert.deepEqual(
      paths.filter((path) => !existsSync(path)),
      [],
    );
    assert.ok(paths.length > 3, "no path was found at all");
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
  const paths = readFileSync("src/README.md", "utf8").split(/^## /m).slice(1);
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
