// Tests that pages of a large library read few rows, with statements planned while it was small.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import postgres from "postgres";
import { createDatabase, type Database } from "../../../../src/db/database.js";
import {
  ANY_PHOTO,
  type PhotoFilter,
  type PhotoOrder,
} from "../../../../src/services/reads/photo-filter.js";
import {
  createPhotoLibrary,
  photoKey,
  type PhotoLibrary,
} from "../../../../src/services/reads/photo-library.js";
import { createPhotos } from "../../../../src/services/photos/photos.js";
import type { User } from "../../../../src/services/users/users.js";
import { eventually } from "../../../support/runner/eventually.js";
import { long } from "../../../support/runner/long.js";
import { silentLog } from "../../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const FILTERS: Record<string, Partial<PhotoFilter>> = {
  none: {},
  "a day": { takenAfter: "2015-03-01T00:00:00", takenBefore: "2015-03-02T00:00:00" },
  "the first years": { takenBefore: "2012-01-01T00:00:00" },
  "a town": { within: { south: 40, west: 10, north: 40.5, east: 10.5 } },
  "half the world": { within: { south: -90, west: 170, north: 90, east: -20 } },
  "a rare camera": { cameras: ["Camera 7"] },
  "the first camera": { cameras: ["Old Camera"] },
  "a rare name": { filename: "_77777." },
  "a common name": { filename: "img" },
  "no such name": { filename: "sunset" },
  "no such name beyond ASCII": { filename: "é" },
  damaged: { damaged: true },
  sound: { damaged: false },
  kept: { kept: true },
  similar: { similarTo: { id: "01900000-0000-7000-8000-000000000000", phash: 12_345n } },
  "several that few photos meet": {
    within: { south: -90, west: -180, north: 0, east: 180 },
    filename: "77",
    takenBefore: "2011-01-01T00:00:00",
  },
  several: { cameras: ["Old Camera"], filename: "7", damaged: false },
};
/** Filters that so many photos meet that all pages are full. */
const COMMON = ["half the world", "the first camera", "a common name", "several"];
/** Photos on the first page of filters that few meet. */
const MATCHES: Record<string, number> = { "a rare name": 1, "no such name": 0, similar: 0 };
const PHOTOS = 100_000;
const PHOTOS_PER_STATEMENT = 10_000;
const ROUNDS = 5;
/** Candidates that are sorted, the page itself, and a margin. */
const MAX_ROWS = 2500;
/** Photos in which a name is searched first, those of a year, and a margin. */
const MAX_ENTRIES = 20_000;

