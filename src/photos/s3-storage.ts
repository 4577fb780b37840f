import { randomUUID } from "node:crypto";
import { createWriteStream, openAsBlob } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { storageUnavailable } from "../domain/errors.js";
import { inBatches } from "../runtime/concurrency.js";
import { contentDisposition, MAX_LIFE_MS, urlExpiry } from "./file-urls.js";
import { createS3Bucket, type S3Bucket, type S3BucketOptions } from "./s3-bucket.js";
import { PART_BYTES, putInParts } from "./s3-parts.js";
import { parseS3Listing } from "./s3-xml.js";
import { createScratchFolder, SlowDownloadError, type Storage } from "./storage.js";

interface S3StorageOptions extends S3BucketOptions {
  /** Prefix of every key; empty, or ends with a slash. */
  prefix: string;
  scratchFolder: string;
  /** Timeout for the download of a file; default 60,000. */
  downloadMs?: number;
  /** Size of the parts in which a larger file is uploaded. */
  partBytes?: number;
}

/** Concurrent requests when a call deletes several keys. */
const DELETE_CONCURRENCY = 16;
const DOWNLOAD_MS = 60_000;

/** Stores objects on an S3-compatible server, each under the prefix and its key. */
export async function createS3Storage(options: S3StorageOptions): Promise<Storage> {
  const { prefix, partBytes = PART_BYTES, downloadMs = DOWNLOAD_MS } = options;
  const bucket = createS3Bucket(options);
  const scratch = await createScratchFolder(options.scratchFolder);
  const objectOf = (key: string) => prefix + key;

  async function get(key: string): Promise<Readable | null> {
    const bytes = await bucket.open({ method: "GET", key: objectOf(key) });
    return bytes && Readable.fromWeb(bytes);
  }

  return {
    scratchFolder: scratch.path,
    clearScratch: (before) => scratch.clear(before),
    async put(key, path, signal) {
      const file = await blobOf(path);
      if (file.size > partBytes)
        await putInParts(bucket, { key: objectOf(key), file, partBytes }, signal);
      else await bucket.ask({ method: "PUT", key: objectOf(key), body: file });
      await rm(path);
    },
    async copy(from, to) {
      const answer = await bucket.ask({
        method: "PUT",
        key: objectOf(to),
        headers: { "x-amz-copy-source": bucket.pathOf(objectOf(from)) },
      });
      // A copy may fail after its response has begun with 200.
      if (answer?.includes("<Error>"))
        throw storageUnavailable(new Error("The storage failed during a copy"));
      return answer !== null;
    },
    has: async (key) => (await bucket.ask({ method: "HEAD", key: objectOf(key) })) !== null,
    async read(key) {
      const bytes = await get(key);
      return bytes && readWhole(bytes, downloadMs);
    },
    async localPath(key, folder) {
      const bytes = await get(key);
      return bytes && download(bytes, join(folder, randomUUID()), downloadMs);
    },
    presign(key, { mimeType, filename }, expiresAt = urlExpiry()) {
      const query = {
        "response-content-type": mimeType,
        // Spaces are removed, because servers decode them differently.
        "response-content-disposition": contentDisposition(filename).replaceAll(" ", ""),
        "response-cache-control": "private,max-age=900",
      };
      return bucket.presign(objectOf(key), query, lifeUntil(expiresAt.getTime()));
    },
    list: () => listBucket(bucket, prefix),
    // Keys are deleted one by one, because not every server supports the request for many.
    delete: async (keys) =>
      void (await inBatches(keys, DELETE_CONCURRENCY, (key) =>
        bucket.ask({ method: "DELETE", key: objectOf(key) }),
      )),
  };
}

/**
 * The life of a URL begins in the past. It depends on the expiry alone, so that a file keeps its
 * URL. A longer life begins now.
 */
function lifeUntil(end: number): { at: Date; seconds: number } {
  const at = Math.min(end - MAX_LIFE_MS, Math.floor(Date.now() / 1000) * 1000);
  return { at: new Date(at), seconds: (end - at) / 1000 };
}

async function* listBucket(bucket: S3Bucket, prefix: string): ReturnType<Storage["list"]> {
  for (let next: string | null = ""; next !== null;) {
    const query: Record<string, string> = {
      "list-type": "2",
      prefix,
      ...(next && { "continuation-token": next }),
    };
    const page = parseS3Listing((await bucket.ask({ method: "GET", key: null, query })) ?? "");
    for (const { key, modifiedAt } of page.entries)
      yield { key: key.slice(prefix.length), modifiedAt };
    next = page.next;
  }
}

async function readWhole(bytes: Readable, limitMs: number): Promise<Buffer> {
  try {
    return await buffer(addAbortSignal(AbortSignal.timeout(limitMs), bytes));
  } catch (cause) {
    throw storageUnavailable(cause);
  }
}

/**
 * Returns the path. After the timeout, the download is slow if bytes arrived in the last sixth of
 * the time. Otherwise the storage is unavailable.
 */
async function download(bytes: Readable, path: string, limitMs: number): Promise<string> {
  let lastByteAt = performance.now();
  bytes.on("data", () => (lastByteAt = performance.now()));
  const signal = AbortSignal.timeout(limitMs);
  try {
    await pipeline(bytes, createWriteStream(path, { mode: 0o600 }), { signal });
    return path;
  } catch (cause) {
    const isFlowing = performance.now() - lastByteAt < limitMs / 6;
    if (!signal.aborted || !isFlowing) throw storageUnavailable(cause);
    throw new SlowDownloadError(`A file was not complete after ${limitMs} ms.`, { cause });
  }
}

/**
 * A blob of a file is sent as a stream with a known length; servers refuse a stream without one.
 */
async function blobOf(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path);
  } catch (cause) {
    throw storageUnavailable(cause);
  }
}
