import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createDatabase } from "../../src/db/database.js";
import { migrate } from "../../src/db/migrate.js";
import { syncCatalogue } from "../../src/services/jobs/jobs.js";
import { catalogue } from "../../src/tasks/catalogue.js";
import { startServiceProcess, type ServiceProcess } from "../../test/chaos/service-process.js";
import { createApiClient, enqueueBody } from "../client/api-client.js";
import type { Rig } from "../rig.js";
import { THUMBNAIL_QUALITY, THUMBNAIL_WIDTHS, type GraphqlPeer } from "./graphql-peer.js";

/** Creates a migrated database with the catalogue; replaces an older one of the same name. */
export async function createServiceDatabase(rig: Rig, name: string): Promise<string> {
  const url = await rig.createDatabase(name);
  await migrate(url);
  const database = createDatabase({ url, connections: 1, applicationName: "bench" });
  await syncCatalogue(database, catalogue.values());
  await database.close();
  return url;
}

/** Like `seed` of a peer, but the service need not run. */
export async function seedHistory(rig: Rig, database: string, rows: number): Promise<void> {
  await rig.query(database, seedText(rows, rig.tokens.issuer));
  await rig.query(database, "vacuum analyze");
}

export interface PhotoServiceOptions {
  name: string;
  /** URL of an existing database. */
  database: string;
  /** Number of the Redis database. Two services on one would take each other's hints. */
  redisIndex?: number;
  env?: Record<string, string>;
  /** Number of API processes, and as many workers; 1 by default. */
  count?: number;
}

export interface PhotoService extends GraphqlPeer {
  /** Addresses of all API processes. */
  urls: string[];
}

/** Starts the measured service, as in production. */
export async function startPhotoService(
  rig: Rig,
  { name, database, redisIndex = 0, env: more = {}, count = 1 }: PhotoServiceOptions,
): Promise<PhotoService> {
  const storage = join(rig.folder, `${name}-photos`);
  await mkdir(storage, { recursive: true });
  const env = {
    ...serviceEnv(rig, { database, storage }),
    REDIS_URL: `${rig.redis.url}/${redisIndex}`,
    ...more,
  };
  const started = await startProcesses({ name, env, logs: rig.logs, count });
  const urls = started.filter(({ role }) => role === "api").map(({ url }) => url);
  const [url = ""] = urls;
  return {
    url,
    urls,
    processes: Object.fromEntries(started.map(({ name: place, pid }) => [place, pid])),
    seed: (rows) => seedHistory(rig, database, rows),
    async thumbnailRequests(photos) {
      const client = createApiClient(url, 2);
      const bodies: string[] = [];
      for (const photo of photos)
        bodies.push(
          enqueueBody(
            "thumbnail",
            { widths: THUMBNAIL_WIDTHS, format: "jpeg", quality: THUMBNAIL_QUALITY },
            { photoIds: [await client.upload(rig.token(0), photo)] },
          ),
        );
      await client.close();
      return bodies;
    },
    close: async () => void (await Promise.all(started.map(stop))),
  };
}

/** Starts as many API processes as workers; the names of the first ones are their roles. */
async function startProcesses(options: {
  name: string;
  env: Record<string, string>;
  logs: string;
  count: number;
}): Promise<ServiceProcess[]> {
  const started: ServiceProcess[] = [];
  try {
    for (let i = 1; i <= options.count; i++)
      for (const role of ["api", "worker"] as const) {
        const place = i === 1 ? role : `${role}-${i}`;
        const name = `${options.name}-${place}`;
        started.push({ ...(await startServiceProcess({ ...options, role, name })), name: place });
      }
    return started;
  } catch (error) {
    await Promise.all(started.map(stop));
    throw error;
  }
}

/** Required settings of production, and limits that a single busy user does not reach. */
function serviceEnv(
  rig: Rig,
  { database, storage }: { database: string; storage: string },
): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    NODE_ENV: "production",
    HOST: "127.0.0.1",
    DATABASE_URL: database,
    STORAGE_URL: `file:${storage}`,
    FILE_SIGNING_KEY: "a-signing-key-for-the-bench-0123456789",
    JWT_PUBLIC_KEY: rig.tokens.publicKey,
    JWT_ISSUER: rig.tokens.issuer,
    JWT_AUDIENCE: rig.tokens.audience,
    MAX_PENDING_PER_USER: "10000000",
    RATE_LIMIT_PER_MINUTE: "0",
    MAX_SOCKETS_PER_USER: "100000",
    MAX_OPENING_SOCKETS: "100000",
    ECHO: "true",
  };
}

async function stop(member: ServiceProcess): Promise<void> {
  member.mayEnd = true;
  member.signal("SIGTERM");
  await member.exited;
}

/**
 * Ids are UUIDv7 of each row's invented time, so that they ascend as in production. There are no
 * events, because events of finished jobs expire after a day.
 */
function seedText(rows: number, issuer: string): string {
  const id =
    "(lpad(to_hex((extract(epoch from t) * 1000)::bigint), 12, '0') || '7' || " +
    "substr(md5(g::text), 1, 3) || '8' || substr(md5(g::text || 'x'), 1, 15))::uuid";
  return `
    insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at)
      select gen_random_uuid(), '${issuer}', subject, subject || '@example.test', true, subject, 0,
        now()
      from (select 'person-' || case k when 0 then '0' else 'of-the-past-' || k end subject
        from generate_series(0, 39) k) people on conflict do nothing;
    insert into user_streams (user_id) select id from users on conflict do nothing;
    insert into queued_jobs (id, user_id, job_name, status, version, attempts, parameters,
      photo_count, priority, due_at, progress, result, request_id, created_at, updated_at,
      started_at, finished_at, expires_at)
      select ${id}, owners.ids[1 + g % 40], 'echo', 'SUCCESS', 3, 1,
        '{"message": {"n": 1, "note": "bench"}}', 0, 0, t, 1,
        '{"message": {"n": 1, "note": "bench"}, "attempt": 1}', 'bench', t, t, t, t,
        now() + interval '1 day'
      from generate_series(1, ${rows}) g
      cross join lateral (select now() - make_interval(secs => 60 + (${rows} - g) * 0.05) t) made
      cross join (select array_agg(id order by subject) ids from users where subject = 'person-0'
      or subject like 'person-of-the-past-%') owners`;
}
