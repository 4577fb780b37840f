import { createReadStream } from "node:fs";
import { PermanentTaskError } from "photo-service/tasks";
import { encodeGreyPng } from "./png.js";

const MAX_BLOCKS = 20_000;

export async function run({ parameters, photos, signal, progress, output }) {
  const [{ path, byteSize }] = photos;
  const { blockBytes, width } = parameters;
  const blocks = Math.ceil(byteSize / blockBytes);
  // The user sees this code and message, and the job is not tried again.
  if (blocks > MAX_BLOCKS)
    throw new PermanentTaskError(
      "TOO_MANY_BLOCKS",
      `The map would have ${blocks} pixels; at most ${MAX_BLOCKS} are allowed: raise blockBytes.`,
    );
  const height = Math.ceil(blocks / width);
  const pixels = new Uint8Array(width * height);
  const totals = new Uint32Array(256);
  let block = 0;
  // The signal ends the reading when the job is cancelled or out of time.
  for await (const bytes of createReadStream(path, { highWaterMark: blockBytes, signal })) {
    pixels[block++] = Math.round(informationIn(countBytes(bytes, totals)) * 31);
    progress((block / blocks) * 0.9, `block ${block} of ${blocks}`);
  }
  const data = encodeGreyPng(pixels, width, height);
  await output({ name: "map.png", mimeType: "image/png", width, height, data });
  return { byteSize, bitsPerByte: Number(informationIn(totals).toFixed(3)), blocks };
}

/** Counts each value of a byte, and adds the counts to the totals. */
function countBytes(bytes, totals) {
  const counts = new Uint32Array(256);
  for (const value of bytes) {
    counts[value]++;
    totals[value]++;
  }
  return counts;
}

/** Shannon's entropy, in bits per byte: 0 to 8. */
function informationIn(counts) {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce(
    (bits, count) => (count === 0 ? bits : bits - (count / all) * Math.log2(count / all)),
    0,
  );
}
