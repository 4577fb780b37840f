// Measures pages of the photo libraries of three users beside few photos of other users, and beside
// very many: by filter and order, with the number of statements that were planned again.
//   node dist/bench/load/library-pages.js [--photos 1000] [--few 1000] [--many 1000000] [--rounds 200]
import { parseArgs } from "node:util";
import type { Fragment, Sql } from "postgres";
import { createDatabase, type Database } from "../../src/db/database.js";
import { createLogger } from "../../src/runtime/logger.js";
import { createPhotos } from "../../src/services/photos/photos.js";
import {
  ANY_PHOTO,
  type PhotoFilter,
  type PhotoOrder,
} from "../../src/services/reads/photo-filter.js";
import { createPhotoLibrary, photoKey } from "../../src/services/reads/photo-library.js";
import { percentile } from "../report/statistics.js";
import { withLoadDatabase } from "./load-database.js";

const { values } = parseArgs({
  options: {
    photos: { type: "string", default: "1000" },
    few: { type: "string", default: "1000" },
    many: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "200" },
  },
});
const [PHOTOS, ROUNDS] = [Number(values.photos), Number(values.rounds)];
const [FEW, MANY] = [Number(values.few), Number(values.many)];
const LIMIT = 0.95;
/** PostgreSQL decides after five executions whether it keeps a plan. */
const WARM_UP = 10;
const SLICE = 50_000;
const PHOTOS_PER_STRANGER = 1000;
const STRANGERS = Math.ceil(MANY / PHOTOS_PER_STRANGER);
/** The first, a middle and the last one in the order of ids, by which the planner estimates. */
const MEASURED_USERS = ["00000000", "7fffffff", "ffffffff"].map(
  (start) => `${start}-0000-7000-8000-000000000000`,
);
const FILTERS: Record<string, Partial<PhotoFilter>> = {
  none: {},
  "a time": { takenAfter: "2010-01-10T00:00:00", takenBefore: "2010-02-10T00:00:00" },
  "a place": { within: { south: -90, west: 170, north: 90, east: -20 } },
  "a camera": { cameras: ["Phone"] },
  "a name": { filename: "77" },
  damaged: { damaged: true },
  uploads: { kept: false },
  similar: { similarTo: { id: "01900000-0000-7000-8000-000000000000", phash: 12_345n } },
  several: { cameras: ["Phone"], filename: "7", damaged: false },
};
const ORDERS = ["TAKEN", "UPLOADED"] as const;
const log = createLogger({ name: "load", level: "error", pretty: false });
const say = (line: string) => process.stdout.write(`${line}\n`);

await withLoadDatabase(1, ({ driver, url }) => run(driver, url));

async function run(sql: Sql, url: string): Promise<void> {
  await makeUsers(sql);
  for (const user of MEASURED_USERS) await fill(sql, sql`${user}::uuid`, 1, PHOTOS);
  const strangers = sql`md5((i % ${STRANGERS}::int)::text)::uuid`;
  await fill(sql, strangers, PHOTOS + 1, FEW);
  const few = await measure(sql, url);
  await fill(sql, strangers, PHOTOS + FEW + 1, MANY - FEW);
  const many = await measure(sql, url);
  say(`two pages in µs, 10th percentile, beside ${FEW} and beside ${MANY} photos of others`);
  for (const order of ORDERS) {
    let [before, after] = [0, 0];
    for (const [name, slower] of many.get(order) ?? []) {
      const faster = few.get(order)?.get(name) ?? 0;
      [before, after] = [before + faster, after + slower];
      say(`${order}, ${name}: ${faster} → ${slower} (${(faster / slower).toFixed(2)})`);
    }
    const ratio = before / after;
    say(`${order}: ${ratio.toFixed(2)} of the speed`);
    if (ratio < LIMIT) process.exitCode = 1;
  }
}

