import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Rig } from "../rig.js";
import { THUMBNAIL_QUALITY, THUMBNAIL_WIDTHS } from "./graphql-peer.js";

/**
 * sharp and nothing else, in a process of its own, with as many photos in flight as there are
 * cores; resolves with the seconds it took.
 */
export async function runBareSharp(rig: Rig, photos: readonly Buffer[]): Promise<number> {
  const folder = join(rig.folder, "bare-photos");
  await mkdir(folder, { recursive: true });
  const files = await Promise.all(
    photos.map(async (photo, i) => {
      const file = join(folder, `${i}.jpg`);
      await writeFile(file, photo);
      return file;
    }),
  );
  const child = fork(fileURLToPath(new URL("./bare/thumbnails.js", import.meta.url)), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  child.send({ files, widths: THUMBNAIL_WIDTHS, quality: THUMBNAIL_QUALITY });
  const seconds = await Promise.race([
    once(child, "message").then(([said]) => said as number),
    ended.then(() => null),
  ]);
  await ended;
  if (seconds === null) throw new Error("bare sharp ended without an answer");
  return seconds;
}
