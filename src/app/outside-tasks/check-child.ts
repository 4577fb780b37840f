// The entry point of the children that import the files of TASKS for the first time: a file that
// crashes or never ends does so there.
import { serveChild } from "../../child-pool/serve-child.js";
import { importFile, loadOutsideWork } from "../../tasks/outside/outside-work.js";

serveChild(async (request) => {
  const folder = String(request);
  await importFile(folder, "task.js").catch((error: unknown) => refuse("task.js", error));
  await loadOutsideWork(folder).catch((error: unknown) => refuse("run.js", error));
});

function refuse(file: string, error: unknown): never {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  // Node gives the line of a syntax error only where it is not caught.
  const cure = name === "SyntaxError" ? `; node --check ${file} shows the line` : "";
  throw new Error(`has a faulty ${file}: ${name}: ${message}${cure}`);
}
