// What comes from others: fixed to the byte, run by nobody on installation, and under licences that
// the product may carry.
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
 * Licences of what is installed in production. LGPL is libheif's and libvips's, which are loaded as
 * they are and can be exchanged.
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
/** Whose package.json names no licence of that list, and what was found when somebody looked. */
const LOOKED_AT: Record<string, string> = {
  "dejavu-fonts-ttf": "Bitstream Vera's, free to use, embed and redistribute",
};
describe("what comes from others", () => {
  it("is asked for in one version each", () => {
    const asked = Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    });
    assert.deepEqual(
      asked.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
      [],
    );
    const overridden = JSON.stringify(manifest.overrides).match(/"[~^><=*x][^"]*"/g);
    assert.equal(overridden, null);
  });

  it("is locked to the byte, and comes from one registry", () => {
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

  it("runs nothing when it is installed", () => {
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

  it("may be used: every licence of production is one that was agreed to", () => {
    const production = packages.filter(([, { dev }]) => !dev);
    assert.ok(production.length > 100, `only ${production.length} were found`);
    const wrong = production
      .map(([path, locked]) => [nameOf(path), licenceOf(path, locked)] as const)
      .filter(([name, licence]) => !isAllowed(licence) && LOOKED_AT[name] === undefined);
    assert.deepEqual(wrong, []);
  });

  it("is some days old before it is taken over, of every kind", () => {
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

  it(
    "is in the pipeline what somebody looked at: actions by their commit, packages by " +
      "their signatures, and no right but to read",
    () => {
      const workflows = readdirSync(".github/workflows").map((name) =>
        readFileSync(`.github/workflows/${name}`, "utf8"),
      );
      const used = workflows.flatMap((text) =>
        [...text.matchAll(/uses: *(\S+)/g)].map(([, action = ""]) => action),
      );
      assert.ok(used.length > 3, "no action was found at all");
      assert.deepEqual(
        used.filter((action) => !/@[0-9a-f]{40}$/.test(action)),
        [],
      );
      const check = readFileSync(".github/workflows/ci.yml", "utf8");
      assert.match(check, /^permissions:\n  contents: read$/m);
      assert.match(check, /npm ci\n.*npm audit signatures/);
    },
  );

  it("is what the bill of materials will say: npm sbom reads the same lock file", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
      scripts: Record<string, string>;
    };
    assert.equal(
      Object.values(scripts).some((script) => /npm (install|i|exec)\b|npx /.test(script)),
      false,
      "a script would install what is not locked",
    );
    assert.match(
      readFileSync(".github/SECURITY.md", "utf8"),
      /npm sbom --omit dev --package-lock-only --sbom-format cyclonedx/,
    );
  });
});

/** Inside of another package, whose own checksum covers it. */
function isBundled(path: string): boolean {
  return (lock.packages[path] as Locked & { inBundle?: boolean }).inBundle === true;
}

/** As the installed package says, which the lock file repeats. */
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

/** One of a choice is enough; of a sum every one must be. */
function isAllowed(licence: string): boolean {
  return licence
    .replaceAll(/[()]/g, "")
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((one) => LICENCES.includes(one.trim())));
}
