import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { PhotoUnreadableError } from "../../domain/errors.js";
import { contentDisposition, type FileUrls } from "../../photos/file-urls.js";
import type { Renditions } from "../../services/photos/renditions.js";
import { isUuid } from "../../services/reads/ids.js";
import { FILE_HEADERS, isSigned, refuseUnsigned, reportMissing } from "./signed-files.js";

interface ImagesOptions {
  fileUrls: FileUrls;
  renditions: Pick<Renditions, "read">;
}

type ImageRequest = FastifyRequest<{
  Params: { id: string; name: string };
  Querystring: { exp?: unknown; sig?: unknown };
}>;

/**
 * Registers `GET /files/images/<id>/<name>`, which serves a rendition of a photo and makes it when
 * it is first requested. Only sizes and formats that were signed are ever made. The answers are
 * public and immutable, so a CDN may keep them as long as the URL is valid.
 */
export function registerImages(
  app: FastifyInstance,
  { fileUrls, renditions }: ImagesOptions,
): void {
  app.get("/files/images/:id/:name", async (request: ImageRequest, reply) => {
    if (!isSigned(request, fileUrls)) return refuseUnsigned(reply);
    const { id, name } = request.params;
    if (!isUuid(id)) return reportMissing(reply);
    try {
      const file = await renditions.read(id, name);
      return file ? send(request, reply, file) : reportMissing(reply);
    } catch (error) {
      if (!(error instanceof PhotoUnreadableError)) throw error;
      return reply.code(422).send({ code: error.code, message: error.message });
    }
  });
}

function send(
  request: ImageRequest,
  reply: FastifyReply,
  { bytes, mimeType }: { bytes: Buffer; mimeType: string },
): FastifyReply {
  const { id, name } = request.params;
  const etag = `"${id}-${name}"`;
  const seconds = Math.max(0, Math.floor(Number(request.query.exp) - Date.now() / 1000));
  reply.headers({
    ...FILE_HEADERS,
    etag,
    "cache-control": `public, max-age=${seconds}, immutable`,
  });
  if (matches(request.headers["if-none-match"], etag)) return reply.code(304).send();
  return reply
    .headers({ "content-type": mimeType, "content-disposition": contentDisposition(name) })
    .send(bytes);
}

/** Compares as RFC 9110, 13.1.2: a proxy may have marked the tag as weak. */
function matches(header: string | undefined, etag: string): boolean {
  const tags = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}
