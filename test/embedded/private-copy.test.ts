import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { privateCopy } from "../../src/embedded/private-copy.js";
import { createScene } from "./scene.js";

const scene = createScene();
const source = join(scene.folder, "source");
const beside = join(scene.folder, "beside");
const options = {
  source,
  name: "programs-1",
  user: undefined,
  beside,
  keep: (path: string) => !path.endsWith(".a"),
  accept: async () => true,
};
mkdirSync(join(source, "bin"), { recursive: true });
writeFileSync(join(source, "bin/program"), "1", { mode: 0o700 });
writeFileSync(join(source, "big.a"), "1");
symlinkSync("program", join(source, "bin/link"));
after(() => scene.clear());

test("copies the selected files so that all users may run them", async () => {
  const copy = await privateCopy(options);
  assert.equal(copy, join(beside, "programs-1"));
  assert.equal(statSync(join(copy, "bin/program")).mode & 0o777, 0o755);
  assert.equal(readFileSync(join(copy, "bin/link"), "utf8"), "1");
  assert.throws(() => statSync(join(copy, "big.a")), { code: "ENOENT" });
});

test("reuses a complete copy, and repairs one with deleted files", async () => {
  const program = join(beside, "programs-1/bin/program");
  const { ino } = statSync(program);
  await privateCopy(options);
  assert.equal(statSync(program).ino, ino);
  rmSync(program);
  await privateCopy(options);
  assert.equal(readFileSync(program, "utf8"), "1");
});

test("uses no folder that other users may write, and none that is not accepted", async () => {
  chmodSync(beside, 0o777);
  const copies: string[] = [];
  const accept = async (copy: string) => {
    copies.push(copy);
    return false;
  };
  assert.equal(await privateCopy({ ...options, name: "programs-test", accept }), undefined);
  assert.equal(
    copies.some((copy) => copy.startsWith(beside)),
    false,
  );
  for (const copy of copies) rmSync(copy, { recursive: true });
});
