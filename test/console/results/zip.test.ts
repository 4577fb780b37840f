import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { zipOf } from "../../../src/console/results/zip.js";

const NO_UNZIP = spawnSync("unzip", ["-v"]).status === 0 ? false : "unzip is not installed";

it(
  "the page's ZIP file is unpacked by unzip, with all names and bytes",
  { skip: NO_UNZIP },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "zip-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "all.zip");
    const files = ["320w.webp", "über.jpg"].map((name, i) => ({
      name,
      bytes: Uint8Array.from({ length: 70_000 * i + 3 }, (_, n) => n * 7),
    }));
    writeFileSync(path, Buffer.from(await zipOf(files).arrayBuffer()));
    const unzip = (...options: string[]) =>
      execFileSync("unzip", [...options, path], { env: { ...process.env, LC_ALL: "C.UTF-8" } });
    assert.match(unzip("-t").toString(), /No errors detected/);
    assert.equal(unzip("-Z1").toString(), "320w.webp\nüber.jpg\n");
    assert.deepEqual(unzip("-p"), Buffer.concat(files.map(({ bytes }) => bytes)));
  },
);