describe("a library of 100,000 photos", long, () => {
  let services: TestServices;
  let database: Database;
  let library: PhotoLibrary;
  let user: User;
  before(async () => {
    services = await createTestServices();
    // One connection for all reads, because others report their statistics late.
    database = createDatabase({ url: services.url, connections: 1, applicationName: "test" });
    library = libraryOn(database);
    user = await services.newUser();
    await services.newPhoto(user);
    // PostgreSQL keeps the plan of a prepared statement from the sixth time on.
    for (let round = 0; round < 6; round++)
      for (const filter of Object.values(FILTERS))
        for (const order of ["UPLOADED", "TAKEN"] as const) await page(filter, order);
    await fill();
  });
  after(async () => {
    await database.close();
    await services.close();
  });

  const libraryOn = (connection: Database) =>
    createPhotoLibrary(
      connection,
      createPhotos({
        database: connection,
        bus: services.bus,
        deleteFiles: async () => {},
        maxStoredBytes: 0,
        maxRecordedBytes: 0,
        log: silentLog,
      }),
    );

  const page = (
    filter: Partial<PhotoFilter>,
    order: PhotoOrder,
    key: string | null = null,
    pages = library,
  ) =>
    pages.page({
      userId: user.id,
      filter: { ...ANY_PHOTO, ...filter },
      order,
      size: 50,
      backward: false,
      key,
    });

  /** Adds photos of this user, taken in the order of their upload, and as many of another one. */
  async function fill(): Promise<void> {
    // A connection of its own, whose statements have no time limit.
    const sql = postgres(services.url, { max: 1 });
    const stranger = await services.newUser();
    for (const id of [user.id, stranger.id])
      for (let from = 1; from <= PHOTOS; from += PHOTOS_PER_STATEMENT)
        await sql`
          insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
            storage_key, phash, created_at, taken_at, latitude, longitude, camera, damaged, made_by)
          select uuidv7(make_interval(secs => i - ${PHOTOS}::int)), ${id}, 'IMG_' || i || '.jpg',
            'image/jpeg', 4, 3, 1, ${id} || i, 'k' || i,
            ('x' || substr(md5(i::text), 1, 16))::bit(64)::bigint, now(),
            case when i % 20 > 0 then '2010-01-01'::timestamp + make_interval(mins => i * 80) end,
            case when i % 3 > 0 then (i * 37 % 18000) / 100.0 - 90 end,
            case when i % 3 > 0 then (i * 91 % 36000) / 100.0 - 180 end,
            case when i < 20000 then 'Old Camera' when i % 1000 = 7 then 'Camera 7'
              when i % 4 > 0 then 'Phone' end,
            case when i % 2000 = 0 then 'It is cut off.' end,
            case when i % 50 = 0 then '01900000-0000-7000-8000-000000000000'::uuid end
          from generate_series(${from}::int, ${from + PHOTOS_PER_STATEMENT - 1}::int) i`;
    // The suite's PostgreSQL writes commits late, and rows count as visible to all only after that.
    await eventually("the rows are visible to all", async () => {
      await sql`vacuum analyze photos`;
      const [table] = await sql<{ isVisible: boolean }[]>`
        select relallvisible = relpages as "isVisible" from pg_class where relname = 'photos'`;
      return table?.isVisible;
    });
    await sql.end();
  }

  /**
   * What statements have read so far: rows of the table, and entries that its indexes returned. An
   * index does not return the entries that conditions on its own columns exclude.
   */
  async function read(): Promise<{ rows: number; entries: number }> {
    await database.sql`select pg_stat_force_next_flush()`;
    const [row] = await database.sql<{ rows: number; entries: number }[]>`
      select (seq_tup_read + idx_tup_fetch)::int as rows, (
        select sum(idx_tup_read)::int from pg_stat_user_indexes i where i.relid = t.relid) as entries
      from pg_stat_user_tables t where relname = 'photos'`;
    return row ?? { rows: 0, entries: 0 };
  }

  it("keeps the plans of its pages in both orders, instead of planning each page", async () => {
    const fresh = createDatabase({ url: services.url, connections: 1, applicationName: "test" });
    const pages = libraryOn(fresh);
    for (let round = 0; round < 20; round++)
      for (const order of ["UPLOADED", "TAKEN"] as const) await page({}, order, null, pages);
    const plans = await fresh.sql<{ kept: number }[]>`
      select generic_plans::int as kept from pg_prepared_statements
      where statement like ${"%from photos t%"}`;
    await fresh.close();
    assert.deepEqual(
      plans.map(({ kept }) => kept),
      [15, 15],
    );
  });

  for (const [name, filter] of Object.entries(FILTERS)) {
    for (const order of ["UPLOADED", "TAKEN"] as const) {
      it(`reads few rows and entries of indexes for pages of ${name} in the order ${order}`, async (t) => {
        const times: number[] = [];
        let key: string | null = null;
        for (let round = 0; round < ROUNDS; round++) {
          const before_ = await read();
          const start = performance.now();
          const { rows, hasNext } = await page(filter, order, key);
          times.push(performance.now() - start);
          const after_ = await read();
          const [count, entries] = [after_.rows - before_.rows, after_.entries - before_.entries];
          assert.ok(count <= MAX_ROWS, `page ${round} has read ${count} rows`);
          assert.ok(entries <= MAX_ENTRIES, `page ${round} has read ${entries} entries`);
          if (round === 0 && name in MATCHES) assert.equal(rows.length, MATCHES[name]);
          if (COMMON.includes(name)) assert.equal(rows.length, 50);
          const last = rows.at(-1);
          key = hasNext && last ? photoKey(order, last) : null;
        }
        t.diagnostic(times.map((ms) => `${ms.toFixed(1)} ms`).join(", "));
      });
    }
  }
});
