// The same operations over Server-Sent Events, for networks that let no socket through:
// graphql-sse's protocol in its mode of distinct connections, one request for each operation. A
// stream that ends without its `complete` was cut; a client resumes it with the cursor of the last
// event it saw.
import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ExecutionArgs, ExecutionResult, GraphQLError } from "graphql";
import {
  createHandler,
  type OperationArgs,
  type Request as StreamRequest,
  type Response as StreamResponse,
} from "graphql-sse";
import { QuotaExceededError, ServiceUnavailableError } from "../../../domain/errors.js";
import { LIMITS } from "../../../graphql/limits/limits.js";
import type { Logger } from "../../../runtime/logger.js";
import type { Authenticator, Session } from "../../access/authenticator.js";
import { closeInTurns } from "../websocket/closing.js";
import type { ErrorReporter } from "../errors.js";
import { executeInTime, subscribe } from "../execute.js";
import { takeGraphqlBodies, badRequest, refuseAsGraphql } from "../http/graphql-requests.js";
import type { Operations } from "../operations.js";
import type { UserConnections } from "../../access/user-connections.js";

interface GraphqlStreamsOptions {
  operations: Operations;
  reporter: ErrorReporter;
  authenticator: Authenticator;
  connections: UserConnections;
  /** Until a query or a mutation is answered. */
  operationMs: number;
  /** How long a frame may wait for its reader; 30 s. */
  unsentMs?: number;
}

export interface GraphqlStreams {
  /** Takes no more streams, and ends those there are: clients come back elsewhere. */
  close(): Promise<void>;
}

interface Stream {
  session: Session;
  log: () => Logger;
  writer: StreamWriter;
}

type Handler = (request: StreamRequest<FastifyRequest, Stream>) => Promise<StreamResponse>;

/** Until one may try again that has as many connections as it may. */
const RETRY_AFTER_MS = 1000;

/**
 * `/graphql/stream`. A fault of the request, 401 too, leaves as GraphQL; one of the operation as
 * its result.
 */
export async function registerGraphqlStream(
  app: FastifyInstance,
  options: GraphqlStreamsOptions,
): Promise<GraphqlStreams> {
  const { reporter } = options;
  const handle = createStreamHandler(options);
  const stops = new Set<() => void>();
  let closing = false;

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (!acceptsStream(request))
      return refuseAsGraphql(
        reporter,
        request,
        reply,
        badRequest("This path answers with text/event-stream."),
        406,
      );
    let session: Session;
    try {
      if (closing) throw new ServiceUnavailableError("Going away: try again.");
      session = await options.authenticator.fromRequest(request);
    } catch (error) {
      return refuseAsGraphql(reporter, request, reply, error);
    }
    const stopper = createStopper();
    const leave = options.connections.add(session, stopper.stop);
    if (!leave)
      return refuseAsGraphql(
        reporter,
        request,
        reply,
        new QuotaExceededError("One may not have more sockets and streams open.", RETRY_AFTER_MS),
      );
    stops.add(stopper.stop);
    try {
      return await run(handle, request, reply, { session, stopper, options });
    } finally {
      leave();
      stops.delete(stopper.stop);
    }
  }

  await app.register(async (scope) => {
    takeGraphqlBodies(scope, reporter);
    scope.route({
      method: ["GET", "POST"],
      url: "/graphql/stream",
      bodyLimit: LIMITS.bytes,
      exposeHeadRoute: false,
      handler: answer,
    });
  });
  return {
    async close() {
      closing = true;
      await closeInTurns(stops, (stop) => stop());
    },
  };
}

function createStreamHandler({
  operations,
  reporter,
  operationMs,
}: GraphqlStreamsOptions): Handler {
  return createHandler<FastifyRequest, Stream>({
    // No token of a stream: each operation has a request of its own.
    authenticate: () => null,
    validate: () => [],
    execute: (args) => executeInTime(args as ExecutionArgs, operationMs),
    subscribe: (args) => subscribe(args as ExecutionArgs),
    async onSubscribe({ raw, context }, params) {
      const prepared = await operations.prepare(context.session, params, {
        requestId: raw.id,
        log: context.log,
      });
      return ("schema" in prepared ? prepared : refusal(prepared)) as OperationArgs<undefined>;
    },
    async onNext(_, { context }, result) {
      await context.writer.taken();
      return (
        result.errors ? { ...result, errors: reporter.tell(result.errors, context.log) } : result
      ) as ExecutionResult;
    },
  }) as Handler;
}

