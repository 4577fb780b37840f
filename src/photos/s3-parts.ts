// The upload of a large file in parts. A lost connection then costs one part, and S3 takes no more
// than 5 GiB at once.
import { storageUnavailable } from "../domain/errors.js";
import type { S3Bucket } from "./s3-bucket.js";
import { textOf } from "./s3-xml.js";

/** Default size of a part. S3 takes 10,000 parts of 5 MiB or more. */
export const PART_BYTES = 64 * 1024 ** 2;

/** Time in which a server puts the parts together, which takes S3 up to some minutes. */
const COMPLETION_MS = 300_000;

/**
 * Stores a file under `key` in parts, one after the other. An aborted signal stops it before the
 * next part. The parts of a failed upload are deleted, except after a crash: then a rule of the
 * bucket must delete them.
 */
export async function putInParts(
  bucket: S3Bucket,
  { key, file, partBytes }: { key: string; file: Blob; partBytes: number },
  signal?: AbortSignal,
): Promise<void> {
  const begun = await bucket.ask({ method: "POST", key, query: { uploads: "" } });
  const uploadId = textOf(begun ?? "", "UploadId");
  if (!uploadId) throw storageUnavailable(new Error("The storage began no upload"));
  try {
    const etags: string[] = [];
    for (let start = 0; start < file.size; start += partBytes) {
      signal?.throwIfAborted();
      const query = { partNumber: String(etags.length + 1), uploadId };
      const body = file.slice(start, start + partBytes);
      etags.push(await bucket.putPart({ key, query, body }));
    }
    await complete(bucket, { key, uploadId, etags });
  } catch (error) {
    await bucket.ask({ method: "DELETE", key, query: { uploadId } }).catch(() => {});
    throw error;
  }
}

async function complete(
  bucket: S3Bucket,
  { key, uploadId, etags }: { key: string; uploadId: string; etags: string[] },
): Promise<void> {
  const parts = etags.map(
    (etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
  );
  const body = new Blob([`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`]);
  const request = { method: "POST", key, query: { uploadId }, timeoutMs: COMPLETION_MS } as const;
  const answer = await bucket.ask({ ...request, body });
  // It may fail after its response has begun with 200. Null means that the upload is gone, perhaps
  // because an earlier try completed it and only the response was lost.
  const isThere = answer === null && (await bucket.ask({ method: "HEAD", key })) !== null;
  if (!isThere && (answer === null || answer.includes("<Error>")))
    throw storageUnavailable(new Error("The storage did not complete an upload"));
}
