import { isNewer, merged } from "../live/job-rows.js";
import type { QueuedJob } from "../types.js";
import type { GroupEvent, GroupMember } from "./types.js";

export type GroupMembers = ReturnType<typeof createGroupMembers>;

/** The jobs of a group, in the order of submission. One is replaced only by a newer state of it. */
export function createGroupMembers() {
  let members = new Map<string, GroupMember>();

  /** Ignores jobs of other groups. */
  function keep(row: QueuedJob): void {
    const stored = members.get(row.id);
    if (stored && isNewer(row, stored)) members.set(row.id, { ...stored, ...row });
  }

  return {
    list: (): GroupMember[] => [...members.values()],
    has: (id: string): boolean => members.has(id),
    keep,
    /** Takes what was read; states that are newer stay. */
    replace(read: readonly GroupMember[]): void {
      const before = members;
      members = new Map(read.map((row) => [row.id, row]));
      for (const row of before.values()) keep(row);
    },
    apply({ type, queuedJob: { group: _, ...state } }: GroupEvent): void {
      if (type === "DELETED") members.delete(state.id);
      else keep(merged(members.get(state.id), state));
    },
  };
}
