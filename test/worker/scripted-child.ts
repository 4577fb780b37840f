// A child that does what the parameters of its attempt say.
import { access, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PermanentTaskError } from "../../src/domain/errors.js";
import { serveChild } from "../../src/child-pool/serve-child.js";
import type {
  TaskChildRequest,
  TaskChildResponse,
} from "../../src/worker/child/task-child-request.js";
import { eventually } from "../support/runner/eventually.js";

export interface ChildScript {
  /** Progress that it reports before it waits. */
  progress?: number;
  /** Waits until this file exists. */
  waitFor?: string;
  /** Outputs that it makes, with their text. */
  files?: Record<string, string>;
  death?: "crash" | "out of memory" | "killed";
  /** Throws PermanentTaskError. */
  refuse?: string;
  hang?: boolean;
  /** Sends this to its parent unchanged. */
  say?: unknown;
  /** Returns this instead of the outputs that it made. */
  outputs?: unknown;
  /** Makes links in place of outputs: from the name to the target. */
  links?: Record<string, string>;
  /** Calls its worker, and returns the answer as its result. */
  ask?: { name: string; argument: unknown };
}

serveChild(async (asked, { ask, progress }): Promise<TaskChildResponse> => {
  const { parameters, folder, attempt } = asked as TaskChildRequest;
  const script = parameters as ChildScript;
  const { waitFor } = script;
  if (script.death) await die(script.death);
  if (script.progress !== undefined) progress(script.progress);
  if (script.say !== undefined) process.send?.(script.say);
  if (script.hang) await new Promise((resolve) => setTimeout(resolve, 600_000));
  if (script.refuse) throw new PermanentTaskError("PHOTO_UNREADABLE", script.refuse);
  if (waitFor) await eventually("the file is there", () => access(waitFor).then(() => true));
  if (script.ask) return { result: await ask(script.ask.name, script.ask.argument), outputs: [] };
  const files = Object.entries(script.files ?? {});
  for (const [name, text] of files) await writeFile(join(folder, name), text);
  for (const [name, target] of Object.entries(script.links ?? {}))
    await symlink(target, join(folder, name));
  const outputs = files.map(([name, text]) => ({
    name,
    mimeType: "image/png",
    byteSize: text.length,
    width: null,
    height: null,
  }));
  return { result: { attempt }, outputs: (script.outputs ?? outputs) as typeof outputs };
});

async function die(how: NonNullable<ChildScript["death"]>): Promise<never> {
  if (how === "out of memory")
    await new Promise((resolve) =>
      process.stderr.write("FATAL ERROR: JavaScript heap out of memory\n", resolve),
    );
  process.kill(process.pid, how === "killed" ? "SIGKILL" : "SIGSEGV");
  return new Promise(() => {});
}
