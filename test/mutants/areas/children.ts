import type { Mutant } from "../mutant.js";

const CHILD = ["worker/child/run-in-child.test"];
const HANDED_BACK = ["execute-task/handed-back.test"];
const CATALOGUE = ["app/load-catalogue.test"];
const POOL = ["child-pool/unstartable.test"];
const FAULTS = ["task-worker/faults.test"];
const TASK_WORKER = "src/worker/task-worker.ts";

const COPIED = ["run-in-child/copied-photos.test"];

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
  {
    breaks: "a task that ends its process when it is loaded ends the service",
    file: "src/app/outside-tasks/load-outside-tasks.ts",
    find: "checked.get(folder) ?? null",
    replace: "null",
    tests: CATALOGUE,
  },
  {
    breaks: "a task of TASKS replaces one of the service",
    file: "src/app/outside-tasks/load-outside-tasks.ts",
    find: 'own.keys()].map((name) => [name, "a task of the service"])',
    replace: "own.keys()].slice(1000).map((name) => [name, name])",
    tests: CATALOGUE,
  },
  {
    breaks: "a task's own copy of PermanentTaskError is tried again",
    file: "src/tasks/outside/outside-work.ts",
    find: ' || error.name === "PermanentTaskError"',
    replace: "",
    tests: CATALOGUE,
  },
  {
    breaks: "an invalid code of a task counts as a crash of its child",
    file: "src/tasks/outside/outside-work.ts",
    find: 'isCode ? code : "TASK_FAILED"',
    replace: "String(code)",
    tests: CATALOGUE,
  },
  {
    breaks: "a Job whose task this API lacks looks enabled",
    file: "src/services/jobs/jobs.ts",
    find: "deps.catalogue.has(name) && !disabled.has(name)",
    replace: "!disabled.has(name)",
    tests: ["services/jobs/jobs.test"],
  },
  {
    breaks: "a task that takes photos may run in the worker, which gives it none",
    file: "src/tasks/outside/to-task.ts",
    find: 'task.runsIn === "child" || task.maxPhotos === 0',
    replace: "true",
    tests: ["tasks/outside/to-task.test"],
  },
  {
    breaks: "an archive is made although its owner has no room for it",
    file: "src/worker/child/run-in-child.ts",
    find: "  await photos.checkRoom(queuedJob.userId, bytes);\n",
    replace: "",
    tests: COPIED,
  },
  {
    breaks: "an archive fills the disk",
    file: "src/worker/child/photo-files.ts",
    find: "if (bavail * bsize < 2 * bytes)",
    replace: "if (bavail * bsize < 0 * bytes)",
    tests: ["photo-files.test"],
  },
  {
    breaks: "all photos of an archive are on the disk at once",
    file: "src/worker/child/photo-files.ts",
    find: "await Promise.all(outdated.map((other) => this.#remove(other)));",
    replace: "outdated.map((other) => this.#fetched.delete(other));",
    tests: ["photo-files.test"],
  },
  {
    breaks: "a storage that is away while an archive is made counts as a failure of the task",
    file: "src/worker/child/run-in-child.ts",
    find: "throw files?.fault ?? error;",
    replace: "throw error;",
    tests: COPIED,
  },
  {
    breaks: "a photo leads out of the archive's folder",
    file: "src/tasks/archive/entry-names.ts",
    find: '.replaceAll(FORBIDDEN, "_")',
    replace: "",
    tests: ["archive/entry-names.test"],
  },
];
