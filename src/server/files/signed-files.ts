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

export const FILE_HEADERS = {
  // Browsers must not run an uploaded file, whatever it contains.
  "content-security-policy": "sandbox; default-src 'none'",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "cross-origin",
  "referrer-policy": "no-referrer",
};

/**
 * Registers `GET /files/<kind>/<id>/<name>`, which serves the file of a signed URL. A URL is valid
 * until it expires, so each request reads the row: a deleted file is unavailable at once.
 */
export function registerSignedFiles(app: FastifyInstance, options: SignedFilesOptions): void {
  app.get("/files/:kind/:id/:name", async (request: FileRequest, reply) => {
    if (!isSigned(request, options.fileUrls)) return refuseUnsigned(reply);
    const file = await find(request.params, options);
    // When the storage serves files itself, this service issues no such URLs. Redirect the URLs
    // that were issued before the files moved.
    const storageUrl = file && (await options.storage.presign(file.storageKey, file));
    if (storageUrl) return reply.header("cache-control", "no-store").redirect(storageUrl, 307);
    const path =
      file && (await options.storage.localPath(file.storageKey, options.storage.scratchFolder));
    return file && path ? sendFile(request, reply, path, file) : reportMissing(reply);
  });
}

export function refuseUnsigned(reply: FastifyReply): FastifyReply {
  return reply.code(403).send({
    code: "FORBIDDEN",
    message: "The URL is not signed or has expired: request a new one.",
  });
}

export function reportMissing(reply: FastifyReply): FastifyReply {
  return reply
    .code(404)
    .send({ code: "NOT_FOUND", message: "The file does not exist; it was deleted." });
}

/** Verifies the path as received: a different spelling of the path is not signed. */
export function isSigned(request: Pick<FileRequest, "query" | "url">, fileUrls: FileUrls): boolean {
  const { exp, sig } = request.query;
  const path = request.url.split("?", 1)[0] ?? "";
  return typeof exp === "string" && typeof sig === "string" && fileUrls.verify(path, exp, sig);
}

async function find(
  { kind, id, name }: { kind: string; id: string; name: string },
  { photos, queuedJobReads }: SignedFilesOptions,
): Promise<StoredFile | null> {
  // Such paths were never signed, and PostgreSQL would reject their values.
  if (!(FILE_KINDS as readonly string[]).includes(kind) || !isUuid(id) || name.includes("\0"))
    return null;
  if ((kind as FileKind) === "outputs") return queuedJobReads.outputFile(id, name);
  const [photo] = await photos.findMany([id]);
  // Images have their own route.
  if (!photo || (kind as FileKind) === "images") return null;
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
  // A conditional fetch also sends `cache-control: no-cache`. The library would then skip the check
  // and send the whole file.
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
      ...FILE_HEADERS,
      "content-disposition": contentDisposition(file.filename),
    })
    .send(stream);
}
