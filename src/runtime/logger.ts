import {
  pino,
  stdSerializers,
  type DestinationStream,
  type Logger as PinoLogger,
  type LoggerOptions,
} from "pino";
import { inSourceLines } from "./source-lines.js";

export type Logger = PinoLogger;

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
  const told = {
    name: options.name,
    level: options.level,
    ...SAFE,
    ...(options.fields && { mixin: options.fields }),
  };
  if (options.pretty)
    return pino({
      ...told,
      transport: {
        target: "pino-pretty",
        options: { ignore: "pid,hostname", translateTime: "HH:MM:ss.l" },
      },
    });
  // Left to itself pino writes from another thread, and an exit puts what waits before the line
  // that is under way there: the last words would not stand last. This costs no more.
  return pino(told, pino.destination({ dest: 1, sync: true }));
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
