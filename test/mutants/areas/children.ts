import type { Mutant } from "../mutant.js";

const CHILD = ["worker/child/run-in-child.test"];
const HANDED_BACK = ["execute-task/handed-back.test"];
const POOL = ["child-pool/unstartable.test"];
const FAULTS = ["task-worker/faults.test"];
const TASK_WORKER = "src/worker/task-worker.ts";

/** Limits on what children can do to their worker, and the handling of photos that break them. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a child that cannot be spawned ends the process",
    file: "src/child-pool/child-pool.ts",
    find: "    startFailed(self, new ChildStoppedError(",
    replace: "    throw (new ChildStoppedError(",
    tests: POOL,
  },
  {
    breaks: "a pool whose children could not be started never tries again",
    file: "src/child-pool/child-pool.ts",
    find: "if (self.startFault && self.children.size < self.options.size) start(self);",
    replace: "",
    tests: POOL,
  },
  {
    breaks: "a worker that cannot start children starts photo jobs in vain",
    file: TASK_WORKER,
    find: "pool.startFault === null ? await attend(hint, onWorked) : SICK_MS",
    replace: "await attend(hint, onWorked)",
    tests: FAULTS,
  },
  {
    breaks: "a worker that cannot start children reports no fault",
    file: TASK_WORKER,
    find: "return pool.startFault && `it takes no photos: ${pool.startFault}`;",
    replace: "return null;",
    tests: FAULTS,
  },
  {
    breaks: "a worker takes no photos although its children start again",
    file: TASK_WORKER,
    find: "if (!isLeaving()) lanes.child.resume();",
    replace: "",
    tests: FAULTS,
  },
  {
    breaks: "a photo is blamed for a kill by the kernel",
    file: "src/worker/settle-attempt.ts",
    find: " || wasKilledByChance(error, claimed)",
    replace: "",
    tests: HANDED_BACK,
  },
  {
    breaks: "a photo whose child is always killed is retried without limit",
    file: "src/worker/settle-attempt.ts",
    find: 'error.reason === "killed" && !wasHandedBack',
    replace: 'error.reason === "killed" && (wasHandedBack || true)',
    tests: HANDED_BACK,
  },
  {
    breaks: "a child returns a page as a picture",
    file: "src/worker/child/task-child-response.ts",
    find: "mimeType: z.enum(MIME_TYPES),",
    replace: "mimeType: z.string(),",
    tests: CHILD,
  },
  {
    breaks: "a child returns outputs without a limit",
    file: "src/worker/child/task-child-response.ts",
    find: "    .max(MAX_OUTPUTS)\n",
    replace: "",
    tests: CHILD,
  },
  {
    breaks: "a child declares how much of a quota its outputs take",
    file: "src/worker/child/task-child-response.ts",
    find: "    byteSize: await sizeOfPlainFile(join(folder, output.name)),\n",
    replace: "    ...(await sizeOfPlainFile(join(folder, output.name)), {}),\n",
    tests: CHILD,
  },
  {
    breaks: "a child returns any file of its parent as an output",
    file: "src/imaging/inspect/photo-child-response.ts",
    find: "const stats = await lstat(path);\n  if (!stats.isFile())",
    replace: "const stats = await lstat(path);\n  if (stats.size < 0)",
    tests: CHILD,
  },
  {
    breaks: "a child's answer is not checked",
    file: "src/child-pool/warm-child.ts",
    find: "if (error) return this.#condemn(error);",
    replace: "if (error) return;",
    tests: CHILD,
  },
  {
    breaks: "a child with an invalid answer gets the next photo",
    file: "src/child-pool/warm-child.ts",
    find: 'this.#state = "gone";\n    this.#process.kill("SIGKILL");\n  }\n\n  #kill',
    replace: "}\n\n  #kill",
    tests: CHILD,
  },
  {
    breaks: "a photo that is always too slow is handed back without limit",
    file: "src/worker/settle-attempt.ts",
    find: "if (error instanceof SlowDownloadError) return LATE_PHOTO;",
    replace: "",
    tests: CHILD,
  },
  {
    breaks: "an unavailable storage fails attempts",
    file: "src/photos/s3-storage.ts",
    find: "if (!signal.aborted || !isFlowing) throw",
    replace: "if (!signal.aborted) throw",
    tests: ["s3-storage.test"],
  },
  {
    breaks: "a slow storage counts as unavailable",
    file: "src/photos/s3-storage.ts",
    find: "if (!signal.aborted || !isFlowing) throw",
    replace: "if (isFlowing || !isFlowing) throw",
    tests: ["s3-storage.test"],
  },
  {
    breaks: "echo is offered in production",
    file: "src/runtime/config.ts",
    find: "echo: values.ECHO ?? !production,",
    replace: "echo: values.ECHO ?? true,",
    tests: ["bin/config.test"],
  },
  {
    breaks: "echo can be submitted when it is not offered",
    file: "src/app/create-core.ts",
    find: "...(config.echo ? [] : [echo.name])",
    replace: "",
    tests: ["job.resolver.test"],
  },
];
