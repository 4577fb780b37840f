import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { PermanentTaskError } from "../../../src/domain/errors.js";
import { createChildPool, type ChildPoolOptions } from "../../../src/child-pool/child-pool.js";
import { ChildStoppedError } from "../../../src/child-pool/exit-reason.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { catalogue } from "../../../src/tasks/catalogue.js";
import type {
  TaskChildRequest,
  TaskChildResponse,
} from "../../../src/worker/child/task-child-request.js";
import { noise } from "../../imaging/noise.js";
import { assertQuadrants, quadrants } from "../../imaging/quadrants.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";

const temporary = temporaryFolder();
const LINUX = process.platform === "linux" ? false : "memory caps exist on Linux only";
let folders = 0;

function makePool(options: Partial<ChildPoolOptions> = {}) {
  const entry = new URL("../../../src/worker/child/task-child.js", import.meta.url);
  return createChildPool({
    entry,
    size: 1,
    memoryLimitBytes: 1_500_000_000,
    log: createLoggerTo({ write: () => {} }),
    ...options,
  });
}

const pool = makePool();
after(() => pool.close());

function request(task: string, path: string, parameters: unknown = {}): TaskChildRequest {
  const folder = join(temporary.path, `out-${++folders}`);
  mkdirSync(folder);
  const photo = {
    id: "1",
    path,
    filename: "photo.jpg",
    mimeType: "image/jpeg",
    width: 1,
    height: 1,
    byteSize: 1,
    sha256: "",
    phash: null,
    createdAt: "2026-11-24T13:26:23.120Z",
  };
  return {
    task,
    parameters: catalogue.get(task)?.parameters.parse(parameters),
    photos: [photo],
    attempt: 1,
    failures: 0,
    folder,
    maxPixels: 100_000_000,
  };
}

async function run(
  asked: TaskChildRequest,
  options: Partial<Parameters<typeof pool.run>[1]> = {},
  on = pool,
): Promise<TaskChildResponse> {
  return (await on.run(asked, { timeoutMs: 60_000, ...options })) as TaskChildResponse;
}

const isPlain = (error: unknown) =>
  error instanceof Error && !(error instanceof PermanentTaskError);

describe("a task in a child", () => {
  it("returns its result, and writes its files to the folder of the attempt", async () => {
    const asked = request(
      "thumbnail",
      temporary.write(await quadrants(300, 200).jpeg().toBuffer()),
      { widths: [100, 50], format: "png" },
    );
    const steps: string[] = [];
    const { result, outputs } = await run(asked, {
      onProgress: (fraction, message) => steps.push(`${fraction} ${message}`),
    });
    assert.deepEqual(
      outputs.map(({ name, mimeType, width, height }) => [name, mimeType, width, height]),
      [
        ["100w.png", "image/png", 100, 67],
        ["50w.png", "image/png", 50, 33],
      ],
    );
    assert.deepEqual(result, {
      variants: outputs.map(({ name, width, height, byteSize }) => ({
        name,
        width,
        height,
        format: "png",
        byteSize,
      })),
    });
    assert.deepEqual(readdirSync(asked.folder).sort(), ["100w.png", "50w.png"]);
    for (const { name, byteSize } of outputs) {
      const file = readFileSync(join(asked.folder, name));
      assert.equal(file.length, byteSize);
      await assertQuadrants(file, 16);
    }
    assert.equal(steps[0], "0 decoding");
    assert.equal(steps.at(-1), "1 done");
  });

  it("also runs metadata and placeholder", async () => {
    const path = temporary.write(await quadrants(300, 200).jpeg().toBuffer());
    const metadata = (await run(request("metadata", path))).result as { width: number };
    const placeholder = (await run(request("placeholder", path))).result as { aspectRatio: number };
    assert.deepEqual([metadata.width, placeholder.aspectRatio], [300, 1.5]);
  });

  it("fails permanently, with a clear message, when the file is not a photo", async () => {
    for (const [bytes, sentence] of [
      ["", /^The file is empty\.$/],
      ["hello", /^This is text, not a photo\./],
      ["%PDF-1.4", /PDF/],
      ["PK\x03\x04", /archive/],
      ["<svg/>", /SVG/],
      ["<html>", /web page/],
    ] as const) {
      await assert.rejects(
        run(request("thumbnail", temporary.write(bytes))),
        (error) =>
          error instanceof PermanentTaskError &&
          error.code === "PHOTO_UNREADABLE" &&
          sentence.test(error.message),
      );
    }
    const small = {
      ...request("thumbnail", temporary.write(await quadrants(300, 200).jpeg().toBuffer())),
      maxPixels: 1000,
    };
    await assert.rejects(
      run(small),
      (error) =>
        error instanceof PermanentTaskError &&
        error.code === "PHOTO_TOO_LARGE" &&
        /0\.06 megapixels/.test(error.message),
    );
  });

  it("may be retried when the file is missing", async () => {
    await assert.rejects(run(request("thumbnail", join(temporary.path, "none.jpg"))), isPlain);
  });

  it("is killed during an AVIF encode soon after its abort, and the next task runs", async () => {
    const own = makePool();
    const abort = new AbortController();
    const asked = request("thumbnail", temporary.write(await noise(3000, 2000).jpeg().toBuffer()), {
      widths: [3000],
      format: "avif",
      quality: 90,
    });
    let aborted = 0;
    const onProgress = (_fraction: number, message = "") => {
      if (!message.startsWith("making")) return;
      aborted = Date.now();
      abort.abort();
    };
    await assert.rejects(
      run(asked, { signal: abort.signal, onProgress }, own),
      (error) => error instanceof ChildStoppedError && error.reason === "aborted",
    );
    assert(Date.now() - aborted < 2000, `${Date.now() - aborted} ms`);
    assert.deepEqual(readdirSync(asked.folder), []);
    await run(request("metadata", asked.photos[0]?.path ?? ""), {}, own);
    await own.close();
  });

  it(
    "that exceeds its memory fails alone or with its child, and the next task runs",
    { skip: LINUX },
    async () => {
      const own = makePool({ memoryLimitBytes: 400_000_000 });
      const large = {
        create: { width: 10_000, height: 9000, channels: 4, background: "#33669980" },
      } as const;
      const asked = request(
        "thumbnail",
        temporary.write(
          await sharp(large).png({ compressionLevel: 1, progressive: true }).toBuffer(),
        ),
        { widths: [100] },
      );
      const error = await run(asked, {}, own).catch((cause: unknown) => cause);
      const clean =
        error instanceof PermanentTaskError &&
        error.code === "PHOTO_TOO_LARGE" &&
        /more memory/.test(error.message);
      assert(
        clean || (error instanceof ChildStoppedError && error.reason === "memory"),
        String(error),
      );
      await run(request("metadata", asked.photos[0]?.path ?? ""), {}, own);
      await own.close();
    },
  );

  it(
    "says what to do when the output needs more memory than allowed",
    { skip: LINUX },
    async () => {
      const own = makePool({ memoryLimitBytes: 170_000_000 });
      after(() => own.close());
      const asked = request("convert", temporary.write(await noise(1600, 1200).jpeg().toBuffer()), {
        format: "webp",
        quality: 100,
      });
      const message =
        "Encoding a picture of this size as WEBP takes more memory than a task may use. " +
        "Choose another format or a smaller size.";
      await assert.rejects(
        run(asked, {}, own),
        (error) =>
          error instanceof PermanentTaskError &&
          error.code === "PHOTO_TOO_LARGE" &&
          error.message === message,
      );
    },
  );
});
