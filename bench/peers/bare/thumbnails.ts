// Decodes each photo once with shrink-on-load, and makes each size from the next larger one.
import { once } from "node:events";
import { availableParallelism } from "node:os";
import sharp from "sharp";

interface Order {
  files: string[];
  widths: number[];
  quality: number;
}

sharp.concurrency(1);
sharp.cache(false);
const [{ files, widths, quality }] = (await once(process, "message")) as [Order];

async function make(file: string): Promise<void> {
  const writes: Promise<unknown>[] = [];
  let source = sharp(file).rotate();
  for (const width of widths) {
    const { data, info } = await source
      .resize({ width })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = () =>
      sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
    writes.push(pixels().jpeg({ quality }).toFile(`${file}-${width}.jpg`));
    source = pixels();
  }
  await Promise.all(writes);
}

async function makeAll(wanted: readonly string[]): Promise<void> {
  const left = [...wanted];
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let file = left.shift(); file !== undefined; file = left.shift()) await make(file);
    }),
  );
}

await makeAll(files.slice(0, availableParallelism()));
const from = performance.now();
await makeAll(files);
process.send?.((performance.now() - from) / 1000, () => process.disconnect());
