import { z } from "zod";
import { defineTask } from "../../../src/tasks/define-task.js";

/** A Job of tests that takes one to three photos and two attempts; its work is never done here. */
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
  load: () => Promise.reject(new Error("Its work is not done here")),
});
