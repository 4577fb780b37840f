// Operators pause a Job or a user at run time. The row in `pauses` is the only truth: the claim
// reads it in its own statement, so that nothing new starts once it is committed.
import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import type { PAUSE_KINDS } from "../../db/schema/deployment.js";
import { InvalidInputError, NotFoundError } from "../../domain/errors.js";
import { isStorable } from "../../domain/is-storable.js";
import type { Instant } from "../../domain/queued-job.js";
import type { HintQueue } from "../../queue/hint-queue.js";
import { withoutDeadline } from "../../runtime/deadline.js";
import { isUuid } from "../reads/ids.js";
import { changeAndRecord, type Operator, type OperatorAction } from "./operator-actions.js";

export type PauseKind = (typeof PAUSE_KINDS)[number];

/** A Job by its name, or a user by id. */
export interface PauseSubject {
  kind: PauseKind;
  subject: string;
}

export interface Pause extends PauseSubject {
  at: Instant;
  actor: string;
  reason: string;
  /** E-mail of a paused user; null for a Job or a deleted account. */
  email: string | null;
}

/** The names of paused Jobs and the ids of paused users. */
export interface Paused {
  jobs: ReadonlySet<string>;
  users: ReadonlySet<string>;
}

export interface Pauses {
  /** Returns what is paused, at most one second old; the last answer while PostgreSQL is away. */
  known(): Promise<Paused>;
  /** Returns all pauses, newest first. */
  list(): Promise<Pause[]>;
  /**
   * Pauses a Job by name, or a user by e-mail or id. Pausing again replaces the reason. Throws
   * InvalidInputError or NotFoundError with a sentence for the operator.
   */
  pause(request: { kind: PauseKind; subject: string; reason: string }, by: Operator): Promise<void>;
  /** Ends a pause; returns false if there was none. Waiting QueuedJobs start within seconds. */
  resume(subject: PauseSubject, by: Operator): Promise<boolean>;
}

export interface PausesDeps {
  database: Database;
  hints: Pick<HintQueue, "reportLost">;
}

/** Time for which the read pauses are reused. */
const REUSE_MS = 1000;
/** Maximum pauses, because every claim compares its row with all of them. */
const MAX_PAUSES = 1000;
export const MAX_REASON_LENGTH = 200;

export function createPauses(deps: PausesDeps): Pauses {
  const { sql } = deps.database;
  const reads = createPausedReads(sql);

  return {
    known: reads.known,
    list: () => available(() => listPauses(sql)),
    async pause({ kind, subject, reason }, by) {
      if (!isStorable(reason) || reason.length > MAX_REASON_LENGTH)
        throw InvalidInputError.at(["reason"], `use at most ${MAX_REASON_LENGTH} characters`);
      const id = await available(() => findSubject(sql, kind, subject));
      const paused = { kind, subject: id, actor: by.actor, reason };
      await changeAndRecord(sql, actionOf("pause", paused, by), (tx) => insertPause(tx, paused));
      reads.forget();
    },
    async resume({ kind, subject }, by) {
      if (!isStorable(subject)) return false;
      const action = actionOf("resume", { kind, subject }, by);
      const isResumed = await changeAndRecord(sql, action, async (tx) => {
        const rows = await tx`
          delete from pauses where kind = ${kind} and subject = ${subject} returning kind`;
        return rows.length > 0;
      });
      if (!isResumed) return false;
      reads.forget();
      // The hints of its waiting rows were dropped, so the reconciler restores them at once.
      await deps.hints.reportLost();
      return true;
    },
  };
}

function actionOf(
  verb: "pause" | "resume",
  { kind, subject }: PauseSubject,
  by: Operator,
): OperatorAction {
  const [what, target] = kind === "JOB" ? ["Job", { job: subject }] : ["user", { userId: subject }];
  return { ...by, action: `${verb} ${what}`, target, count: 1 };
}

function createPausedReads(sql: Sql): { known(): Promise<Paused>; forget(): void } {
  let last: Promise<Paused> | null = null;
  let readAt = 0;

  return {
    known() {
      if (last !== null && Date.now() - readAt < REUSE_MS) return last;
      readAt = Date.now();
      const before = last;
      last = withoutDeadline(() => available(() => readPaused(sql))).catch((error: unknown) => {
        if (before) return before;
        last = null;
        throw error;
      });
      return last;
    },
    forget: () => void (readAt = 0),
  };
}

async function readPaused(sql: Sql): Promise<Paused> {
  const rows = await sql<PauseSubject[]>`select kind, subject from pauses`;
  const of = (wanted: PauseKind) =>
    new Set(rows.filter(({ kind }) => kind === wanted).map(({ subject }) => subject));
  return { jobs: of("JOB"), users: of("USER") };
}

async function listPauses(sql: Sql): Promise<Pause[]> {
  return [
    ...(await sql<Pause[]>`
      select p.kind, p.subject, rfc3339(p.at) as at, p.actor, p.reason, u.email
      from pauses p left join users u
        on u.id = case when p.kind = 'USER' then p.subject::uuid end
      order by p.at desc, p.subject limit ${MAX_PAUSES}`),
  ];
}

/** Returns the name of the Job or the id of the user that an operator means. */
async function findSubject(sql: Sql, kind: PauseKind, wanted: string): Promise<string> {
  if (!isStorable(wanted)) throw new NotFoundError("Nothing has this name.");
  if (kind === "JOB") {
    const rows = await sql`select from jobs where name = ${wanted}`;
    if (rows.length === 0) throw new NotFoundError(`The catalogue has no Job "${wanted}".`);
    return wanted;
  }
  return findUser(sql, wanted);
}

/** Maximum users with the same e-mail address that a message lists. */
const NAMESAKES = 20;

/** Returns the id of the user that an operator means by an e-mail address or an id. */
export async function findUser(sql: Sql, wanted: string): Promise<string> {
  const ids = isStorable(wanted) ? await findUsers(sql, wanted) : [];
  const [id] = ids;
  if (id === undefined)
    throw new NotFoundError(`No user has the e-mail address or id "${wanted}".`);
  if (ids.length > 1)
    throw InvalidInputError.at(
      ["user"],
      `several users have this e-mail address; give one of these ids: ${ids.join(", ")}`,
    );
  return id;
}

async function findUsers(sql: Sql, wanted: string): Promise<string[]> {
  const rows = isUuid(wanted)
    ? await sql<{ id: string }[]>`select id from users where id = ${wanted}`
    : await sql<
        { id: string }[]
      >`select id from users where lower(email) = lower(${wanted}) limit ${NAMESAKES}`;
  return rows.map(({ id }) => id);
}

async function insertPause(sql: Sql, pause: Omit<Pause, "at" | "email">): Promise<true> {
  const { kind, subject, actor, reason } = pause;
  const rows = await sql`
    insert into pauses (kind, subject, at, actor, reason)
    select ${kind}::text, ${subject}::text, now(), ${actor}::text, ${reason}::text
    where (select count(*) from pauses) < ${MAX_PAUSES}
      or exists (select from pauses where kind = ${kind} and subject = ${subject})
    on conflict (kind, subject) do update set at = excluded.at, actor = excluded.actor,
      reason = excluded.reason returning kind`;
  if (rows.length > 0) return true;
  throw InvalidInputError.at(
    [],
    `at most ${MAX_PAUSES} pauses are allowed; resume one before you add another`,
  );
}
