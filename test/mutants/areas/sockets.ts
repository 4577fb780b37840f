import type { Mutant } from "../mutant.js";

const SOCKETS = ["server/graphql-sockets.test", "security/sockets.test"];

/** Sockets and streams. */
export const MUTANTS: Mutant[] = [
  { breaks: "pages of every origin open sockets", file: "src/server/graphql-sockets.ts", find: "if (!options.origins.allows(request))", replace: "if (false)", tests: SOCKETS },
  { breaks: "a page of another host is allowed", file: "src/server/origins.ts", find: "new URL(origin).host === headers.host?.toLowerCase()", replace: "new URL(origin).host !== \"\"", tests: ["server/origins.test"] },
  { breaks: "pages of this machine are allowed in production", file: "src/server/origins.ts", find: "(options.localhost && LOCAL.test(origin))", replace: "LOCAL.test(origin)", tests: ["server/origins.test", "security/sockets.test"] },
  { breaks: "sockets open at any path", file: "src/server/graphql-sockets.ts", find: 'if (path !== "/graphql")', replace: "if (path === undefined)", tests: SOCKETS },
  { breaks: "whoever never signs in keeps the socket", file: "src/server/socket-protocol.ts", find: "const INIT_TIMEOUT_MS = 5000;", replace: "const INIT_TIMEOUT_MS = 50_000;", tests: SOCKETS },
  { breaks: "a socket may have any number of subscriptions", file: "src/server/socket-protocol.ts", find: "if (Object.keys(subscriptions).length > options.subscriptionsPerSocket)", replace: "if (false)", tests: SOCKETS },
  { breaks: "a peer may send as many messages as it likes", file: "src/server/graphql-sockets.ts", find: "if (mayTell()) return false;", replace: "if (mayTell() || true) return false;", tests: SOCKETS },
  { breaks: "the bucket of messages is never empty", file: "src/server/message-rate.ts", find: "if (tokens < 1) return false;", replace: "", tests: ["server/message-rate.test"] },
  { breaks: "pings are not counted as messages", file: "src/server/graphql-sockets.ts", find: 'socket.on("ping", isFlood);', replace: "", tests: SOCKETS },
  { breaks: "a frame may have a megabyte", file: "src/server/graphql-sockets.ts", find: "maxPayload: LIMITS.bytes", replace: "maxPayload: 4 * LIMITS.bytes", tests: SOCKETS },
  { breaks: "frames are compressed", file: "src/server/graphql-sockets.ts", find: "perMessageDeflate: false", replace: "perMessageDeflate: true", tests: SOCKETS },
  { breaks: "another subprotocol is spoken to", file: "src/server/graphql-sockets.ts", find: "perMessageDeflate: false, handleProtocols", replace: "perMessageDeflate: false, handleProtocols: (protocols: Set<string>) => (void handleProtocols, [...protocols][0] ?? false)", tests: SOCKETS },
  { breaks: "one person may have any number of sockets", file: "src/server/user-connections.ts", find: "if (own.size >= most) return null;", replace: "", tests: ["server/user-connections.test", "server/graphql-sockets.test", "server/graphql-stream.test"] },
  { breaks: "any number of sockets may be opening", file: "src/server/socket-door.ts", find: "if (!closed && opening < most) return answer(true);", replace: "if (!closed) return answer(true);", tests: ["server/socket-door.test", "server/graphql-sockets.test"] },
  { breaks: "dead peers keep their sockets", file: "src/server/keep-alive.ts", find: "if (unanswered.has(socket)) socket.terminate();", replace: "if (unanswered.has(socket)) continue;", tests: ["server/keep-alive.test"] },
  { breaks: "a peer that does not read is buffered for", file: "src/server/socket-writer.ts", find: "if (socket.bufferedAmount > MOST_BUFFERED)", replace: "if (false)", tests: ["server/socket-writer.test"] },
  { breaks: "a message that is never taken is waited for", file: "src/server/socket-writer.ts", find: 'if (socket.readyState !== socket.OPEN) return resolve();\n        const late = cutOffLate();', replace: "if (socket.readyState !== socket.OPEN) return resolve();\n        const late = setTimeout(() => {}, unsentMs);", tests: ["server/socket-writer.test"] },
  { breaks: "frames that are never taken are waited for", file: "src/server/socket-writer.ts", find: 'function pause(): void {\n    const late = cutOffLate();', replace: "function pause(): void {\n    const late = setTimeout(() => {}, unsentMs);", tests: ["server/socket-writer.test"] },
  { breaks: "a stream that is never read is waited for", file: "src/server/stream-writer.ts", find: "const late = setTimeout(cutOff, unsentMs);", replace: "const late = setTimeout(() => void cutOff, unsentMs);", tests: ["server/graphql-stream"] },
  { breaks: "errors of what is told on a socket are not masked", file: "src/server/socket-protocol.ts", find: "result.errors ? ({ ...result, errors: teller.tell(result.errors, (args.contextValue as Context).log) } as FormattedExecutionResult) : undefined", replace: "undefined as FormattedExecutionResult | undefined", tests: SOCKETS },
  { breaks: "errors of an operation on a socket are not masked", file: "src/server/socket-protocol.ts", find: "onError: (context, _id, _payload, errors) => teller.tell(errors, context.extra.log),", replace: "", tests: SOCKETS },
  { breaks: "errors in a stream are not masked", file: "src/server/graphql-stream.ts", find: "(result.errors ? { ...result, errors: teller.tell(result.errors, context.log) } : result) as ExecutionResult", replace: "result as ExecutionResult", tests: ["server/graphql-stream", "security/streams.test"] },
  { breaks: "of two tokens the first is taken, and the second dropped in silence", file: "src/server/authenticator.ts", find: 'raw.headersDistinct["authorization"]', replace: 'raw.headers["authorization"]', tests: ["security/streams.test", "security/tokens.test"] },
  { breaks: "a message that only servers send is an error of ours", file: "src/server/graphql-sockets.ts", find: 'if (error instanceof Error && error.message.startsWith("Unexpected message of type"))', replace: "if (false)", tests: SOCKETS },
];
