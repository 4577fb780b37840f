import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { checkPackage, createPackageFromTarballData, type Problem } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const read = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;

/** The package has ES modules only: neither `require` nor TypeScript's old resolution finds it. */
const isOfModules = (problem: Problem): boolean =>
  !("resolutionKind" in problem && /^(node10|node16-cjs)$/.test(problem.resolutionKind));

describe("the packed client", () => {
  it("has the version of the service, and depends on its graphql-ws alone", () => {
    const [root, client] = [read("package.json"), read("client/package.json")];
    assert.equal(client["version"], root["version"]);
    assert.deepEqual(client["dependencies"], {
      "graphql-ws": (root["dependencies"] as Record<string, string>)["graphql-ws"],
    });
  });

  it("is installed by the examples as it is packed, whatever its bytes are", () => {
    const { version } = read("package.json") as { version: string };
    const { packages } = read("examples/package-lock.json") as {
      packages: Record<string, { resolved?: string; integrity?: string }>;
    };
    const { resolved, integrity } = packages["node_modules/photo-service-client"] ?? {};
    assert.equal(resolved, `file:../dist/package/photo-service-client-${version}.tgz`);
    assert.equal(integrity, undefined, "npm install has added it: remove that line");
  });

  it("is complete, and passes publint and arethetypeswrong", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "photo-service-pack-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    for (const part of ["package.json", "README.md", "tsconfig.json", "src"])
      cpSync(join("client", part), join(folder, "client", part), { recursive: true });
    cpSync("tsconfig.json", join(folder, "tsconfig.json"));
    const tsc = resolve("node_modules/typescript/bin/tsc");
    const types = ["--typeRoots", resolve("node_modules/@types")];
    execFileSync("ln", ["-s", resolve("node_modules"), join(folder, "node_modules")]);
    execFileSync(process.execPath, [
      tsc,
      "-p",
      join(folder, "client"),
      "--noEmit",
      "false",
      ...types,
    ]);
    const listed = execFileSync("npm", ["pack", "--json"], {
      cwd: join(folder, "client"),
      encoding: "utf8",
    });
    const [pack] = JSON.parse(listed) as [{ filename: string; files: { path: string }[] }];
    const paths = pack.files.map(({ path }) => path);
    for (const path of [
      "README.md",
      "dist/index.d.ts",
      "dist/images.js",
      "dist/groups/index.js",
      "dist/react/index.js",
      "dist/cli/main.js",
    ])
      assert.ok(paths.includes(path), path);
    assert.ok(paths.every((path) => /^dist\/|^(README\.md|package\.json)$/.test(path)));
    const { messages, pkg } = await publint({ pkgDir: join(folder, "client"), strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg as Record<string, unknown>)),
      [],
    );
    const tarball = readFileSync(join(folder, "client", pack.filename));
    const analysis = await checkPackage(createPackageFromTarballData(tarball));
    assert.deepEqual(analysis.types, { kind: "included" });
    assert.deepEqual(("problems" in analysis ? analysis.problems : []).filter(isOfModules), []);
  });
});
