import { z } from "zod";
import { defineTask } from "../../../src/tasks/define-task.js";

/** A test Job that takes one to three photos and has two attempts; it never runs. */
export const albumTask = defineTask({
  name: "album",
  title: "Album",
  description: "For tests.",
  parameters: z.strictObject({ title: z.string().default("untitled") }),
  result: z.unknown(),
  minPhotos: 1,
  maxPhotos: 3,
  maxAttempts: 2,
  timeoutMs: 1000,
  runsIn: "child",
  load: () => Promise.reject(new Error("The album task does not run in tests")),
});
