import { INTERRUPTED, reasonOf, type CommandContext } from "./command.js";
import { parseFlags, UsageError } from "./command-line.js";
import { readPhoto } from "./files.js";
import { createBars } from "./terminal.js";

/** `photo-service upload <photos…>` */
export async function upload({ args, terminal, interrupt, open }: CommandContext): Promise<number> {
  const { values, positionals } = parseFlags(args, {});
  if (positionals.length === 0)
    throw new UsageError("Which photos? For example: photo-service upload *.jpg");
  const service = await open(values);
  const bars = createBars(terminal);
  const results = await Promise.all(
    positionals.map(async (path) => {
      try {
        const { file, filename } = await readPhoto(path);
        const onProgress = (fraction: number): void => bars.set(path, fraction, "uploading");
        const photo = await service.upload(file, { filename, signal: interrupt, onProgress });
        bars.remove(path);
        bars.line(values["json"] === true ? JSON.stringify(photo) : `${photo.id}  ${path}`);
        return true;
      } catch (error) {
        bars.remove(path);
        bars.fault(`✗ ${path}  ${interrupt.aborted ? "interrupted" : reasonOf(error)}`);
        return false;
      }
    }),
  );
  bars.close();
  if (interrupt.aborted) return INTERRUPTED;
  return results.every(Boolean) ? 0 : 1;
}
