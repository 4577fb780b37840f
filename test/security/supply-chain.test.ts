// Dependencies have fixed versions and checksums, run no install scripts, and have licences that
// this service may use.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";

interface Locked {
  version?: string;
  resolved?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  hasInstallScript?: boolean;
  license?: string;
  link?: boolean;
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Record<
  "dependencies" | "devDependencies" | "optionalDependencies",
  Record<string, string>
> & { overrides: Record<string, unknown>; allowScripts: Record<string, boolean> };
const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  lockfileVersion: number;
  packages: Record<string, Locked>;
};
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
const nameOf = (path: string) =>
  path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

/**
 * Allowed licences of production packages. LGPL is for libheif and libvips, which are unmodified
 * shared libraries and can be replaced.
 */
const LICENCES = [
  "MIT",
  "MIT-0",
  "ISC",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "Apache-2.0",
  "Unlicense",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "Python-2.0",
  "MPL-2.0",
  "PostgreSQL",
  "LGPL-3.0",
  "LGPL-3.0-or-later",
];
/** Packages without a licence of that list in package.json, with the result of a manual check. */
const CHECKED_BY_HAND: Record<string, string> = {
  "dejavu-fonts-ttf": "Bitstream Vera's, free to use, embed and redistribute",
};
describe("the dependencies", () => {
  it("have exact versions in package.json", () => {
    const versions = Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    });
    assert.deepEqual(
      versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
      [],
    );
    const overridden = JSON.stringify(manifest.overrides).match(/"[~^><=*x][^"]*"/g);
    assert.equal(overridden, null);
  });

  it("have a checksum in the lock file, and come from one registry", () => {
    assert.equal(lock.lockfileVersion, 3);
    assert.deepEqual(
      packages
        .filter(
          ([, { resolved }]) =>
            resolved !== undefined && new URL(resolved).host !== "registry.npmjs.org",
        )
        .map(([path, { resolved }]) => `${path}: ${resolved}`),
      [],
    );
    assert.deepEqual(
      packages
        .filter(([, { integrity, link }]) => link || !integrity?.startsWith("sha512-"))
        .map(([path]) => path)
        .filter((path) => !isBundled(path)),
      [],
    );
  });

  it("run no install scripts", () => {
    const scripted = [
      ...new Set(
        packages
          .filter(([, { hasInstallScript }]) => hasInstallScript)
          .map(([path]) => nameOf(path)),
      ),
    ];
    assert.deepEqual(
      scripted.filter((name) => manifest.allowScripts[name] !== false),
      [],
    );
    assert.deepEqual(Object.values(manifest.allowScripts).filter(Boolean), []);
  });

  it("have allowed licences in production", () => {
    const production = packages.filter(([, { dev }]) => !dev);
    assert.ok(production.length > 100, `only ${production.length} packages are in production`);
    const wrong = production
      .map(([path, locked]) => [nameOf(path), licenceOf(path, locked)] as const)
      .filter(([name, licence]) => !isAllowed(licence) && CHECKED_BY_HAND[name] === undefined);
    assert.deepEqual(wrong, []);
  });

  it("are updated only to versions that are at least three days old", () => {
    const { updates } = parse(readFileSync(".github/dependabot.yml", "utf8")) as {
      updates: { "package-ecosystem": string; cooldown?: { "default-days": number } }[];
    };
    assert.deepEqual(updates.map((update) => update["package-ecosystem"]).toSorted(), [
      "docker",
      "docker-compose",
      "github-actions",
      "npm",
    ]);
    assert.deepEqual(
      updates.filter(({ cooldown }) => !(Number(cooldown?.["default-days"]) >= 3)),
      [],
    );
  });

  it("are verified in CI: actions by commit, packages by signature, with read-only rights", () => {
    const workflows = readdirSync(".github/workflows").map((name) =>
      readFileSync(`.github/workflows/${name}`, "utf8"),
    );
    const actions = workflows.flatMap((text) =>
      [...text.matchAll(/uses: *(\S+)/g)].map(([, action = ""]) => action),
    );
    assert.ok(actions.length > 3, "the workflows use too few actions");
    assert.deepEqual(
      actions.filter((action) => !/@[0-9a-f]{40}$/.test(action)),
      [],
    );
    const check = readFileSync(".github/workflows/ci.yml", "utf8");
    assert.match(check, /^permissions:\n  contents: read$/m);
    assert.match(check, /npm ci\n.*npm audit signatures/);
  });

  it("are complete in the bill of materials, because no script installs others", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
      scripts: Record<string, string>;
    };
    assert.equal(
      Object.values(scripts).some((script) => /npm (install|i|exec)\b|npx /.test(script)),
      false,
      "a script installs packages that are not locked",
    );
    assert.match(
      readFileSync(".github/SECURITY.md", "utf8"),
      /npm sbom --omit dev --package-lock-only --sbom-format cyclonedx/,
    );
  });
});

/** A bundled package is covered by the checksum of the package around it. */
function isBundled(path: string): boolean {
  return (lock.packages[path] as Locked & { inBundle?: boolean }).inBundle === true;
}

/** Licence in the installed package.json, or else in the lock file. */
function licenceOf(path: string, locked: Locked): string {
  const file = join(path, "package.json");
  if (!existsSync(file)) return locked.license ?? "none";
  const { license, licenses } = JSON.parse(readFileSync(file, "utf8")) as {
    license?: string | { type: string };
    licenses?: { type: string }[];
  };
  return (
    (typeof license === "string" ? license : license?.type) ??
    licenses?.map(({ type }) => type).join(" OR ") ??
    "none"
  );
}

/** One licence of an OR must be allowed, or all licences of an AND. */
function isAllowed(licence: string): boolean {
  return licence
    .replaceAll(/[()]/g, "")
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((one) => LICENCES.includes(one.trim())));
}
