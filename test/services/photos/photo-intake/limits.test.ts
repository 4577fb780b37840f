// The limits of concurrent uploads in one process, per user and in total.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import {
  createPhotoInspector,
  type PhotoInspector,
} from "../../../../src/imaging/inspect/photo-inspector.js";
import { createLocalStorage } from "../../../../src/photos/local-storage.js";
import type { Storage } from "../../../../src/photos/storage.js";
import {
  createPhotoIntake,
  type PhotoIntake,
} from "../../../../src/services/photos/photo-intake.js";
import type { User } from "../../../../src/services/users/users.js";
import { eventually } from "../../../support/runner/eventually.js";
import { processTree } from "../../../support/processes/process-tree.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { silentLog } from "../../../support/runner/silent-log.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const MAX_UPLOAD_BYTES = 10_000;
const MAX_STORED_BYTES = 50_000;
/** The total limit of one process, in files of the maximum length. */
const MAX_LONGEST = 64;

interface Upload {
  bytes: PassThrough;
  done: Promise<{ created: boolean }>;
}

describe("concurrent uploads", () => {
  let services: TestServices;
  let folder: string;
  let storage: Storage;
  let inspector: PhotoInspector;
  let intake: PhotoIntake;
  let user: User;
  const open: Upload[] = [];
  before(async () => {
    services = await createTestServices({ maxStoredBytes: MAX_STORED_BYTES });
    folder = await mkdtemp(join(tmpdir(), "photo-intake-limits-"));
    storage = await createLocalStorage(folder);
  });
  beforeEach(async () => {
    inspector = createPhotoInspector({
      log: silentLog,
      maxPixels: 1_000_000,
      memoryLimitBytes: 1.5 * 1024 ** 3,
    });
    intake = createIntake();
    user = await services.newUser();
  });
  afterEach(async () => {
    for (const { bytes } of open) bytes.destroy(new Error("the sender went away"));
    await Promise.allSettled(open.splice(0).map(({ done }) => done));
    await inspector.close();
    assert.deepEqual(await readdir(storage.scratchFolder), []);
  });
  after(async () => {
    await services.close();
    await rm(folder, { recursive: true });
  });

  function createIntake(options: { headerMs?: number } = {}): PhotoIntake {
    const limits = { maxUploadBytes: MAX_UPLOAD_BYTES, maxStoredBytes: MAX_STORED_BYTES };
    return createPhotoIntake({
      photos: services.photos,
      users: services.users,
      storage,
      inspector,
      ...limits,
      ...options,
    });
  }

  /** Begins an upload whose bytes the test sends step by step. */
  function begin(by = user): Upload {
    const bytes = new PassThrough();
    const taken = intake.take(by, (receive) => receive(bytes, "a.png"), silentLog);
    const done = taken.then(({ created }) => ({ created }));
    done.catch(() => {});
    bytes.on("error", () => {});
    open.push({ bytes, done });
    return { bytes, done };
  }

  /** Sends the given number of bytes in each upload, and resolves when all are on the disk. */
  async function send(uploads: Upload[], count: number): Promise<void> {
    const before_ = bytesOnDisk();
    for (const { bytes } of uploads) bytes.write(Buffer.alloc(count));
    await eventually(
      "the bytes have arrived",
      () => bytesOnDisk() >= before_ + uploads.length * count,
    );
  }

  function bytesOnDisk(): number {
    const sizes = readdirSync(storage.scratchFolder).map(
      (name) => statSync(join(storage.scratchFolder, name)).size,
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  function upload(by = user): Promise<{ created: boolean }> {
    const { bytes, done } = begin(by);
    bytes.end(smallPhoto());
    return done;
  }

  it("are limited to ten per user, and do not affect other users", async () => {
    const ten = Array.from({ length: 10 }, () => begin());
    const message =
      "Quota exceeded: at most 10 concurrent uploads per user; wait until one has ended.";
    assert.deepEqual(await refusalOf(upload()), {
      code: "QUOTA_EXCEEDED",
      message,
      retryAfterMs: 1000,
    });
    assert.equal((await upload(await services.newUser())).created, true);
    ten[0]?.bytes.end(smallPhoto());
    await ten[0]?.done;
    assert.equal((await upload()).created, true);
  });

  it("count against the storage quota of their user before they are stored", async () => {
    const others = Array.from({ length: 5 }, () => begin());
    const late = begin();
    await send([late], 100);
    await send(others, MAX_UPLOAD_BYTES);
    const message =
      "Quota exceeded: at most 50000 bytes of photos and outputs per user; delete some.";
    const full = { code: "QUOTA_EXCEEDED", message, retryAfterMs: 60_000 };
    assert.deepEqual(await refusalOf(upload()), full, "an upload that begins");
    late.bytes.write(Buffer.alloc(100));
    assert.deepEqual(await refusalOf(late.done), full, "an upload that continues");
    assert.equal((await upload(await services.newUser())).created, true);
    for (const { bytes } of others) bytes.destroy(new Error("the sender went away"));
    await Promise.allSettled(others.map(({ done }) => done));
    assert.equal((await upload()).created, true);
  });

  it("of all users together never fill the disk", async () => {
    const users = await Promise.all(Array.from({ length: 16 }, () => services.newUser()));
    const many = users.flatMap((one) => Array.from({ length: 4 }, () => begin(one)));
    assert.equal(many.length, MAX_LONGEST);
    await send(many, MAX_UPLOAD_BYTES);
    const message = "Too many uploads are under way; try again in a moment.";
    assert.deepEqual(await refusalOf(upload()), { code: "SERVICE_UNAVAILABLE", message });
    const [first] = many;
    first?.bytes.destroy(new Error("the sender went away"));
    await first?.done.catch(() => {});
    assert.equal((await upload()).created, true);
  });

  describe("with a child that reads no header", () => {
    const halted = new Set<number>();
    let timer: NodeJS.Timeout;
    /** Suspends every child of the inspector until `release`. */
    async function haltChildren(): Promise<void> {
      await inspector.warm();
      timer = setInterval(() => {
        for (const pid of processTree(process.pid).filter(
          (one) => !halted.has(one) && isPhotoChild(one),
        )) {
          process.kill(pid, "SIGSTOP");
          halted.add(pid);
        }
      }, 20);
      await eventually("the children are suspended", () => halted.size >= 1);
    }
    function release(): void {
      clearInterval(timer);
      for (const pid of halted) {
        try {
          process.kill(pid, "SIGCONT");
        } catch {
          // The child was killed after its time.
        }
      }
      halted.clear();
    }
    afterEach(release);

    it("wait for their maximum time and then report that the service is busy", async () => {
      await haltChildren();
      intake = createIntake({ headerMs: 1000 });
      const startedAt = Date.now();
      const answers = await Promise.all(Array.from({ length: 10 }, () => refusalOf(upload())));
      assert.ok(Date.now() - startedAt >= 1000);
      const message = "Too many uploads are being checked; try again in a moment.";
      for (const answer of answers)
        assert.deepEqual(answer, { code: "SERVICE_UNAVAILABLE", message });
    });

    it("of one user delay other users by only one header", async () => {
      await haltChildren();
      // The time limit of the child ends the first upload.
      intake = createIntake({ headerMs: 60_000 });
      const ended: string[] = [];
      const follow = (name: string, by: User) =>
        upload(by)
          .catch(() => {})
          .then(() => ended.push(name));
      const own = Array.from({ length: 10 }, (_, i) => follow(`own ${i}`, user));
      await eventually(
        "they wait for their headers",
        () => readdirSync(storage.scratchFolder).length === own.length,
      );
      const other = follow("other", await services.newUser());
      await eventually("the first was aborted", () => ended.length > 0);
      release();
      await Promise.all([...own, other]);
      assert.ok(ended.indexOf("other") <= 3, ended.join(", "));
    });
  });
});

function isPhotoChild(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("photo-child");
  } catch {
    return false;
  }
}
