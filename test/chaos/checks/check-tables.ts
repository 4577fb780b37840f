import { assertLegalStory } from "../../support/asserts/assert-legal-story.js";
import { groupBy } from "./group-by.js";
import type { Tables } from "./read-tables.js";
import type { Violations } from "./violations.js";

/** Compares the log and the counters with the rows. */
export function checkTables(
  { log, photoEvents, jobs, streams }: Tables,
  { violations, purges }: { violations: Violations; purges: boolean },
): void {
  const stories = groupBy(log, ({ jobId }) => jobId);
  for (const { id, status, version, attempts } of jobs) {
    const story = stories.get(id) ?? [];
    try {
      assertLegalStory(id, story);
    } catch (error) {
      violations.add(
        "other",
        error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error),
      );
    }
    const last = story.at(-1);
    if (last?.version !== version || last.status !== status)
      violations.add(
        "lost",
        `${id} is ${status} at version ${version}, but its last event has ` +
          `${last?.status} at version ${last?.version}`,
      );
    const starts = story.filter(({ type }) => type === "STARTED").length;
    if (starts !== attempts)
      violations.add("other", `${id} has ${attempts} attempts, but ${starts} STARTED events`);
  }
  const rows = new Set(jobs.map(({ id }) => id));
  for (const [id, story] of purges ? [] : stories) {
    if (!rows.has(id) && !(story.length === 1 && story[0]?.type === "DELETED"))
      violations.add(
        "other",
        `${id} does not exist, but has the events ${story.map(({ type }) => type).join(" ")}`,
      );
  }
  const newest = new Map<string, number>();
  for (const { userId, seq } of [...log, ...photoEvents])
    newest.set(userId, Math.max(seq, newest.get(userId) ?? 0));
  for (const { userId, lastSeq, pending, unfinished, storedBytes, bytes } of streams) {
    if (lastSeq !== (newest.get(userId) ?? 0))
      violations.add(
        "lost",
        `the counter of ${userId} is at ${lastSeq}, but the last event has the number ` +
          `${newest.get(userId)}`,
      );
    if (pending !== unfinished)
      violations.add(
        "other",
        `the counter of ${userId} has ${pending} unfinished jobs, but there are ${unfinished}`,
      );
    if (storedBytes !== bytes)
      violations.add(
        "other",
        `the counter of ${userId} has ${storedBytes} bytes, but there are ${bytes}`,
      );
  }
}
