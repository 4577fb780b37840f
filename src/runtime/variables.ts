// Environment variables: the allowed values of each, and its default. A secret has no default.
import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { z } from "zod";
import { parseDatabaseUrl, parseRedisUrl, StoreUrlError } from "./store-urls.js";

const MEBIBYTE = 1024 * 1024;
const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d+$/, "is not a whole number")
    .transform(Number)
    .pipe(z.number().min(min, `is less than ${min}`).max(max, `is more than ${max}`));
const positiveNumber = z
  .string()
  .regex(/^\d+(\.\d+)?$/, "is not a number")
  .transform(Number)
  .pipe(z.number().positive("is not more than 0"));
const flag = z
  .enum(["true", "false", "1", "0"], "is neither true nor false")
  .transform((text) => text === "true" || text === "1");
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean),
);
const proxies = z
  .string()
  .refine(
    (text) => /^\d{1,2}$/.test(text) || text.split(",").every((part) => isNetwork(part.trim())),
    "is neither a number of proxies nor a list of their addresses or networks",
  )
  .transform((text) =>
    /^\d+$/.test(text) ? Number(text) : text.split(",").map((part) => part.trim()),
  );
const url = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `is not a URL that begins with ${protocols.join("// or ")}//`,
    );

/** The URL of a store; `parse` throws StoreUrlError for one that is not accepted. */
const storeUrl = (parse: (text: string) => unknown) =>
  z.string().superRefine((text, context) => {
    try {
      parse(text);
    } catch (error) {
      if (!(error instanceof StoreUrlError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });
// libpq accepts a URL with a user and no host, for a Unix socket.
const databaseUrl = z
  .string()
  .transform((text) => text.replace(/^(\w+:\/\/[^/?#]*@)(?=[/?#]|$)/, "$1localhost"))
  .pipe(storeUrl(parseDatabaseUrl))
  .optional();

/** Accepts one key, or several separated by commas during a key rotation. */
function checkSigningKeys(text: string, context: z.core.$RefinementCtx<string>): void {
  const keys = text
    .split(",")
    .map((key) => key.trim())
    .filter(Boolean);
  const short = keys.findIndex((key) => key.length < 32);
  if (keys.length > 0 && short === -1) return;
  const which = keys.length > 1 ? `has a key, number ${short + 1} of ${keys.length}, that ` : "";
  context.addIssue({ code: "custom", message: `${which}is shorter than 32 characters` });
}

/** Accepts one Standard Webhooks secret, or several separated by commas during a rotation. */
function checkWebhookSecrets(secrets: string[], context: z.core.$RefinementCtx<string[]>): void {
  const wrong = secrets.findIndex((secret) => !isWebhookSecret(secret));
  if (secrets.length > 0 && wrong === -1) return;
  const which =
    secrets.length > 1 ? `has a secret, number ${wrong + 1} of ${secrets.length}, that ` : "";
  const message = `${which}is not whsec_ with 24 to 64 random bytes in base64`;
  context.addIssue({ code: "custom", message });
}

function isWebhookSecret(secret: string): boolean {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1] ?? "";
  const { length } = Buffer.from(encoded, "base64");
  return length >= 24 && length <= 64 && encoded.length % 4 === 0;
}

/** Types of events that a webhook can report. */
export const WEBHOOK_EVENTS = ["SUCCEEDED", "FAILED", "CANCELLED"] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export const variables = {
  NODE_ENV: z.string().default("development"),
  DATABASE_URL: databaseUrl,
  DATABASE_REPLICA_URL: databaseUrl,
  REDIS_URL: storeUrl(parseRedisUrl).optional(),
  HOST: z.string().default("127.0.0.1"),
  PORT: wholeNumber(0, 65_535).default(4000),
  WORKER_PORT: wholeNumber(0, 65_535).default(4001),
  JWT_PUBLIC_KEY: z.string().optional(),
  JWT_JWKS_URL: url("https:", "http:").optional(),
  JWT_ISSUER: list.optional(),
  JWT_AUDIENCE: list.optional(),
  ADMIN_EMAILS: list.default([]),
  ADMIN_PASSWORD: z.string().min(12, "is shorter than 12 characters").optional(),
  ADMIN_ACTIONS: flag.default(false),
  FILE_SIGNING_KEY: z.string().superRefine(checkSigningKeys).optional(),
  STORAGE_URL: z
    .string()
    .regex(
      /^(file:.+|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w!.*'()-]+)*\/?)$/,
      "is neither file:<folder> nor s3://<bucket>[/<prefix>]",
    )
    .default("file:.data/photos"),
  AWS_ACCESS_KEY_ID: z.string().regex(/^\S+$/, "contains white space").optional(),
  AWS_SECRET_ACCESS_KEY: z.string().regex(/^\S+$/, "contains white space").optional(),
  AWS_REGION: z.string().optional(),
  AWS_ENDPOINT_URL: url("https:", "http:").optional(),
  MAX_JOB_TTL: wholeNumber(1).default(86_400),
  EVENT_TTL: positiveNumber.default(86_400),
  ALLOWED_ORIGINS: list.default([]),
  // Not more than the default of WORKER_TASKS, so that a machine with many cores starts with the
  // defaults.
  WORKER_CONCURRENCY: wholeNumber(1, 1024).default(Math.min(availableParallelism(), 100)),
  WORKER_TASKS: wholeNumber(1, 100_000).default(100),
  TASKS: list.default([]),
  DISABLED_JOBS: list.default([]),
  ECHO: flag.optional(),
  MAX_PENDING_PER_USER: wholeNumber(1).default(10_000),
  MAX_UPLOAD_BYTES: wholeNumber(1).default(50 * MEBIBYTE),
  MAX_PHOTO_PIXELS: wholeNumber(1).default(100_000_000),
  ACCEPT_HEIC: flag.default(true),
  IMAGE_CHILDREN: wholeNumber(1, 1024).default(1),
  RATE_LIMIT_PER_MINUTE: wholeNumber(0).default(6000),
  MAX_SOCKETS_PER_USER: wholeNumber(1).default(50),
  MAX_SUBSCRIPTIONS_PER_SOCKET: wholeNumber(1).default(100),
  MAX_OPENING_SOCKETS: wholeNumber(1).default(500),
  MAX_STORED_BYTES_PER_USER: wholeNumber(1).default(10 * 1024 * MEBIBYTE),
  MAX_RECORDED_BYTES_PER_USER: wholeNumber(1).default(1024 * MEBIBYTE),
  EMBEDDED: flag.default(false),
  INTROSPECTION: flag.optional(),
  EXPLORER: flag.optional(),
  WEBHOOK_URL: url("https:", "http:")
    .refine(
      (text) => !URL.canParse(text) || !(new URL(text).username || new URL(text).password),
      "contains a user or a password, which requests cannot carry",
    )
    .optional(),
  WEBHOOK_SECRET: list.superRefine(checkWebhookSecrets).optional(),
  WEBHOOK_EVENTS: list
    .pipe(
      z
        .array(z.enum(WEBHOOK_EVENTS, `is not a list of ${WEBHOOK_EVENTS.join(", ")}`))
        .min(1, "names no type of event"),
    )
    .default([...WEBHOOK_EVENTS]),
  TRUST_PROXY: proxies.default(0),
  PUBLIC_URL: url("https:", "http:").optional(),
  FRONT_PAGE: z
    .string()
    .regex(/^\/([\w-][\w./-]*)?$/, "is not a path such as /admin/db")
    .default("/"),
  REVISION: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url("https:", "http:").optional(),
  LOG_LEVEL: z
    .enum(
      ["fatal", "error", "warn", "info", "debug", "trace", "silent"],
      "is not a log level of pino",
    )
    .default("info"),
  LOG_FORMAT: z.enum(["pretty", "json"], "is neither pretty nor json").optional(),
} as const;

export type VariableName = keyof typeof variables;
export const VARIABLE_NAMES = Object.keys(variables) as VariableName[];

/**
 * Variables whose value may come from the file that `<NAME>_FILE` names. Their values are never
 * printed.
 */
export const SECRET_NAMES = [
  "DATABASE_URL",
  "DATABASE_REPLICA_URL",
  "REDIS_URL",
  "JWT_PUBLIC_KEY",
  "JWT_JWKS_URL",
  "ADMIN_PASSWORD",
  "FILE_SIGNING_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "WEBHOOK_URL",
  "WEBHOOK_SECRET",
] as const satisfies readonly VariableName[];

/** Accepts `10.0.0.1`, `10.0.0.0/8` and `fd00::/8`. */
function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const maxBits = { 4: 32, 6: 128 }[isIP(address)];
  return (
    maxBits !== undefined &&
    more.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= maxBits))
  );
}
