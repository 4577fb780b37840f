// The body and the headers of a webhook, as Standard Webhooks specifies them.
import { Webhook } from "standardwebhooks";
import { encodeStreamCursor } from "../../domain/cursors.js";
import type {
  Instant,
  QueuedJob,
  QueuedJobOutput,
  QueuedJobSnapshot,
} from "../../domain/queued-job.js";
import type { LoggedEventType, QueuedJobStatus } from "../../domain/queued-job-status.js";
import { webhookUrlExpiry, type FileUrls } from "../../photos/file-urls.js";
import type { WebhookEvent } from "../../runtime/variables.js";

/** The user as a webhook shows it. */
export interface WebhookUser {
  id: string;
  issuer: string;
  subject: string;
  email: string;
}

/** An event of the log that ends a QueuedJob, or stands for its end. */
export interface WaitingEvent {
  seq: number;
  type: Extract<LoggedEventType, WebhookEvent | "DELETED">;
  at: Instant;
  queuedJob: QueuedJobSnapshot;
  /** Values of the row; null when it is deleted. */
  row: Pick<QueuedJob, "parameters" | "result"> | null;
  /** Storage keys of the outputs that still exist, by name. */
  storageKeys: Record<string, string>;
}

/** The end of a QueuedJob, as a webhook reports it. */
export interface Report extends Omit<WaitingEvent, "type"> {
  type: WebhookEvent;
}

const TYPE_OF: Partial<Record<QueuedJobStatus, WebhookEvent>> = {
  SUCCESS: "SUCCEEDED",
  FAILED: "FAILED",
  CANCELLED: "CANCELLED",
};

/**
 * Returns what an event reports; null if the receiver does not want it. A DELETED event stands for
 * the end of its QueuedJob, whose own event went with the row before it was delivered.
 */
export function reportOf(event: WaitingEvent, events: readonly WebhookEvent[]): Report | null {
  const { queuedJob } = event;
  const type = TYPE_OF[queuedJob.status];
  if (type === undefined || !events.includes(type)) return null;
  if (event.type !== "DELETED") return { ...event, type };
  const at = queuedJob.finishedAt ?? event.at;
  return { ...event, type, at, queuedJob: { ...queuedJob, version: queuedJob.version - 1 } };
}

/** The id is the same for every attempt, also after a restart and from a DELETED event. */
export function messageId({ queuedJob: { id, version } }: Report): string {
  return `evt_${id}_${version}`;
}

export interface MessageDeps {
  fileUrls: Pick<FileUrls, "urlOf">;
}

/** Returns the body of a webhook; its URLs are valid for a day. */
export async function messageBody(
  report: Report,
  { user, epoch, fileUrls }: MessageDeps & { user: WebhookUser; epoch: string },
): Promise<string> {
  const { queuedJob, row } = report;
  const { id, jobName, status, version, attempts, error, member } = queuedJob;
  const { createdAt, startedAt, finishedAt } = queuedJob;
  const expiresAt = webhookUrlExpiry();
  const outputs = await Promise.all(
    (queuedJob.outputs ?? []).map((output) => withUrl(output, report, { fileUrls, expiresAt })),
  );
  return JSON.stringify({
    type: `queued-job.${report.type.toLowerCase()}`,
    timestamp: report.at,
    data: {
      cursor: encodeStreamCursor({ epoch, userId: user.id, seq: report.seq }),
      user,
      queuedJob: {
        id,
        job: jobName,
        status,
        version,
        attempts,
        parameters: queuedJob.parameters ?? row?.parameters ?? {},
        result: queuedJob.result ?? (status === "SUCCESS" ? row?.result : null) ?? null,
        error: status === "SUCCESS" ? null : error,
        outputs,
        groupId: member?.group.id ?? null,
        key: member?.key ?? null,
        createdAt,
        startedAt,
        finishedAt,
      },
    },
  });
}

async function withUrl(
  output: QueuedJobOutput,
  { queuedJob: { id }, storageKeys }: Report,
  { fileUrls, expiresAt }: MessageDeps & { expiresAt: Date },
): Promise<QueuedJobOutput & { url: string | null }> {
  const { name, mimeType } = output;
  const storageKey = storageKeys[name];
  const url =
    storageKey === undefined
      ? null
      : await fileUrls.urlOf({ kind: "outputs", id, name, storageKey, mimeType }, expiresAt);
  return { ...output, url };
}

export type SignMessage = (id: string, body: string, at?: Date) => Record<string, string>;

/** Every secret signs, so that a receiver may know the old one or the new one. */
export function createSigner(secrets: readonly string[]): SignMessage {
  const signers = secrets.map((secret) => new Webhook(secret));
  return (id, body, at = new Date()) => ({
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": signers.map((signer) => signer.sign(id, at, body)).join(" "),
  });
}
