import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../src/embedded/ports.js";
import { enqueueBody } from "../client/api-client.js";
import type { Rig } from "../rig.js";
import { spawnPeer } from "../spawn-peer.js";
import { THUMBNAIL_WIDTHS, type GraphqlPeer } from "./graphql-peer.js";
import { createTablesText } from "./naive/tables.js";

/**
 * A simple but correct server on the same stack, as written in an afternoon. Each job costs one
 * insert, one add to the queue and one publish.
 */
export async function startNaive(rig: Rig): Promise<GraphqlPeer> {
  const database = await rig.createDatabase("naive");
  await rig.query(database, createTablesText);
  const port = await freePort();
  const env = {
    PORT: String(port),
    DATABASE_URL: database,
    REDIS_URL: rig.redis.url,
    JWT_PUBLIC_KEY: rig.tokens.publicKey,
    JWT_ISSUER: rig.tokens.issuer,
    JWT_AUDIENCE: rig.tokens.audience,
  };
  const api = await spawnPeer({
    name: "naive-api",
    script: "./peers/naive/api.js",
    env,
    logs: rig.logs,
  });
  const worker = await spawnPeer({
    name: "naive-worker",
    script: "./peers/naive/worker.js",
    env,
    logs: rig.logs,
  });
  return {
    url: `http://127.0.0.1:${port}`,
    processes: { api: api.pid, worker: worker.pid },
    async seed(rows) {
      await rig.query(database, seedText(rows));
      await rig.query(database, "vacuum analyze");
    },
    thumbnailRequests: (photos) => thumbnailRequests(photos, join(rig.folder, "naive-photos")),
    close: async () => void (await Promise.all([api.stop(), worker.stop()])),
  };
}

/** The naive peer reads the photos from disk, and writes its thumbnails beside them. */
async function thumbnailRequests(photos: readonly Buffer[], folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    photos.map(async (photo, i) => {
      const file = join(folder, `${i}.jpg`);
      await writeFile(file, photo);
      return enqueueBody("thumbnails", { file, widths: THUMBNAIL_WIDTHS });
    }),
  );
}

function seedText(rows: number): string {
  return `
    insert into users (subject, email, name)
      select subject, subject || '@example.test', subject from (select 'person-' || case k when 0
        then '0' else 'of-the-past-' || k end subject from generate_series(0, 39) k) people
        on conflict do nothing;
    insert into queued_jobs (user_id, job_id, status, parameters, result, progress, version,
      created_at, updated_at, started_at, finished_at)
      select owners.ids[1 + g % 40], 1, 'SUCCESS', '{"message": {"n": 1, "note": "bench"}}',
        '{"message": {"n": 1, "note": "bench"}}', 100, 3, t, t, t, t
      from generate_series(1, ${rows}) g
      cross join lateral (select now() - make_interval(secs => 60 + (${rows} - g) * 0.05) t) made
      cross join (select array_agg(id order by subject) ids from users where subject = 'person-0'
      or subject like 'person-of-the-past-%') owners`;
}
