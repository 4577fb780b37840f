import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { FIRST_ID } from "../../../src/services/reads/ids.js";
import type { ListColumns } from "../../../src/services/reads/list-pages.js";
import { LAST_ID, type ListScope } from "../../../src/services/reads/list-scan.js";
import type { PageRange } from "../../../src/services/reads/page.js";
import { createQueuedJobReads } from "../../../src/services/reads/queued-job-reads.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id);

/** The page of a list whose ids are sorted newest first. */
function expectedPage(ids: string[], { size, backward, key }: PageRange) {
  const newer = ids.filter((id) => key !== null && id > key);
  const older = ids.filter((id) => key === null || id < key);
  const hasKey = key !== null && ids.includes(key);
  if (!backward)
    return {
      ids: older.slice(0, size),
      hasPrevious: newer.length > 0 || hasKey,
      hasNext: older.length > size,
    };
  const preceding = key === null ? ids : newer;
  return {
    ids: preceding.slice(-size),
    hasPrevious: preceding.length > size,
    hasNext: key !== null && (older.length > 0 || hasKey),
  };
}

describe("a scan of a list", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(() => services.close());

  it("yields pages with exact flags in both directions, also empty ones", async () => {
    const [user, other] = [await services.newUser(), await services.newUser()];
    const { id: photoId } = await services.newPhoto(user);
    const reads = createQueuedJobReads(services.database);
    const scope = { userId: user.id, photoId: null, filter: { statuses: null, jobs: null } };
    for (let i = 0; i < 3; i++) {
      await services.submit(other);
      await services.finished(user);
      await services.submit(user, { job: "album", photoIds: [photoId, photoId] });
    }
    const all = await services.database.sql<{ id: string; userId: string; jobName: string }[]>`
      select id, user_id as "userId", job_name as "jobName" from queued_jobs order by id desc`;
    const own = all.filter(({ userId }) => userId === user.id);
    const [done, albums] = [
      own.filter(({ jobName }) => jobName === "echo"),
      own.filter(({ jobName }) => jobName === "album"),
    ];
    // The key in the middle is a row that does not exist any more.
    const gone = done[1]?.id ?? "";
    await services.queuedJobs.remove(user, gone);
    const keys = [null, FIRST_ID, LAST_ID, ...all.slice(0, 10).map(({ id }) => id)];
    const without = (rows: { id: string }[]) => idsOf(rows).filter((id) => id !== gone);
    for (const [what, more, columns, ids] of [
      ["own", {}, "brief", without(own)],
      ["own", {}, "state", without(own)],
      ["SUCCESS", { filter: { statuses: ["SUCCESS"], jobs: null } }, "whole", without(done)],
      ["PENDING", { filter: { statuses: ["PENDING"], jobs: null } }, "whole", idsOf(albums)],
      ["FAILED", { filter: { statuses: ["FAILED"], jobs: null } }, "brief", []],
      ["album", { filter: { statuses: null, jobs: ["album"] } }, "whole", idsOf(albums)],
      ["photo", { photoId }, "brief", idsOf(albums)],
      ["all users", { userId: null }, "brief", without([...all])],
    ] as [string, Partial<ListScope>, ListColumns, string[]][])
      for (const size of [2, 100])
        await Promise.all(
          keys.flatMap((key) =>
            [false, true].map(async (backward) => {
              const range = { size, backward, key };
              const { rows, hasPrevious, hasNext } = await reads.page(
                { ...scope, ...more },
                { readerId: user.id, columns, ...range },
              );
              assert.deepEqual(
                { ids: idsOf(rows), hasPrevious, hasNext },
                expectedPage(ids, range),
                `${what} ${JSON.stringify(range)}`,
              );
            }),
          ),
        );
  });
});
