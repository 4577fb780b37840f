import type { JobGroup } from "../domain/job-group.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";

const MAX_IN_PROGRESS = 1000;
/**
 * Maximum QueuedJobs per generation whose last event number is remembered; there are two
 * generations.
 */
const MAX_REMEMBERED = 1000;
/** Maximum unfinished groups whose last logged counts are remembered. */
const MAX_GROUPS = 1000;
const COUNTS = ["pending", "started", "succeeded", "failed", "cancelled"] as const;
/** Calls of `forget` that end a generation; a PROGRESS is not expected to arrive later. */
const FORGOTTEN_AFTER = 30;

interface Entry {
  serial: number;
  event: QueuedJobEvent;
}

/**
 * The last PROGRESS of each QueuedJob of one user. It is not in the log, so delivery is best
 * effort. It is never sent after the event that ended its attempt, and shows the counts of its
 * group that the last logged event has shown.
 */
export class ProgressUpdates {
  // Created on demand, because most users have no progress.
  #last: Map<string, Entry> | null = null;
  #logged: Map<string, number> | null = null;
  #earlier: Map<string, number> | null = null;
  #groups: Map<string, { seq: number; group: JobGroup }> | null = null;
  #calls = 0;
  #serial = 0;

  /** Count of PROGRESS events; a subscriber has sent those up to its own count. */
  get serial(): number {
    return this.#serial;
  }

  receive(event: QueuedJobEvent): void {
    const { id } = event.queuedJob;
    if (this.#lastLogged(id) > event.seq) return;
    const last = (this.#last ??= new Map());
    last.delete(id);
    last.set(id, { serial: ++this.#serial, event });
    // The oldest is dropped; the notification of its end was lost.
    const [oldest] = last.keys();
    if (last.size > MAX_IN_PROGRESS && oldest !== undefined) last.delete(oldest);
  }

  /** Records a logged event; an earlier PROGRESS is then stale. */
  receiveLogged({ seq, queuedJob: { id, member } }: QueuedJobEvent): void {
    this.#logged ??= new Map();
    this.#logged.set(id, Math.max(seq, this.#lastLogged(id)));
    if (this.#logged.size > MAX_REMEMBERED) this.#startGeneration();
    const progress = this.#last?.get(id);
    if (progress && progress.event.seq < seq) this.#last?.delete(id);
    if (member) this.#rememberGroup(seq, member.group);
  }

  /** Returns the oldest PROGRESS that is not sent yet and does not overtake the position `seq`. */
  after(
    sentSerial: number,
    seq: number,
    matches: (event: QueuedJobEvent) => boolean,
  ): Entry | undefined {
    if (sentSerial === this.#serial || !this.#last) return undefined;
    for (const entry of this.#last.values()) {
      if (entry.serial > sentSerial && entry.event.seq <= seq && matches(entry.event)) {
        // Replaced once, because subscribers share the text of an event.
        entry.event = this.#withLoggedGroup(entry.event);
        return entry;
      }
    }
    return undefined;
  }

  /** Drops QueuedJobs that had no event during the last calls. */
  forget(): void {
    if (++this.#calls >= FORGOTTEN_AFTER) this.#startGeneration();
  }

  #rememberGroup(seq: number, group: JobGroup): void {
    const groups = (this.#groups ??= new Map());
    if ((groups.get(group.id)?.seq ?? 0) > seq) return;
    groups.delete(group.id);
    if (group.finishedAt === null) groups.set(group.id, { seq, group });
    const [oldest] = groups.keys();
    if (groups.size > MAX_GROUPS && oldest !== undefined) groups.delete(oldest);
  }

  #withLoggedGroup(event: QueuedJobEvent): QueuedJobEvent {
    const { member } = event.queuedJob;
    const logged = member && this.#groups?.get(member.group.id)?.group;
    if (!logged) return event;
    const isCurrent = COUNTS.every((count) => member.group[count] === logged[count]);
    if (isCurrent && (member.group.progress ?? 0) >= (logged.progress ?? 0)) return event;
    return { ...event, queuedJob: { ...event.queuedJob, member: { ...member, group: logged } } };
  }

  #lastLogged(id: string): number {
    return this.#logged?.get(id) ?? this.#earlier?.get(id) ?? 0;
  }

  #startGeneration(): void {
    this.#earlier = this.#logged;
    this.#logged = null;
    if (this.#last?.size === 0) this.#last = null;
    this.#calls = 0;
  }
}
