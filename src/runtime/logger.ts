import {
  pino,
  stdSerializers,
  type DestinationStream,
  type Logger as PinoLogger,
  type LoggerOptions,
} from "pino";
import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";

export type Logger = PinoLogger;

/** Bytes of lines that are written together, and the maximum wait of the first of them. */
const GROUP_BYTES = 4096;
const GROUP_MS = 100;
/** Number of the level warn; lines of this level or above are written at once. */
const ALERT_LEVEL = 40;

/** Names whose values are redacted anywhere in a line: a log outlives a token. */
const SECRETS = ["authorization", "token", "password", "cookie", "sig", "secret"];
const NAMES_SECRET = new RegExp(`"(?:${SECRETS.join("|")})":`);

/**
 * Logs JSON lines to stdout, or pretty lines when `pretty`. `fields` returns fields that every line
 * gets, for example trace ids. Levels: error = a person must act; warn = a failure was handled;
 * info = an event; debug = details.
 */
export function createLogger(options: {
  name: string;
  level: string;
  pretty: boolean;
  fields?: (() => object) | undefined;
}): Logger {
  const settings = {
    name: options.name,
    level: options.level,
    ...SAFE,
    ...(options.fields && { mixin: options.fields }),
  };
  if (options.pretty)
    return pino({
      ...settings,
      transport: {
        target: "pino-pretty",
        options: { ignore: "pid,hostname", translateTime: "HH:MM:ss.l" },
      },
    });
  // Lines are written from this thread: pino's worker thread loses their order at an exit. Lines
  // below warn are written in groups, because a system call for each costs a tenth of a small job.
  // Only SIGKILL loses the last group.
  const destination = pino.destination({
    dest: 1,
    sync: true,
    minLength: GROUP_BYTES,
    periodicFlush: GROUP_MS,
  });
  process.once("exit", () => destination.flushSync());
  const hooks: LoggerOptions["hooks"] = {
    ...SAFE.hooks,
    logMethod(args, method, level) {
      method.apply(this, args);
      if (level >= ALERT_LEVEL) destination.flushSync();
    },
  };
  return pino({ ...settings, hooks }, destination);
}

/** Creates a logger that writes to `destination` instead of stdout, for commands and tests. */
export function createLoggerTo(
  destination: DestinationStream,
  level = "info",
  fields?: () => object,
): Logger {
  return pino({ level, ...SAFE, ...(fields && { mixin: fields }) }, destination);
}

/**
 * Error properties in which libraries store submitted data: arguments of statements and commands.
 */
const SUBMITTED = ["parameters", "params", "args", "command", "query"];

function serializeError(error: unknown): unknown {
  const serialized: unknown = stdSerializers.err(error as Error);
  if (!(error instanceof Error) || typeof serialized !== "object" || serialized === null)
    return serialized;
  const command =
    "command" in error &&
    typeof error.command === "object" &&
    error.command !== null &&
    "name" in error.command
      ? { command: String(error.command.name) }
      : {};
  const stack =
    "stack" in serialized && typeof serialized.stack === "string"
      ? { stack: inSourceLines(serialized.stack) }
      : {};
  return {
    ...Object.fromEntries(Object.entries(serialized).filter(([key]) => !SUBMITTED.includes(key))),
    ...stack,
    ...command,
  };
}

/**
 * Secrets within a text: JWTs, signed URLs, passwords in URLs, and the parameters that Drizzle
 * quotes. Each entry begins with a substring that such a line must contain. Nearly all lines lack
 * it, and searching for it is ten times faster.
 */
const WITHIN: [sign: string, secret: RegExp, instead: string][] = [
  ["eyJ", /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, "[redacted]"],
  [
    "=",
    /([?&](?:sig|token|X-Amz-(?:Signature|Credential|Security-Token))=)[^&"\s\\]+/gi,
    "$1[redacted]",
  ],
  ["@", /(\w:\/\/[^:@/\s"]*:)[^@/\s"]+@/g, "$1[redacted]@"],
  ["Bearer ", /(Bearer )[\w+/=.~-]{8,}/g, "$1[redacted]"],
  ["Basic ", /(Basic )[\w+/=.~-]{8,}/g, "$1[redacted]"],
  [
    "Failed query: ",
    /(Failed query: (?:[^"\\]|\\.)*?\\nparams: )(?:[^"\\]|\\[^n]|\\n(?! {4}at ))*/g,
    "$1[redacted]",
  ],
];

function scrub(line: string): string {
  return WITHIN.reduce(
    (text, [sign, secret, instead]) => (text.includes(sign) ? text.replace(secret, instead) : text),
    withoutNamed(line),
  );
}

/** Redacts in the text. pino's own `redact` copies every line and looks only three levels deep. */
function withoutNamed(line: string): string {
  if (!NAMES_SECRET.test(line)) return line;
  const redacted = JSON.stringify(JSON.parse(line), (name, value: unknown) =>
    SECRETS.includes(name) ? "[redacted]" : value,
  );
  return `${redacted}\n`;
}

const SAFE = {
  serializers: { err: serializeError },
  hooks: { streamWrite: scrub },
} as const satisfies LoggerOptions;

// Node maps stacks itself with --enable-source-maps. But then it reads the map of every loaded
// module, libraries included. That costs a tenth of the time and memory of a start, for lines that
// are rarely written.
const FRAME = /(file:\/\/\/(?:(?!\/node_modules\/)[^\s()])+\.js):(\d+):(\d+)/g;

const maps = new Map<string, SourceMap | null>();

/**
 * Replaces compiled positions in a stack with source positions. A file without a map keeps its
 * position.
 */
function inSourceLines(stack: string): string {
  return stack.replace(FRAME, (frame, url: string, line: string, column: string) => {
    const entry = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (!entry || !("originalSource" in entry)) return frame;
    const { originalSource, originalLine, originalColumn } = entry;
    return `${new URL(originalSource, url).href}:${originalLine + 1}:${originalColumn + 1}`;
  });
}

function mapOf(url: string): SourceMap | null {
  let map = maps.get(url);
  if (map === undefined) maps.set(url, (map = readMap(url)));
  return map;
}

function readMap(url: string): SourceMap | null {
  try {
    return new SourceMap(
      JSON.parse(readFileSync(new URL(`${url}.map`), "utf8")) as SourceMapPayload,
    );
  } catch {
    return null;
  }
}
