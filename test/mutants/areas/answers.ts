import type { Mutant } from "../mutant.js";

const ENDPOINT = ["server/graphql-endpoint.test"];

/** What every answer tells, and what it does not; HTTP itself. */
export const MUTANTS: Mutant[] = [
  { breaks: "the text of what nobody foresaw reaches clients", file: "src/graphql/format-error.ts", find: 'if (code === null) return { message: "Internal server error",', replace: 'if (code === null) return { message: String((error as Error).message),', tests: ["graphql/format-error.test"] },
  { breaks: "codes of frameworks leave the service", file: "src/graphql/format-error.ts", find: 'if (typeof code === "string") return CODES[code] ?? null;', replace: 'if (typeof code === "string") return CODES[code] ?? code;', tests: ["graphql/format-error.test"] },
  { breaks: "an error of a field that nobody foresaw is told as wrong input", file: "src/graphql/format-error.ts", find: 'return error.path === undefined ? "BAD_USER_INPUT" : null;', replace: 'return "BAD_USER_INPUT";', tests: ["graphql/format-error.test"] },
  { breaks: "a value is quoted at any length", file: "src/graphql/format-error.ts", find: ".slice(0, MAX_MESSAGE)", replace: "", tests: ["graphql/format-error.test", "security/documents.test"] },
  { breaks: "over HTTP errors are not masked at all", file: "src/server/graphql-endpoint.ts", find: "formatError: (_, error) => options.teller.mask(error),", replace: "formatError: (formatted) => formatted,", tests: [...ENDPOINT, "security/documents.test"] },
  { breaks: "errors of an operation that was answered before are not masked", file: "src/server/known-answers.ts", find: "teller.tell(errors, context.log, { operationName })", replace: "errors.map((error) => error.toJSON())", tests: ["server/known-answers.test"] },
  { breaks: "suggestions are told in production", file: "src/server/error-teller.ts", find: "production ? withoutSuggestion(error) : error", replace: "(void production, void withoutSuggestion, error)", tests: ["server/error-teller.test", ...ENDPOINT, "security/documents.test"] },
  { breaks: "suggestions are told over the socket in production", file: "src/graphql/document-checker.ts", find: ", hideSuggestions: options.production }", replace: " }", tests: ["graphql/document-checker.test", "security/documents.test"] },
  { breaks: "a form of another page is taken", file: "src/server/graphql-endpoint.ts", find: "csrfPrevention: true,", replace: "csrfPrevention: false,", tests: ENDPOINT },
  { breaks: "JSON that calls itself text is taken", file: "src/server/graphql-body.ts", find: '/^application\\/([\\w.+-]*\\+)?json\\b/i.test(request.headers["content-type"] ?? "") ? tryParseJson(String(body)) : undefined', replace: "tryParseJson(String(body))", tests: [...ENDPOINT, "security/streams.test"] },
  { breaks: "pages of every origin read answers", file: "src/server/http-server.ts", find: "done(null, corsOf(origins.allows(request.raw)))", replace: "done(null, corsOf(true))", tests: ["security/answers.test", "server/secure-answers.test"] },
  { breaks: "answers have no policy", file: "src/server/secure-answers.ts", find: 'reply.header("content-security-policy", STRICTEST_POLICY)', replace: "void STRICTEST_POLICY", tests: ["server/secure-answers.test"] },
  { breaks: "answers have none of helmet's headers", file: "src/server/secure-answers.ts", find: "reply.headers(headers).header", replace: "reply.header", tests: ["server/secure-answers.test"] },
  { breaks: "answers may be sniffed", file: "src/server/secure-answers.ts", find: "contentSecurityPolicy: false, ", replace: "contentSecurityPolicy: false, xContentTypeOptions: false, ", tests: ["security/answers.test", "server/secure-answers.test"] },
  { breaks: "headers may come for ever", file: "src/server/http-server.ts", find: "headersTimeout: timeouts.headersMs, ", replace: "headersTimeout: 600_000, ", tests: ["server/http-timeouts.test"] },
  { breaks: "bodies may come for ever", file: "src/server/http-server.ts", find: "limitBodies(app, timeouts.bodyMs);", replace: "limitBodies(app, 1e6);", tests: ["server/http-timeouts.test"] },
  { breaks: "headers may have any size", file: "src/server/http-server.ts", find: ", maxHeaderSize: MAX_HEADER_BYTES", replace: ", maxHeaderSize: 16 * MAX_HEADER_BYTES", tests: ["server/http-timeouts.test", "security/answers.test"] },
  { breaks: "whoever says where they come from is believed", file: "src/server/proxies.ts", find: "(_address: string, hop: number) => hop < trusted", replace: "(_address: string, hop: number) => hop < trusted + 1", tests: ["server/proxies.test", "server/limit-addresses.test"] },
  { breaks: "a proxy that is not listed is believed", file: "src/server/proxies.ts", find: "return (address) => isIP(address) !== 0 && list.check(address, family(address));", replace: "return (address) => isIP(address) !== 0 || list.check(address, family(address));", tests: ["server/proxies.test"] },
  { breaks: "a request's name may hold what breaks a log", file: "src/server/request-id.ts", find: 'typeof given === "string" && SOUND.test(given) ? given', replace: 'typeof given === "string" && SOUND.source !== "" ? given', tests: ["server/request-id.test", "security/answers.test"] },
  { breaks: "what failed in a route is told", file: "src/server/refuse-as-json.ts", find: 'message: "Internal server error"', replace: "message: String(error)", tests: ["server/http-server.test", "security/answers.test"] },
  { breaks: "the schema is shown in production", file: "src/server/http-server.ts", find: 'if (!config.production) app.get("/graphql/schema.graphql"', replace: 'app.get("/graphql/schema.graphql"', tests: ["security/answers.test"] },
  { breaks: "a variable in a literal is null once its operation is compiled", file: "src/server/operation-compiler.ts", find: "|| hasVariableInLiteral(document)", replace: "", tests: ["operation-compiler.test"] },
];
