// Serves operations over Server-Sent Events, for networks that block WebSockets. It uses the
// "distinct connections" mode of graphql-sse, with one request per operation. A stream that ends
// without `complete` was interrupted; a client resumes it with the cursor of its last event.
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
import {
  takeGraphqlBodies,
  badRequest,
  NOT_GRAPHQL,
  refuseAsGraphql,
} from "../http/graphql-requests.js";
import type { Operations } from "../operations.js";
import type { UserConnections } from "../../access/user-connections.js";

interface GraphqlStreamsOptions {
  operations: Operations;
  reporter: ErrorReporter;
  authenticator: Authenticator;
  connections: UserConnections;
  /** Timeout for a query or a mutation. */
  operationMs: number;
  /** Maximum time that a frame waits for its reader. Default: 30 s. */
  unsentMs?: number;
}

export interface GraphqlStreams {
  /** Refuses new streams and ends the open ones: clients reconnect to another process. */
  close(): Promise<void>;
}

interface Stream {
  session: Session;
  log: () => Logger;
  writer: StreamWriter;
}

type Handler = (request: StreamRequest<FastifyRequest, Stream>) => Promise<StreamResponse>;

/** Suggested wait for a user with too many connections. */
const RETRY_AFTER_MS = 1000;
const TOO_MANY_CONNECTIONS =
  "Too many open connections for this user: close a socket or stream and try again.";

/**
 * Registers `/graphql/stream`. An error of the request, including 401, is answered as GraphQL. An
 * error of the operation is its result.
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
        badRequest('This path answers with text/event-stream: allow it in the header "accept".'),
        406,
      );
    let session: Session;
    try {
      if (closing) throw new ServiceUnavailableError("The server is restarting; try again.");
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
        new QuotaExceededError(TOO_MANY_CONNECTIONS, RETRY_AFTER_MS),
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
    // Stream tokens are not used: each operation has a separate request.
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
      await context.writer.flushed();
      return (
        result.errors ? { ...result, errors: reporter.report(result.errors, context.log) } : result
      ) as ExecutionResult;
    },
  }) as Handler;
}

/** Yields a result without data, since graphql-sse offers no other way to refuse. */
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
  const [body, { status, headers: handlerHeaders }] = await handle({
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
  // The client may have disconnected while the operation was started.
  if (reply.raw.destroyed) stopper.stop();
  reply.hijack();
  const { "content-encoding": _, ...streamHeaders } = handlerHeaders ?? {};
  reply.raw.writeHead(status, {
    ...(reply.getHeaders() as Record<string, string>),
    ...streamHeaders,
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

/** Allows `stop` to be called before the action to run is registered. */
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

/** Extracts the message of graphql-sse about the request. */
function messageIn(body: string | null): string {
  const [error] =
    body === null ? [] : ((JSON.parse(body) as { errors?: { message: string }[] }).errors ?? []);
  return error?.message ?? NOT_GRAPHQL;
}

interface StreamWriter {
  /** Resolves with true when the frame was sent, with false when the client has disconnected. */
  write(frame: string): Promise<boolean>;
  /** Resolves when everything was sent, so that events are not produced faster than read. */
  flushed(): Promise<unknown>;
}

/** A reader that does not accept a frame within this time is disconnected. */
const UNSENT_MS = 30_000;

/** Disconnects a reader that stops reading instead of buffering. It can resume with its cursor. */
function createStreamWriter(
  response: ServerResponse,
  log: Logger,
  unsentMs = UNSENT_MS,
): StreamWriter {
  let last: Promise<boolean> = Promise.resolve(true);

  function cutOff(): void {
    log.info({ buffered: response.writableLength }, "closed a stream whose reader is too slow");
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
        // Beware: a destroyed response does not always call the callback of a write.
        response.once("close", onClose);
        response.write(frame, (error) => settle(!error));
      });
      return last;
    },
    flushed: () => last,
  };
}
