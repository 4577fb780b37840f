import type { Readable } from "node:stream";
import fastifyMultipart from "@fastify/multipart";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  InvalidInputError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  ServiceError,
} from "../../domain/errors.js";
import type { Logger } from "../../runtime/logger.js";
import type { FileUrls } from "../../photos/file-urls.js";
import type { PhotoIntake, Receive } from "../../services/photos/photo-intake.js";
import { photoUrl, previewUrl } from "../../services/photos/photo-urls.js";
import type { Photo } from "../../services/photos/photos.js";
import type { Authenticator } from "../access/authenticator.js";
import { statusOf, refuseAsJson } from "../http/errors.js";
import { UPLOAD_TIMEOUTS, watchUpload, type UploadTimeouts } from "../http/slow-bodies.js";

interface PhotoUploadsOptions {
  authenticator: Authenticator;
  intake: PhotoIntake;
  fileUrls: FileUrls;
  maxUploadBytes: number;
  timeouts?: UploadTimeouts;
}

/** Bytes for the boundaries and headers of a form around the file. */
const FORM_BYTES = 64 * 1024;
const RAW = "application/octet-stream";
const FORM = /^\s*multipart\/form-data\b/i;
/** Accepted content types of an upload. */
const PHOTO = /^\s*($|image\/|application\/octet-stream\b|multipart\/form-data\b)/i;
/** Errors of the form parser, which have no code: boundary missing or too long, premature end. */
const FORM_FAULTS =
  /^Multipart: |^The needle cannot|end of (multipart data|form)|Premature close|aborted/i;
/** Maximum characters of a content type in a message. */
const MAX_TYPE_LENGTH = 100;

/**
 * Registers `POST /photos`: the body is the raw bytes, or a form with one `file`. Errors are JSON,
 * `{ code, message }`. Forms of other pages are harmless: a request needs a token, and no cookie
 * replaces it.
 */
export async function registerPhotoUploads(
  app: FastifyInstance,
  options: PhotoUploadsOptions,
): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    await scope.register(fastifyMultipart, {
      limits: {
        files: 2,
        fields: 10,
        parts: 12,
        fieldSize: 1024,
        headerPairs: 20,
        fileSize: options.maxUploadBytes + 1,
      },
      throwFileSizeLimit: false,
    });
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    scope.addHook("onRequest", (request, _reply, done) => {
      // Only forms need a correct content type: for example, browsers send an empty one for HEIC.
      const { headers } = request.raw;
      if (!FORM.test(headers["content-type"] ?? RAW)) headers["content-type"] = RAW;
      done();
    });
    scope.setErrorHandler((error, request, reply) => refuse(request, reply, error));
    scope.route({
      method: "POST",
      url: "/photos",
      bodyLimit: options.maxUploadBytes + FORM_BYTES,
      handler: (request, reply) => upload(request, reply, options),
    });
  });
}

async function upload(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    authenticator,
    intake,
    fileUrls,
    maxUploadBytes,
    timeouts = UPLOAD_TIMEOUTS,
  }: PhotoUploadsOptions,
): Promise<FastifyReply> {
  // Authenticate before reading the body.
  const { user } = await authenticator.fromRequest(request);
  refuseTooLong(request, maxUploadBytes);
  const read = request.isMultipart()
    ? (receive: Receive) => readForm(request, receive)
    : (receive: Receive) => readBody(request, receive);
  const watch = watchUpload(request.raw, timeouts);
  const { photo, created } = await intake
    .take(user, read, request.log as Logger)
    .catch((error: unknown) => Promise.reject(watch.fault ?? error))
    .finally(() => watch.stop());
  return reply.code(created ? 201 : 200).send(await toJson(photo, fileUrls));
}

/** Refuses a body by its announced length, before it is read. */
function refuseTooLong(request: FastifyRequest, maxUploadBytes: number): void {
  const maxBytes = maxUploadBytes + (request.isMultipart() ? FORM_BYTES : 0);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes)
    throw new PhotoTooLargeError(
      `The file is longer than ${maxUploadBytes} bytes. Scale it down and upload it again.`,
    );
}

async function readForm(request: FastifyRequest, receive: Receive): Promise<void> {
  for await (const part of request.parts()) {
    if (part.type !== "file") continue;
    if (part.fieldname !== "file")
      throw InvalidInputError.at([part.fieldname], 'The file of the form must be named "file".');
    await receive(part.file, cleanFilename(part.filename));
  }
}

async function readBody(request: FastifyRequest, receive: Receive): Promise<void> {
  if (request.body)
    await receive(request.body as Readable, cleanFilename(decode(request.headers["x-filename"])));
}

function decode(header: string | string[] | undefined): string {
  try {
    return decodeURIComponent(String(header ?? ""));
  } catch {
    throw InvalidInputError.at(["x-filename"], "The header x-filename is not percent-encoded.");
  }
}

async function toJson(photo: Photo, fileUrls: FileUrls): Promise<object> {
  const { id, filename, mimeType, width, height, byteSize, sha256, createdAt } = photo;
  const { thumbhash, latitude, longitude, altitude, madeBy } = photo;
  const urlExpiresAt = fileUrls.expiry();
  return {
    id,
    filename,
    mimeType,
    width,
    height,
    byteSize,
    sha256,
    createdAt,
    url: await photoUrl(fileUrls, photo, urlExpiresAt),
    previewUrl: await previewUrl(fileUrls, photo, urlExpiresAt),
    urlExpiresAt,
    thumbhash,
    takenAt: photo.takenAt?.replace(" ", "T") ?? null,
    takenAtOffset: photo.takenAtOffset,
    location: latitude === null ? null : { latitude, longitude, altitude },
    camera: photo.camera,
    lens: photo.lens,
    damaged: photo.damaged,
    madeBy,
  };
}

/** Errors of the frameworks come from a malformed form, or from a client that disconnected. */
function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const isMalformed =
    !(error instanceof ServiceError) && (statusOf(error) < 500 || isBroken(error));
  const type = contentType(request);
  if (isMalformed)
    return refuseAsJson(
      request,
      reply,
      new InvalidInputError([], `The upload is malformed. ${howToSend(type)}`),
    );
  const isMisnamed = error instanceof PhotoUnreadableError && !PHOTO.test(type);
  return refuseAsJson(
    request,
    reply,
    isMisnamed ? new PhotoUnreadableError(`${error.message} ${howToSend(type)}`) : error,
  );
}

/** The content type as received, or an empty string. */
function contentType({ raw }: FastifyRequest): string {
  return (raw.headersDistinct["content-type"]?.[0] ?? "").slice(0, MAX_TYPE_LENGTH);
}

function howToSend(type: string): string {
  return (
    `Its content type is "${type}": send the raw bytes as image/* or application/octet-stream, ` +
    `or a form (multipart/form-data) with one "file".`
  );
}

function isBroken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error)
    return error.code === "ECONNRESET" || error.code === "ERR_STREAM_PREMATURE_CLOSE";
  return FORM_FAULTS.test(error.message);
}

/** Control characters, and marks that change the reading direction of a name. */
// eslint-disable-next-line no-control-regex -- the pattern must match control characters
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const MAX_CHARACTERS = 200;
const ONLY_DOTS = /^[.…\s]*$/;

/**
 * Returns a name for display, without folders; it is never used in a file system. A name of only
 * dots becomes "photo".
 */
export function cleanFilename(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? "";
  const clean = last.toWellFormed().replaceAll(INVISIBLE, "").trim();
  return ONLY_DOTS.test(clean) ? "photo" : [...clean].slice(0, MAX_CHARACTERS).join("");
}
