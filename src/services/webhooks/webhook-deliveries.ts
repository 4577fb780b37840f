// Delivers the next events of one user, one after the other: each is sent after the answer to the
// one before is recorded.
import type { FileUrls } from "../../photos/file-urls.js";
import type { Logger } from "../../runtime/logger.js";
import type { WebhookEvent } from "../../runtime/variables.js";
import {
  messageBody,
  messageId,
  reportOf,
  type Report,
  type SignMessage,
} from "./webhook-messages.js";
import { isFull, LEASE_SECONDS, type Held, type WebhookPositions } from "./webhook-positions.js";
import type { WebhookReceiver } from "./webhook-receiver.js";
import type { Answer, WebhookRequests } from "./webhook-requests.js";

export interface WebhookDeliveriesDeps {
  positions: Pick<WebhookPositions, "advance" | "fail" | "release" | "remove">;
  receiver: Pick<WebhookReceiver, "pause" | "hold" | "succeed">;
  requests: WebhookRequests;
  sign: SignMessage;
  fileUrls: Pick<FileUrls, "urlOf">;
  /** Types of events that the receiver wants. */
  events: readonly WebhookEvent[];
  log: Logger;
  onAnswer?: (answer: Answer, seconds: number) => void;
  /** Random number from 0 to 1. */
  random?: () => number;
}

export interface DeliveryOptions {
  /** Identity of the database's history, which cursors contain. */
  epoch: string;
  /** Time before the lease was taken, by `performance.now()`. */
  takenAt: number;
  /** Interrupts the request under way. */
  signal: AbortSignal;
  /** True if no further event should be sent. */
  isStopping(): boolean;
}

export type WebhookDeliveries = ReturnType<typeof createWebhookDeliveries>;

const FIRST_PAUSE_MS = 5000;
const MAX_PAUSE_MS = 3_600_000;
/** Interval of recording a success of the receiver. */
const SUCCESS_MS = 1000;
/** Time until a delivery is repeated that was interrupted by a fault of the service. */
const FAULT_PAUSE_MS = 5000;
/** Length of a lease during which the search finds what is added. */
const SHORT_LEASE_MS = 1000;
/** Part of a lease after which nothing is sent, because another worker may take it soon. */
const SAFE_PART = 0.5;

/** Doubles from 5 s to 1 h. Up to a tenth is added, so that users do not return together. */
export function pauseAfter(attempts: number, random: number): number {
  const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts, 20));
  return Math.round(pauseMs * (1 + random / 10));
}

export function createWebhookDeliveries(deps: WebhookDeliveriesDeps) {
  const { positions, log } = deps;
  const noteSuccess = createSuccessNote(deps.receiver);
  return {
    /** Delivers the events of a user; never rejects. The lease lapses when PostgreSQL is away. */
    async deliver(held: Held, options: DeliveryOptions): Promise<void> {
      try {
        await deliverPage({ ...deps, noteSuccess }, held, options);
      } catch (error) {
        const { aborted } = options.signal;
        const [userId, level] = [held.user.id, aborted ? ("debug" as const) : ("warn" as const)];
        log[level]({ err: error, userId }, "a delivery of webhooks was interrupted");
        await positions
          .release({ userId, holder: held.holder }, aborted ? 0 : FAULT_PAUSE_MS)
          .catch((fault: unknown) => log.debug({ err: fault }, "a lease was not given back"));
      }
    },
  };
}

/** Delivers a page; ends at the first failure, or when the lease is lost. */
async function deliverPage(
  deps: WebhookDeliveriesDeps & { noteSuccess(): Promise<void> },
  held: Held,
  { epoch, takenAt, signal, isStopping }: DeliveryOptions,
): Promise<void> {
  const { positions } = deps;
  const { user, holder } = held;
  if (held.lastSeq === null) return positions.remove(user.id);
  const { reports, end } = planPage(held, deps.events);
  await noteGap(deps, held, reports[0]);
  const base = { userId: user.id, holder, missed: 0 };
  if (reports.length === 0) return void (await positions.advance({ ...base, ...end }));
  let renewedAt = takenAt;
  for (const [i, report] of reports.entries()) {
    const isSafe = performance.now() - renewedAt < LEASE_SECONDS * 1000 * SAFE_PART;
    if (!isSafe || isStopping()) return positions.release(base);
    const answer = await send(deps, report, { user, epoch, signal });
    if (answer.failure !== null)
      return noteFailure(deps, i === 0 ? held : fresh(held), { report, answer });
    const next = reports[i + 1];
    renewedAt = performance.now();
    const isHeld = await positions.advance({
      ...base,
      ...(next ? middle(report, next) : lookAgain(end, takenAt)),
      status: answer.status,
    });
    await deps.noteSuccess();
    if (!isHeld) return;
  }
}