async function makeUsers(sql: Sql): Promise<void> {
  await sql`
    insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at)
    select id, 'load', id, 'a@b.c', true, 'A', 0, now() from (
      select md5(i::text)::uuid as id from generate_series(0, ${STRANGERS - 1}::int) i
      union all select unnest(${MEASURED_USERS}::uuid[])) ids`;
  await sql`insert into user_streams (user_id) select id from users`;
}

/** Adds photos of one owner, or of several: an expression in `i`. */
async function fill(sql: Sql, owner: Fragment, first: number, count: number): Promise<void> {
  for (let from = first; from < first + count; from += SLICE)
    await sql`
      insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
        storage_key, preview_key, metadata_tries, phash, created_at, taken_at, latitude, longitude,
        camera, damaged, made_by)
      select uuidv7(make_interval(secs => i - ${PHOTOS + MANY}::int)), ${owner},
        'IMG_' || i || '.jpg', 'image/jpeg', 4, 3, 1, md5(i::text), 'k' || i, 'p' || i, 0,
        ('x' || substr(md5(i::text), 1, 16))::bit(64)::bigint, now(),
        case when i % 20 > 0
          then '2010-01-01'::timestamp + make_interval(mins => i % ${PHOTOS}::int * 80) end,
        case when i % 3 > 0 then (i * 37 % 18000) / 100.0 - 90 end,
        case when i % 3 > 0 then (i * 91 % 36000) / 100.0 - 180 end,
        case when i % 4 > 0 then 'Phone' end, case when i % 100 = 0 then 'It is cut off.' end,
        case when i % 50 = 0 then '01900000-0000-7000-8000-000000000000'::uuid end
      from generate_series(${from}::int, ${Math.min(first + count, from + SLICE) - 1}::int) i`;
}

/** The 10th percentiles by order and filter. */
async function measure(sql: Sql, url: string): Promise<Map<PhotoOrder, Map<string, number>>> {
  await sql`vacuum analyze photos`;
  await sql`checkpoint`;
  const database = createDatabase({ url, connections: 1, applicationName: "load" });
  const times = new Map(ORDERS.map((order) => [order, new Map<string, number[]>()]));
  const library = libraryOf(database);
  for (let round = -WARM_UP; round < ROUNDS; round++)
    for (const order of ORDERS)
      for (const [name, filter] of Object.entries(FILTERS)) {
        if (round === 0) times.get(order)?.set(name, []);
        const userId = MEASURED_USERS[(round + WARM_UP) % MEASURED_USERS.length] ?? "";
        const query = {
          userId,
          filter: { ...ANY_PHOTO, ...filter },
          order,
          size: 50,
          backward: false,
        };
        const startedAt = performance.now();
        const { rows, hasNext } = await library.page({ ...query, key: null });
        const last = rows.at(-1);
        if (last && hasNext) await library.page({ ...query, key: photoKey(order, last) });
        times
          .get(order)
          ?.get(name)
          ?.push(1000 * (performance.now() - startedAt));
      }
  for (const order of ORDERS) await sayPlans(database, order);
  await database.close();
  // Other programs on the machine only add time.
  return new Map(
    [...times].map(([order, byName]) => [
      order,
      new Map([...byName].map(([name, list]) => [name, Math.round(percentile(list, 0.1))])),
    ]),
  );
}

/** A statement whose plan depends on its values is planned again each time. */
async function sayPlans({ sql }: Database, order: PhotoOrder): Promise<void> {
  const ending = order === "TAKEN" ? "%p.taken desc, p.id desc" : "%order by p.id desc";
  const [row] = await sql<{ kept: number; again: number }[]>`
    select sum(generic_plans)::int as kept, sum(custom_plans)::int as again
    from pg_prepared_statements where statement like ${ending}`;
  say(`${order}: executed ${row?.kept} times with a kept plan, ${row?.again} times planned again`);
}

function libraryOf(database: Database) {
  return createPhotoLibrary(
    database,
    createPhotos({
      database,
      bus: { publish() {} },
      deleteFiles: async () => {},
      maxStoredBytes: 0,
      maxRecordedBytes: 0,
      log,
    }),
  );
}
