import { basename, dirname } from "node:path";
import send from "@fastify/send";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  contentDisposition,
  FILE_KINDS,
  type FileKind,
  type FileUrls,
} from "../../photos/file-urls.js";
import type { Storage } from "../../photos/storage.js";
import { isUuid } from "../../services/reads/ids.js";
import type { Photos } from "../../services/photos/photos.js";
import type { QueuedJobReads } from "../../services/reads/queued-job-reads.js";

export interface SignedFilesOptions {
  fileUrls: FileUrls;
  storage: Storage;
  photos: Photos;
  queuedJobReads: QueuedJobReads;
}

interface StoredFile {
  storageKey: string;
  mimeType: string;
  filename: string;
}

type FileRequest = FastifyRequest<{
  Params: { kind: string; id: string; name: string };
  Querystring: { exp?: unknown; sig?: unknown };
}>;

/**
 * `GET /files/<kind>/<id>/<name>`: the bytes behind a signed URL. A URL is a bearer's right until
 * it expires, so the row is asked each time: what was deleted is gone at once.
 */
export function registerSignedFiles(app: FastifyInstance, options: SignedFilesOptions): void {
  app.get("/files/:kind/:id/:name", async (request: FileRequest, reply) => {
    if (!isSigned(request, options.fileUrls))
      return reply.code(403).send({
        code: "FORBIDDEN",
        message: "The URL is not signed, or has expired: ask for it again.",
      });
    const file = await find(request.params, options);
    // Where files leave from the storage itself, nobody is given such a URL; one from before the
    // move leads there.
    const elsewhere = file && (await options.storage.presign(file.storageKey, file));
    if (elsewhere) return reply.header("cache-control", "no-store").redirect(elsewhere, 307);
    const path =
      file && (await options.storage.localPath(file.storageKey, options.storage.scratchFolder));
    return file && path
      ? sendFile(request, reply, path, file)
      : reply.code(404).send({ code: "NOT_FOUND", message: "The file was deleted." });
  });
}

/** Of the path as it came: one that is spelled otherwise is another. */
function isSigned(request: FileRequest, fileUrls: FileUrls): boolean {
  const { exp, sig } = request.query;
  const path = request.url.split("?", 1)[0] ?? "";
  return typeof exp === "string" && typeof sig === "string" && fileUrls.verify(path, exp, sig);
}

async function find(
  { kind, id, name }: { kind: string; id: string; name: string },
  { photos, queuedJobReads }: SignedFilesOptions,
): Promise<StoredFile | null> {
  // What nobody signed here, and PostgreSQL would not read.
  if (!(FILE_KINDS as readonly string[]).includes(kind) || !isUuid(id) || name.includes("\0"))
    return null;
  if ((kind as FileKind) === "outputs") return queuedJobReads.outputFile(id, name);
  const [photo] = await photos.findMany([id]);
  if (!photo) return null;
  if ((kind as FileKind) === "photos") return photo;
  return photo.previewKey === null
    ? null
    : { storageKey: photo.previewKey, mimeType: "image/webp", filename: name };
}

async function sendFile(
  request: FileRequest,
  reply: FastifyReply,
  path: string,
  file: StoredFile,
): Promise<FastifyReply> {
  // A fetch that asks "has it changed?" says no-cache as well, which would be taken for "send it
  // whatever".
  delete request.raw.headers["cache-control"];
  const { statusCode, headers, stream } = await send(
    request.raw,
    encodeURIComponent(basename(path)),
    { root: dirname(path), index: false, cacheControl: false, dotfiles: "allow" },
  );
  return reply
    .code(statusCode)
    .headers({
      ...headers,
      "content-type": file.mimeType,
      "cache-control": "private, max-age=900",
      // No page of another's may run what was uploaded here, whatever it turns out to be.
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "cross-origin",
      "referrer-policy": "no-referrer",
      "content-disposition": contentDisposition(file.filename),
    })
    .send(stream);
}