/** A result without data, for which graphql-sse has no other way. */
async function* refusal(errors: readonly GraphQLError[]): AsyncGenerator<ExecutionResult> {
  yield { errors };
}

async function run(
  handle: Handler,
  request: FastifyRequest,
  reply: FastifyReply,
  {
    session,
    stopper,
    options,
  }: { session: Session; stopper: Stopper; options: GraphqlStreamsOptions },
): Promise<FastifyReply> {
  const log = request.log.child({ userId: session.user.id }) as Logger;
  const writer = createStreamWriter(reply.raw, log, options.unsentMs);
  const headers = {
    get: (name: string) =>
      name === "accept" ? "text/event-stream" : request.headers[name]?.toString(),
  };
  const [body, { status, headers: own }] = await handle({
    method: request.method,
    url: request.url,
    headers,
    body: request.body as Record<string, unknown>,
    raw: request,
    context: { session, log: () => log, writer },
  });
  if (body === null || typeof body === "string")
    return refuseAsGraphql(options.reporter, request, reply, badRequest(messageIn(body)), status);
  stopper.onStop(() => void body.return(undefined));
  reply.raw.once("close", stopper.stop);
  // The client may have gone while the operation was begun.
  if (reply.raw.destroyed) stopper.stop();
  reply.hijack();
  const { "content-encoding": _, ...told } = own ?? {};
  reply.raw.writeHead(status, {
    ...(reply.getHeaders() as Record<string, string>),
    ...told,
    "x-accel-buffering": "no",
  });
  await pump(body, writer, reply.raw, log);
  return reply;
}

async function pump(
  body: AsyncIterable<string>,
  writer: StreamWriter,
  response: ServerResponse,
  log: Logger,
): Promise<void> {
  try {
    for await (const frame of body) if (!(await writer.write(frame))) break;
    response.end();
  } catch (error) {
    log.error({ err: error }, "a stream broke");
    response.destroy();
  }
}

interface Stopper {
  stop: () => void;
  onStop(action: () => void): void;
}

/** Something that can be told to stop before it has begun. */
function createStopper(): Stopper {
  let stopped = false;
  let act: (() => void) | null = null;
  return {
    stop() {
      stopped = true;
      act?.();
    },
    onStop(action) {
      act = action;
      if (stopped) action();
    },
  };
}

function acceptsStream({ headers: { accept } }: FastifyRequest): boolean {
  return accept === undefined || /text\/event-stream|\*\/\*|text\/\*/.test(accept);
}

/** What graphql-sse said of the request. */
function messageIn(body: string | null): string {
  const [error] =
    body === null ? [] : ((JSON.parse(body) as { errors?: { message: string }[] }).errors ?? []);
  return error?.message ?? "This is not a GraphQL request.";
}

interface StreamWriter {
  /** Resolves when the frame has left; false when nobody is there any more. */
  write(frame: string): Promise<boolean>;
  /**
   * Resolves when all that was written has left, so that a stream is pulled no faster than it is
   * read.
   */
  taken(): Promise<unknown>;
}

/** A frame that was not taken for so long is not waited for any more. */
const UNSENT_MS = 30_000;

/** A reader that stops reading is cut off: its cursor lets it resume, and nobody buffers for it. */
function createStreamWriter(
  response: ServerResponse,
  log: Logger,
  unsentMs = UNSENT_MS,
): StreamWriter {
  let last: Promise<boolean> = Promise.resolve(true);

  function cutOff(): void {
    log.info(
      { buffered: response.writableLength },
      "a reader of a stream is too slow and is cut off",
    );
    response.destroy();
  }

  return {
    write(frame) {
      last = new Promise((resolve) => {
        if (!response.writable) return resolve(false);
        const late = setTimeout(cutOff, unsentMs);
        const settle = (left: boolean) => {
          clearTimeout(late);
          response.off("close", onClose);
          resolve(left);
        };
        const onClose = () => settle(false);
        // Beware: of a response that is destroyed the callback of a write is not always called.
        response.once("close", onClose);
        response.write(frame, (error) => settle(!error));
      });
      return last;
    },
    taken: () => last,
  };
}
