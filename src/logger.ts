import { pino } from "pino";
import type { DestinationStream, Logger as PinoLogger } from "pino";

export type Logger = PinoLogger;

/** Never written, wherever they stand in a line: a log outlives a token. */
const SECRETS = ["authorization", "token", "password", "cookie", "sig", "secret"];

/**
 * JSON lines on stdout; pretty lines when `pretty`.
 * Levels: error = a person must act; warn = something failed and was handled; info = what happened; debug = how.
 */
export function createLogger(options: { name: string; level: string; pretty: boolean }): Logger {
  const paths = SECRETS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  return pino({
    name: options.name,
    level: options.level,
    redact: { paths, censor: "[redacted]" },
    ...(options.pretty && { transport: { target: "pino-pretty", options: { ignore: "pid,hostname", translateTime: "HH:MM:ss.l" } } }),
  });
}

/** A logger that writes to `destination` instead of stdout: for commands and tests. */
export function createLoggerTo(destination: DestinationStream, level = "info"): Logger {
  return pino({ level }, destination);
}
