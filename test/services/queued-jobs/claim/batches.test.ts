import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { QueuedJob } from "../../../../src/domain/queued-job.js";
import { claim, claimMany, type Claimed } from "../../../../src/services/queued-jobs/claim.js";
import type { User } from "../../../../src/services/users/users.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../../support/asserts/assert-complete-stream.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

/** Shorter than the lock timeout of a statement that does not use `briefLocks`. */
const MAX_WAIT_MS = 3500;

describe("concurrent steps of many attempts", () => {
  let services: TestServices;
  let [ann, bob]: User[] = [];
  before(async () => {
    services = await createTestServices();
    [ann, bob] = [await services.newUser(), await services.newUser()];
  });
  after(() => services.close());
  const of = (user: User | undefined, count: number) =>
    services.submitMany(
      user ?? assert.fail(),
      Array.from({ length: count }, () => ({})),
    );
  const claimAll = (queuedJobs: QueuedJob[], worker = "worker") =>
    Promise.all(
      queuedJobs.map(({ id, userId }) => services.queuedJobs.start({ id, run: 1, worker, userId })),
    );
  const isThere = (claimed: (Claimed | null)[]): Claimed[] =>
    claimed.map((one) => one ?? assert.fail("it was not claimed"));
  /** The events published since the last call. */
  function listen() {
    const [events, notifications] = [services.published.length, services.notifications.length];
    return {
      events: () => services.published.slice(events),
      notifications: () => services.notifications.slice(notifications),
    };
  }

  it("are published by one notification per owner and batch, in order", async () => {
    const [annas, bobs] = [await of(ann, 20), await of(bob, 10)];
    const published = listen();
    const claimed = isThere(await claimAll([...annas, ...bobs]));
    assert.deepEqual(published.notifications(), [20, 10]);
    assert.deepEqual(
      published.events().map(({ queuedJob }) => queuedJob.id),
      [...annas, ...bobs].map(({ id }) => id),
    );
    assert.ok(
      published
        .events()
        .every(
          ({ type, queuedJob }, i) =>
            type === "STARTED" &&
            queuedJob.startedAt !== null &&
            claimed[i]?.startedSeq === published.events()[i]?.seq,
        ),
    );
    assert.deepEqual(
      claimed.map(({ queuedJob }) => queuedJob),
      published.events().map(({ queuedJob }) => queuedJob),
    );
    const row = await services.row(claimed[7]?.id ?? "");
    assert.deepEqual(
      [row.status, row.attempts, row.version, row.worker],
      ["STARTED", 1, 2, "worker"],
    );
    assert.ok((row.lease ?? 0) > 25);
    assert.ok(
      (
        await Promise.all(
          claimed.map((one, i) => services.queuedJobs.succeed(one, { place: i }, [])),
        )
      ).every(Boolean),
    );
    assert.deepEqual(
      published
        .events()
        .slice(30)
        .map(({ queuedJob }) => queuedJob.result),
      claimed.map((_, i) => ({ place: i })),
    );
    assert.equal(published.notifications().length, 4);
    assertCompleteStream(services);
    await assertConsistent(services.database.sql);
  });

  it("leave out only those that another process was first to write", async () => {
    const queuedJobs = await of(ann, 6);
    const [gone, taken, ...free] = queuedJobs.map(({ id }) => id);
    await services.queuedJobs.cancel(ann ?? assert.fail(), gone ?? "");
    await services.start({ id: taken ?? "" }, "another");
    const claimed = await claimAll(queuedJobs);
    assert.deepEqual(
      claimed.flatMap((one) => one?.id ?? []),
      free,
    );
    const [late, ...others] = isThere(claimed.slice(2));
    await services.queuedJobs.cancel(ann ?? assert.fail(), late?.id ?? "");
    const recorded = await Promise.all(
      [late ?? assert.fail(), ...others].map((one) => services.queuedJobs.succeed(one, 1, [])),
    );
    assert.deepEqual(recorded, [false, true, true, true]);
    assert.equal((await services.row(late?.id ?? "")).status, "CANCELLED");
    assertCompleteStream(services);
  });

  it("are refused only for an attempt older than the current one", async () => {
    const [older, ...others] = isThere(await claimAll(await of(ann, 3)));
    await services.queuedJobs.handBack(older ?? assert.fail(), 0);
    const present = await services.start(older ?? assert.fail());
    const recorded = await Promise.all(
      [...others, older ?? assert.fail()].map((one) =>
        services.queuedJobs.succeed(one, "late", []),
      ),
    );
    assert.deepEqual(
      [recorded, (await services.row(present.id)).status],
      [[true, true, false], "STARTED"],
    );
  });

  it("do not claim a QueuedJob whose task this worker lacks", async () => {
    const { sql } = services.database;
    const queuedJobs = await of(bob, 3);
    const claims = queuedJobs.map(({ id }) => ({ id, run: 1, worker: "older" }));
    assert.deepEqual(
      [
        await claim(sql, claims[0] ?? assert.fail(), ["hash"]),
        await claimMany(sql, claims, ["hash"]),
      ],
      [null, [null, null, null]],
    );
    assert.equal(isThere(await claimAll(queuedJobs)).length, 3);
  });

  it("claim each QueuedJob once when several workers take the same hints at once", async () => {
    const queuedJobs = await of(bob, 40);
    const claims = (
      await Promise.all(
        ["one", "two", "three"].map((worker) =>
          claimAll(
            queuedJobs.toSorted(() => Math.random() - 0.5),
            worker,
          ),
        ),
      )
    ).flat();
    assert.equal(claims.filter((claimed) => claimed !== null).length, 40);
    assertCompleteStream(services);
    await assertConsistent(services.database.sql);
  });

  it("claim free rows beside a locked one, and keep the hint of the locked one", async () => {
    const [locked, ...free] = await of(bob, 4);
    const request = { id: locked?.id ?? "", run: 1, worker: "worker" };
    const startedAt = performance.now();
    const [claimed, alone, wait] = await services.database.sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${request.id} for update`;
      return [
        await claimAll([locked ?? assert.fail(), ...free]),
        await services.queuedJobs.start(request),
        await services.queuedJobs.claimableIn(request),
      ] as const;
    });
    assert.deepEqual(
      [claimed.flatMap((one) => one?.id ?? []), alone, wait],
      [free.map(({ id }) => id), null, 1000],
    );
    assert.ok(performance.now() - startedAt < MAX_WAIT_MS);
    isThere([await services.queuedJobs.start(request)]);
    assert.equal(await services.queuedJobs.claimableIn(request), null, "its run has begun");
  });

  it("claim for others while one owner's counter is locked, and keep its hint", async () => {
    const [annas, bobs] = [await of(ann, 2), await of(bob, 2)];
    const [own] = annas;
    const startedAt = performance.now();
    const [claimed, alone, wait] = await services.database.sql.begin(async (tx) => {
      await tx`select from user_streams where user_id = ${ann?.id ?? ""} for update`;
      const all = await claimAll([...annas, ...bobs]);
      return [
        all,
        await services.queuedJobs.start({ id: own?.id ?? "", run: 1, worker: "worker" }),
        await services.queuedJobs.claimableIn({ id: own?.id ?? "", run: 1, worker: "worker" }),
      ] as const;
    });
    assert.deepEqual(
      [claimed.flatMap((one) => one?.id ?? []), alone, wait],
      [bobs.map(({ id }) => id), null, 1000],
    );
    assert.ok(performance.now() - startedAt < MAX_WAIT_MS);
    isThere(await claimAll(annas));
  });

  it("record successes of others while one owner's row is locked", async () => {
    const [annas, bobs] = [
      isThere(await claimAll(await of(ann, 2))),
      isThere(await claimAll(await of(bob, 2))),
    ];
    const [locked] = annas;
    const succeed = (one: Claimed) => services.queuedJobs.succeed(one, "done", []);
    let own: Promise<boolean> = Promise.resolve(false);
    await services.database.sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${locked?.id ?? ""} for update`;
      own = succeed(locked ?? assert.fail());
      assert.deepEqual(await Promise.all(bobs.map(succeed)), [true, true]);
    });
    assert.deepEqual([await own, await succeed(annas[1] ?? assert.fail())], [true, true]);
  });

  it("find nothing of a deleted account, and do not affect the others", async () => {
    const gone = await services.newUser();
    const [running, ...lost] = await of(gone, 3);
    const late = await services.start(running ?? assert.fail());
    await services.database.sql`delete from user_streams where user_id = ${gone.id}`;
    const bobs = await of(bob, 2);
    const claimed = await claimAll([...lost, ...bobs]);
    assert.deepEqual(
      claimed.flatMap((one) => one?.id ?? []),
      bobs.map(({ id }) => id),
    );
    const request = { id: lost[0]?.id ?? "", run: 1, worker: "worker" };
    assert.deepEqual(
      [await services.queuedJobs.start(request), await services.queuedJobs.claimableIn(request)],
      [null, null],
    );
    const recorded = await Promise.all(
      [...isThere(claimed.slice(2)), late].map((one) => services.queuedJobs.succeed(one, 1, [])),
    );
    assert.deepEqual(
      [
        recorded,
        await services.queuedJobs.fail(late, {
          code: "TASK_FAILED",
          message: "No.",
          permanent: true,
        }),
      ],
      [[true, true, false], null],
    );
    await services.database.sql`delete from users where id = ${gone.id}`;
  });

  it("fail only for the one that cannot be written", async () => {
    const claimed = isThere(await claimAll(await of(ann, 5)));
    const recorded = await Promise.allSettled(
      claimed.map((one, i) => services.queuedJobs.succeed(one, i === 2 ? "\0" : "good", [])),
    );
    assert.deepEqual(
      recorded.map((result) => result.status),
      ["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"],
    );
    assert.deepEqual(
      await Promise.all(claimed.map(async ({ id }) => (await services.row(id)).status)),
      ["SUCCESS", "SUCCESS", "STARTED", "SUCCESS", "SUCCESS"],
    );
    await assertConsistent(services.database.sql);
  });

  it("record two outcomes of one attempt in sequence, of which the first counts", async () => {
    const claimed = isThere(await claimAll(await of(ann, 3)));
    const [one] = claimed;
    const published = listen();
    const recorded = await Promise.all(
      [one ?? assert.fail(), ...claimed].map((each, i) => services.queuedJobs.succeed(each, i, [])),
    );
    assert.deepEqual(recorded, [true, false, true, true]);
    assert.deepEqual(
      published.events().map(({ queuedJob: { id, result } }) => [id, result]),
      claimed.map(({ id }, i) => [id, i === 0 ? 0 : i + 1]),
    );
    assertCompleteStream(services);
  });

  it("keep the progress of each attempt separate", async () => {
    const claimed = isThere(await claimAll(await of(bob, 4)));
    const [over] = claimed;
    await services.queuedJobs.succeed(over ?? assert.fail(), null, []);
    const published = listen();
    const known = await Promise.all(
      claimed.map((one, i) => services.queuedJobs.progress(one, i / 10, `step ${i}`)),
    );
    assert.deepEqual(known, [false, true, true, true]);
    assert.deepEqual(
      published
        .events()
        .map(({ queuedJob: { id, progress, progressMessage } }) => [id, progress, progressMessage]),
      claimed.slice(1).map(({ id }, i) => [id, (i + 1) / 10, `step ${i + 1}`]),
    );
  });
});