/** Returns a function that records a success of the receiver, at intervals. */
function createSuccessNote({ succeed }: WebhookDeliveriesDeps["receiver"]): () => Promise<void> {
  let succeededAt = -Infinity;
  return async () => {
    if (performance.now() - succeededAt < SUCCESS_MS) return;
    succeededAt = performance.now();
    await succeed();
  };
}

async function send(
  { requests, sign, fileUrls, onAnswer }: WebhookDeliveriesDeps,
  report: Report,
  { user, epoch, signal }: { user: Held["user"]; epoch: string; signal: AbortSignal },
): Promise<Answer> {
  const body = await messageBody(report, { user, epoch, fileUrls });
  const startedAt = performance.now();
  const answer = await requests.send(body, sign(messageId(report), body), signal);
  onAnswer?.(answer, (performance.now() - startedAt) / 1000);
  return answer;
}

async function noteFailure(
  { positions, receiver, log, random = Math.random }: WebhookDeliveriesDeps,
  { user, holder, attempts }: Held,
  { report, answer }: { report: Report; answer: Answer },
): Promise<void> {
  const { failure, status, retryAfterMs } = answer;
  const backOffMs = pauseAfter(attempts, random());
  const pauseMs = retryAfterMs === null ? backOffMs : Math.max(retryAfterMs, FIRST_PAUSE_MS);
  const failed = { userId: user.id, holder, answer, pauseMs, waitingSince: report.at };
  const isPaused = await positions.fail(failed);
  log.debug({ userId: user.id, failure, status, attempts }, "a webhook was not delivered");
  if (isPaused)
    log.error(
      { userId: user.id, failure, status },
      "webhooks of a user are paused after failing for days; redeliver from /admin/webhooks",
    );
  if (retryAfterMs !== null) await receiver.hold(retryAfterMs);
  if (failure === "gone") {
    await receiver.pause("the receiver: 410 Gone");
    log.error("all webhooks are paused: the receiver answered 410; see /admin/webhooks");
  }
}

/** Records what was purged before its delivery, so that the gap is logged once. */
async function noteGap(
  { positions, log }: WebhookDeliveriesDeps,
  { user, holder, seq, floorSeq }: Held,
  next: Report | undefined,
): Promise<void> {
  const missed = (floorSeq ?? 0) - seq;
  if (missed <= 0) return;
  log.error({ userId: user.id, numbers: missed }, "events expired before their webhook");
  const position = { seq: seq + missed, waitingSince: next?.at ?? null };
  const lease = { userId: user.id, holder, next: "event" as const };
  await positions.advance({ ...lease, ...position, missed, status: null });
}

/** A delivery before this one has ended the series of failures. */
function fresh(held: Held): Held {
  return { ...held, attempts: 0 };
}

/** The search does not look back to the start of a long lease, so another page follows it. */
function lookAgain(end: PageEnd, takenAt: number): PageEnd {
  return performance.now() - takenAt < SHORT_LEASE_MS ? end : { ...end, next: "page" };
}

interface PageEnd {
  seq: number;
  status: null;
  next: "page" | "none";
  waitingSince: null;
}

/** The reports of a page in order, and the position behind them. */
function planPage(
  held: Held,
  events: readonly WebhookEvent[],
): { reports: Report[]; end: PageEnd } {
  const { seq, lastSeq } = held;
  const reports = held.events.flatMap((event) => reportOf(event, events) ?? []);
  const isLast = !isFull(held);
  const end: PageEnd = {
    seq: isLast ? Math.max(seq, lastSeq ?? 0) : (held.events.at(-1)?.seq ?? seq),
    status: null,
    next: isLast ? "none" : "page",
    waitingSince: null,
  };
  return { reports, end };
}

/** The position after a report that another one follows. */
function middle({ seq }: Report, next: Report) {
  return { seq, next: "event" as const, waitingSince: next.at };
}
