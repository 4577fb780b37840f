import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Rig } from "../rig.js";
import { THUMBNAIL_QUALITY, THUMBNAIL_WIDTHS } from "./graphql-peer.js";

/** Runs sharp alone in a separate process. Resolves with the seconds. */
export async function runBareSharp(
  rig: Rig,
  photos: readonly Buffer[],
  script: "thumbnails" | "images" = "thumbnails",
): Promise<number> {
  const folder = join(rig.folder, "bare-photos");
  await mkdir(folder, { recursive: true });
  const files = await Promise.all(
    photos.map(async (photo, i) => {
      const file = join(folder, `${i}.jpg`);
      await writeFile(file, photo);
      return file;
    }),
  );
  const child = fork(fileURLToPath(new URL(`./bare/${script}.js`, import.meta.url)), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  child.send({ files, widths: THUMBNAIL_WIDTHS, quality: THUMBNAIL_QUALITY });
  const seconds = await Promise.race([
    once(child, "message").then(([message]) => message as number),
    ended.then(() => null),
  ]);
  await ended;
  if (seconds === null) throw new Error("bare sharp ended without a result");
  return seconds;
}
