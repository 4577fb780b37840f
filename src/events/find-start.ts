import { CursorExpiredError, NotFoundError } from "../domain/errors.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import { createMicroBatch } from "../runtime/micro-batch.js";
import type { Channel } from "./channel.js";
import { HEADS_PER_QUERY, type EventLog } from "./event-log.js";

export interface StartRequest {
  userId: string;
  /** Only the events of this one; the stream then ends with its first terminal event. */
  queuedJobId: string | null;
  /** Resume after this position; from now on without one. */
  after: { epoch: string; seq: number } | null;
}

/**
 * Where a stream starts: its first events, if some are known, the position they lead to, and
 * whether that is its end already.
 */
interface Start {
  seq: number;
  first: QueuedJobEvent[];
  to: number;
  ended: boolean;
}

interface Sources {
  eventLog: EventLog;
  channel: Channel;
  headOf: (userId: string) => Promise<number>;
  epoch: string;
}

/** Throws what `Feed.open` says. */
export function findStart(
  sources: Sources,
  { userId, queuedJobId, after }: StartRequest,
): Promise<Start> {
  if (after) return startBehind(sources, { userId, queuedJobId, after });
  return queuedJobId === null
    ? startNow(sources, userId)
    : startWithPresent(sources, userId, queuedJobId);
}

async function startBehind(
  { eventLog, channel, epoch }: Sources,
  { userId, queuedJobId, after }: StartRequest & { after: NonNullable<StartRequest["after"]> },
): Promise<Start> {
  const { seq } = after;
  if (after.epoch !== epoch) throw expired();
  if (queuedJobId === null && channel.covers(seq)) return { seq, first: [], to: seq, ended: false };
  let page = await channel.page(seq, queuedJobId);
  // It may have been asked for by somebody else, before this position was reached.
  if (seq > page.last) page = await channel.page(seq, queuedJobId);
  if (seq < page.floor || seq > page.last) throw expired();
  if (queuedJobId === null || page.events.length > 0)
    return { seq, first: page.events, to: page.to, ended: false };
  const present = await eventLog.present(userId, queuedJobId);
  if (!present) throw new NotFoundError("There is no such QueuedJob.");
  // Finished before the page was read, or after it: then its terminal event follows.
  return { seq, first: [], to: seq, ended: present.finished && present.lastSeq <= seq };
}

async function startNow({ channel, headOf }: Sources, userId: string): Promise<Start> {
  const bells = channel.bells;
  const seq = await headOf(userId);
  channel.confirmHead(seq, bells);
  return { seq, first: [], to: seq, ended: false };
}

async function startWithPresent(
  { eventLog, channel }: Sources,
  userId: string,
  queuedJobId: string,
): Promise<Start> {
  const bells = channel.bells;
  const present = await eventLog.present(userId, queuedJobId);
  if (!present) throw new NotFoundError("There is no such QueuedJob.");
  channel.confirmHead(present.head, bells);
  const { seq } = present.event;
  return { seq, first: [present.event], to: seq, ended: present.finished };
}

/**
 * Many come at once, after a restart above all: one query for those who came while the last was
 * under way.
 */
export function createHeadReads(eventLog: EventLog): (userId: string) => Promise<number> {
  let asked = 0;
  return createMicroBatch<string, number>({
    lanes: 1,
    maxItems: HEADS_PER_QUERY,
    laneOf: () => "",
    // The same user may be asked for twice in one.
    keyOf: () => String(asked++),
    sendOne: async (userId) => (await eventLog.heads([userId])).heads.get(userId) ?? 0,
    async sendMany(userIds) {
      const { heads } = await eventLog.heads([...new Set(userIds)]);
      return userIds.map((userId) => heads.get(userId) ?? 0);
    },
  });
}

function expired(): CursorExpiredError {
  return new CursorExpiredError(
    "The stream cannot be resumed from this cursor any more: read the page again and go " +
      "on with its eventCursor.",
  );
}
