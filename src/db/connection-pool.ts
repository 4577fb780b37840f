// Each connection has one statement or transaction at a time. The driver's own pool would send the next one behind a
// stranger's: it would wait for that, and one that cannot be written would shift all later answers to other callers.
import { AsyncResource } from "node:async_hooks";
import type { Sql } from "postgres";
import { currentDeadline } from "../deadline.js";
import type { Deadline } from "../deadline.js";
import { ServiceUnavailableError } from "../errors.js";
import { reportRefusal } from "../overload.js";
import { PooledConnection, tooLate } from "./pooled-connection.js";
import type { Route } from "./statement.js";

export interface PoolLimits {
  /** Statements and transactions that wait for a connection. */
  maxWaiting: number;
  /** How long one of them waits. */
  waitMs: number;
  /** How long an answer may take; longer than the server's own limits. */
  answerMs: number;
}

export interface ConnectionPool extends Required<Route> {
  /** Statements and transactions that wait for a connection now. */
  readonly waiting: number;
  /** Closes the connection that returned these rows. */
  distrust(rows: object): void;
  close(): Promise<void>;
}

/** A statement or a transaction. */
interface Work {
  deadline: Deadline | undefined;
  /** When it began to wait. */
  since: number;
  run(connection: PooledConnection, over: () => void): void;
  refuse(error: Error): void;
  /** Called when it is over, or was refused. */
  leave(): void;
}

type Task = Pick<Work, "deadline" | "run" | "refuse">;

const TICK_MS = 250;
const MAX_PAUSE_MS = 1000;
const CLOSE_SECONDS = 5;

/** `open` makes a client of at most one connection. */
export function createConnectionPool(open: () => Sql, options: { connections: number; limits: PoolLimits }): ConnectionPool {
  const { maxWaiting, waitMs, answerMs } = options.limits;
  // A clock that stands still while this process does: what came in the meantime is not taken for late.
  let now = 0;
  let tickedAt = performance.now();
  const connections = Array.from({ length: options.connections }, () => new PooledConnection(open, () => now));
  const free = [...connections];
  let waiting: Work[] = [];
  let failures = 0;
  let closed = false;

  const submit = createShares(Math.ceil(options.connections / 2), (work) => {
    if (closed) return refuse(work, poolClosed());
    const connection = free.pop();
    if (connection) return start(connection, work);
    if (waiting.length >= maxWaiting) return refuseOverload(work, "full");
    work.since = now;
    waiting.push(work);
  });

  function start(connection: PooledConnection, work: Work): void {
    work.run(connection, () => {
      work.leave();
      if (connection.isBroken) return reopen(connection);
      failures = 0;
      serve(connection);
    });
  }

  function serve(connection: PooledConnection): void {
    for (let work = waiting.shift(); work; work = waiting.shift()) {
      if (!work.deadline?.passed) return start(connection, work);
      refuse(work, tooLate());
    }
    free.push(connection);
  }

  /** At once where it was lost first, later where the server stays away. */
  function reopen(connection: PooledConnection): void {
    if (closed) return;
    const pauseMs = Math.min(50 * 2 ** failures++, MAX_PAUSE_MS);
    connection.reopen();
    setTimeout(() => serve(connection), pauseMs);
  }

  function refuseOverload(work: Work, why: "full" | "waited"): void {
    reportRefusal({ what: "statement", why });
    refuse(work, new ServiceUnavailableError("Too many requests wait for the database; try again in a moment."));
  }

  function tick(): void {
    now += Math.min(performance.now() - tickedAt, 2 * TICK_MS);
    tickedAt = performance.now();
    const before = waiting;
    waiting = [];
    for (const work of before) {
      if (work.deadline?.passed) refuse(work, tooLate());
      else if (now - work.since >= waitMs) refuseOverload(work, "waited");
      else waiting.push(work);
    }
    if (!connections.some((connection) => connection.isSilent(answerMs))) return;
    // The idle ones lead to the same server: what was sent on them would be executed when its callers are gone.
    for (const connection of connections) if (connection.isIdle || connection.isSilent(answerMs)) connection.discard();
  }
  const clock = setInterval(tick, TICK_MS).unref();

  return {
    send(statement, deadline) {
      submit({ deadline, run: (connection, over) => connection.send(statement, deadline, over), refuse: (error) => statement.reject(error) });
    },
    begin: (work) =>
      new Promise((resolve, reject) => {
        // It may be begun by whoever leaves a connection.
        const bound = AsyncResource.bind(work);
        submit({ deadline: currentDeadline(), run: (connection, over) => void connection.begin(bound, over).then(resolve, reject), refuse: reject });
      }),
    get waiting() {
      return waiting.length;
    },
    distrust(rows) {
      const suspects = connections.filter((connection) => connection.hasReturned(rows));
      for (const connection of suspects.length > 0 ? suspects : connections) connection.discard();
    },
    async close() {
      closed = true;
      clearInterval(clock);
      for (const work of waiting.splice(0)) refuse(work, poolClosed());
      await Promise.all(connections.map((connection) => connection.close(CLOSE_SECONDS)));
    },
  };
}

/** As the driver says it. */
function poolClosed(): Error {
  return Object.assign(new Error("The connection pool is closed."), { code: "CONNECTION_ENDED" });
}

function refuse(work: Work, error: Error): void {
  work.refuse(error);
  // Not now: thousands of one operation may be refused in a row.
  queueMicrotask(work.leave);
}

/** Of each operation so many are entered at a time, and its others follow them: so it leaves connections to other operations. */
function createShares(limit: number, enter: (work: Work) => void): (task: Task) => void {
  const shares = new WeakMap<Deadline, { entered: number; queue: Work[] }>();

  function shareOf(deadline: Deadline) {
    const known = shares.get(deadline);
    if (known) return known;
    const share = { entered: 0, queue: [] as Work[] };
    shares.set(deadline, share);
    deadline.onPassed(() => share.queue.splice(0).forEach((work) => work.refuse(tooLate())));
    return share;
  }

  return (task) => {
    const { deadline } = task;
    if (!deadline) return enter({ ...task, since: 0, leave: () => {} });
    if (deadline.passed) return task.refuse(tooLate());
    const share = shareOf(deadline);
    const leave = (): void => {
      const next = share.queue.shift();
      if (next) enter(next);
      else share.entered--;
    };
    const work: Work = { ...task, since: 0, leave };
    if (share.entered === limit) return void share.queue.push(work);
    share.entered++;
    enter(work);
  };
}
