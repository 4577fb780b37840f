import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { EmbeddedError } from "../../src/embedded/embedded-error.js";
import { openServerFolder } from "../../src/embedded/open-server-folder.js";
import { createScene } from "./scene.js";

const scene = createScene();
const dataDir = join(scene.folder, "server");
const kept = { pid: 1, close: async () => {} };
after(() => scene.clear());

test("tries another port when a port is taken during the start, and remembers it", async () => {
  const folder = await openServerFolder({ dataDir, program: "Redis" });
  const ports: number[] = [];
  const server = await folder.serve(async (port) => {
    ports.push(port);
    if (ports.length < 3)
      throw new EmbeddedError("taken", { output: "bind: Address already in use" });
    return { kept, sweep: async () => {}, url: `redis://127.0.0.1:${port}` };
  });
  assert.equal(ports.length, 3);
  assert.equal(server.port, ports[2]);
  assert.equal(readFileSync(join(dataDir, "port"), "utf8"), String(server.port));
  await server.close();
});

test("does not retry after other failures, and ignores a port file without a port", async () => {
  writeFileSync(join(dataDir, "port"), "none\n");
  const folder = await openServerFolder({ dataDir, program: "Redis" });
  let tries = 0;
  const start = async (): Promise<never> => {
    tries += 1;
    throw new EmbeddedError("broken");
  };
  await assert.rejects(folder.serve(start), { message: "broken" });
  assert.equal(tries, 1);
  await folder.close();
});
