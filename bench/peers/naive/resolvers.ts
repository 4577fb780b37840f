import { EventEmitter, on } from "node:events";
import { Queue } from "bullmq";
import { and, desc, eq, lt } from "drizzle-orm";
import { connectRedis, database, QUEUE, TOPIC } from "./stores.js";
import { jobs, queuedJobs, users, type QueuedJob, type User } from "./tables.js";

export const typeDefs = `
  scalar JSON
  scalar DateTime
  type User { id: ID! email: String! name: String! }
  type Job { id: ID! name: String! }
  type QueuedJob {
    id: ID! status: String! version: Int! progress: Int!
    parameters: JSON! result: JSON error: String
    createdAt: DateTime! updatedAt: DateTime! startedAt: DateTime finishedAt: DateTime
    job: Job! user: User!
  }
  type QueuedJobEdge { node: QueuedJob! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type QueuedJobConnection { edges: [QueuedJobEdge!]! pageInfo: PageInfo! eventCursor: String! }
  type QueuedJobEvent { cursor: String! type: String! queuedJob: QueuedJob! }
  input EnqueueJobInput { job: String! parameters: JSON }
  type Query { queuedJobs(first: Int = 20, after: String): QueuedJobConnection! }
  type Mutation { enqueueJob(input: EnqueueJobInput!): QueuedJob! }
  type Subscription { queuedJobEvents: QueuedJobEvent! }`;

export interface Context {
  user: User;
}

const queue = new Queue(QUEUE, { connection: connectRedis() });
const redis = connectRedis();
const events = new EventEmitter().setMaxListeners(0);
const subscriber = connectRedis();
await subscriber.subscribe(TOPIC);
subscriber.on("message", (_topic, text: string) => events.emit("event", JSON.parse(text)));

export async function enqueueJob(
  { input }: { input: { job: string; parameters?: unknown } },
  { user }: Context,
): Promise<QueuedJob> {
  const [job] = await database.select().from(jobs).where(eq(jobs.name, input.job));
  if (!job) throw new Error(`Unknown job ${input.job}`);
  const [row] = await database
    .insert(queuedJobs)
    .values({ userId: user.id, jobId: job.id, parameters: input.parameters ?? {} })
    .returning();
  if (!row) throw new Error("Nothing was inserted");
  await queue.add(job.name, { id: row.id, parameters: input.parameters }, { jobId: row.id });
  await redis.publish(TOPIC, JSON.stringify(row));
  return row;
}

export async function listQueuedJobs(
  { first, after }: { first: number; after?: string },
  { user }: Context,
) {
  const rows = await database
    .select()
    .from(queuedJobs)
    .innerJoin(jobs, eq(jobs.id, queuedJobs.jobId))
    .innerJoin(users, eq(users.id, queuedJobs.userId))
    .where(
      and(
        eq(queuedJobs.userId, user.id),
        after === undefined ? undefined : lt(queuedJobs.createdAt, new Date(after)),
      ),
    )
    .orderBy(desc(queuedJobs.createdAt))
    .limit(first + 1);
  const nodes = rows
    .slice(0, first)
    .map((row) => ({ ...row.queued_jobs, job: row.jobs, user: row.users }));
  return {
    edges: nodes.map((node) => ({ node })),
    pageInfo: {
      hasNextPage: rows.length > first,
      endCursor: nodes.at(-1)?.createdAt.toISOString() ?? null,
    },
    eventCursor: new Date().toISOString(),
  };
}

/** Every subscription receives every event, and filters those of its user. */
export async function* subscribeToEvents(_arguments: unknown, { user }: Context) {
  for await (const [row] of on(events, "event") as AsyncIterable<[QueuedJob]>) {
    if (row.userId === user.id)
      yield {
        queuedJobEvents: { cursor: `${row.id}:${row.version}`, type: row.status, queuedJob: row },
      };
  }
}
