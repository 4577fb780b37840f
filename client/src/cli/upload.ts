import { reasonOf, type CommandContext } from "./command.js";
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
  const failures = await Promise.all(
    positionals.map(async (path) => {
      try {
        const { file, filename } = await readPhoto(path);
        const onProgress = (fraction: number): void => bars.set(path, fraction, "uploading");
        const photo = await service.upload(file, { filename, signal: interrupt, onProgress });
        bars.remove(path);
        bars.line(values["json"] === true ? JSON.stringify(photo) : `${photo.id}  ${path}`);
        return [];
      } catch (error) {
        bars.remove(path);
        return [`${path}  ${interrupt.aborted ? "interrupted" : reasonOf(error)}\n`];
      }
    }),
  );
  bars.close();
  const reasons = failures.flat();
  if (reasons.length === 0) return 0;
  terminal.err(`${reasons.length} of ${positionals.length} failed:\n${reasons.join("")}`);
  return 1;
}
