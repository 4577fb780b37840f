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

/** Bytes of lines that are written together, and how long the first of them waits. */
const GROUP_BYTES = 4096;
const GROUP_MS = 100;
/** Number of the level warn: such lines are written at once. */
const ALERT_LEVEL = 40;

/** Never written, wherever they stand in a line: a log outlives a token. */
const SECRETS = ["authorization", "token", "password", "cookie", "sig", "secret"];
const NAMES_SECRET = new RegExp(`"(?:${SECRETS.join("|")})":`);

/**
 * JSON lines on stdout; pretty lines when `pretty`. `fields` is asked for what every line says
 * besides: of the trace, say. Levels: error = a person must act; warn = something failed and was
 * handled; info = what happened; debug = how.
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
  // Written from this thread: a worker thread of pino loses the order of lines at an exit. Lines
  // below warn are written in groups, since a system call for each is a tenth of a small job; only
  // SIGKILL loses the last group.
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

/** A logger that writes to `destination` instead of stdout: for commands and tests. */
export function createLoggerTo(
  destination: DestinationStream,
  level = "info",
  fields?: () => object,
): Logger {
  return pino({ level, ...SAFE, ...(fields && { mixin: fields }) }, destination);
}

/**
 * What libraries hang on their errors and people submitted: arguments of statements and of
 * commands.
 */
const SUBMITTED = ["parameters", "params", "args", "command", "query"];

function serializeError(error: unknown): unknown {
  const told: unknown = stdSerializers.err(error as Error);
  if (!(error instanceof Error) || typeof told !== "object" || told === null) return told;
  const command =
    "command" in error &&
    typeof error.command === "object" &&
    error.command !== null &&
    "name" in error.command
      ? { command: String(error.command.name) }
      : {};
  const stack =
    "stack" in told && typeof told.stack === "string" ? { stack: inSourceLines(told.stack) } : {};
  return {
    ...Object.fromEntries(Object.entries(told).filter(([key]) => !SUBMITTED.includes(key))),
    ...stack,
    ...command,
  };
}

/**
 * Where a secret stands within a text: a JWT, a signed URL, the password of a URL, the parameters
 * that Drizzle quotes. First what such a line cannot lack, since nearly all lines lack it and that
 * is seen ten times faster.
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

/**
 * In the text, not in what is to be written, as pino's own `redact` does: that copies every line,
 * and looks three levels deep.
 */
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

// Node does this by itself with --enable-source-maps, but then reads the map of every module when
// that is loaded, those of the libraries, too: a tenth of the time and of the memory of a start,
// for lines that are seldom written.
const FRAME = /(file:\/\/\/(?:(?!\/node_modules\/)[^\s()])+\.js):(\d+):(\d+)/g;

const maps = new Map<string, SourceMap | null>();

/**
 * A stack with the files and lines of the sources in place of those that were compiled from them;
 * what has no map stays as it is.
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
