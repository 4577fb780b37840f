// The environment, read once. Every fault is named in one message; a secret has no default and is
// never printed.
import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { parseEnv } from "node:util";
import { z } from "zod";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration is faulty; the message lists every fault. The process should exit 1. */
export class ConfigError extends Error {
  constructor(readonly faults: string[]) {
    super(
      "The configuration has " +
        `${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`,
    );
    this.name = "ConfigError";
  }
}

const MEBIBYTE = 1024 * 1024;
/** What is to be kept longer is kept for ever; much longer, and PostgreSQL has no date for it. */
const CENTURY_SECONDS = 100 * 365.25 * 86_400;
const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d+$/, "is not a whole number")
    .transform(Number)
    .pipe(z.number().min(min, `is under ${min}`).max(max, `is over ${max}`));
const positiveNumber = z
  .string()
  .regex(/^\d+(\.\d+)?$/, "is no number")
  .transform(Number)
  .pipe(z.number().positive("is not over 0"));
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
      `is no URL that begins with ${protocols.join("// or ")}//`,
    );

/** One key, or several with commas, while one takes the place of another. */
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

/** Every variable that the service reads, with its default where it has one. */
const variables = {
  NODE_ENV: z.string().default("development"),
  DATABASE_URL: url("postgres:", "postgresql:").optional(),
  REDIS_URL: url("redis:", "rediss:").optional(),
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
  AWS_ACCESS_KEY_ID: z.string().regex(/^\S+$/, "has a blank in it").optional(),
  AWS_SECRET_ACCESS_KEY: z.string().regex(/^\S+$/, "has a blank in it").optional(),
  AWS_REGION: z.string().optional(),
  AWS_ENDPOINT_URL: url("https:", "http:").optional(),
  MAX_JOB_TTL: wholeNumber(1).default(86_400),
  EVENT_TTL: positiveNumber.default(86_400),
  ALLOWED_ORIGINS: list.default([]),
  // At most the default of WORKER_TASKS, so that a machine of many cores starts with nothing set.
  WORKER_CONCURRENCY: wholeNumber(1, 1024).default(Math.min(availableParallelism(), 100)),
  WORKER_TASKS: wholeNumber(1, 100_000).default(100),
  DISABLED_JOBS: list.default([]),
  ECHO: flag.optional(),
  MAX_PENDING_PER_USER: wholeNumber(1).default(10_000),
  MAX_UPLOAD_BYTES: wholeNumber(1).default(50 * MEBIBYTE),
  MAX_PHOTO_PIXELS: wholeNumber(1).default(100_000_000),
  ACCEPT_HEIC: flag.default(true),
  RATE_LIMIT_PER_MINUTE: wholeNumber(0).default(6000),
  MAX_SOCKETS_PER_USER: wholeNumber(1).default(50),
  MAX_SUBSCRIPTIONS_PER_SOCKET: wholeNumber(1).default(100),
  MAX_OPENING_SOCKETS: wholeNumber(1).default(500),
  MAX_STORED_BYTES_PER_USER: wholeNumber(1).default(10 * 1024 * MEBIBYTE),
  MAX_RECORDED_BYTES_PER_USER: wholeNumber(1).default(1024 * MEBIBYTE),
  EMBEDDED: flag.default(false),
  INTROSPECTION: flag.optional(),
  EXPLORER: flag.optional(),
  TRUST_PROXY: proxies.default(0),
  PUBLIC_URL: url("https:", "http:").optional(),
  REVISION: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url("https:", "http:").optional(),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], "is no level of pino")
    .default("info"),
} as const;

export type VariableName = keyof typeof variables;
export const VARIABLE_NAMES = Object.keys(variables) as VariableName[];

/** Each of these may come from the file that `<NAME>_FILE` names, and none is ever printed. */
export const SECRET_NAMES = [
  "DATABASE_URL",
  "REDIS_URL",
  "JWT_PUBLIC_KEY",
  "JWT_JWKS_URL",
  "ADMIN_PASSWORD",
  "FILE_SIGNING_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
] as const satisfies readonly VariableName[];

const schema = z.object(variables);
type Values = z.output<typeof schema>;

/**
 * What a command cannot do without; `tokens` and `files` are needed in production only, elsewhere
 * keys are generated.
 */
export type Need = "database" | "redis" | "tokens" | "files" | "storage";

export type Config = ReturnType<typeof toConfig>;

interface ParseOptions {
  /** What NODE_ENV means where it is unset. */
  production?: boolean;
  /**
   * Further faults, which it takes more than the ground floor to find; of a variable that is faulty
   * it sees the default.
   */
  check?: (config: Config) => string[];
}

/**
 * The configuration of a command that has these needs. Throws ConfigError with every fault at once.
 */
export function parseConfig(
  env: Environment,
  needs: readonly Need[],
  options?: ParseOptions,
): Config {
  return toConfig(parseValues(env, needs, options));
}

/**
 * What each variable comes to, as text; null for one that is not set and has no default. Of secrets
 * only that they are set.
 */
export function effectiveVariables(
  env: Environment,
  options?: ParseOptions,
): [VariableName, string | null][] {
  const values = parseValues(env, [], options);
  const { introspection, explorer, echo } = toConfig(values);
  const effective: Partial<Record<VariableName, unknown>> = {
    ...values,
    INTROSPECTION: introspection,
    EXPLORER: explorer,
    ECHO: echo,
  };
  const secrets = new Set<string>(SECRET_NAMES);
  const masked = (name: string) =>
    env[`${name}_FILE`] ? `(set by ${name}_FILE, not shown)` : "(set, not shown)";
  return VARIABLE_NAMES.map((name) => {
    const value = effective[name];
    if (value === undefined) return [name, null];
    return [name, secrets.has(name) ? masked(name) : String(value)];
  });
}

function parseValues(
  env: Environment,
  needs: readonly Need[],
  { production = false, check = () => [] }: ParseOptions = {},
): Values {
  const faults: string[] = [];
  const texts = readTexts(env, faults);
  texts.NODE_ENV ??= production ? "production" : "development";
  const parsed = schema.safeParse(texts);
  const invalid = new Set(parsed.error?.issues.map((issue) => issue.path[0]));
  for (const issue of parsed.error?.issues ?? []) faults.push(describeFault(issue, texts));
  const values =
    parsed.data ??
    schema.parse(Object.fromEntries(Object.entries(texts).filter(([name]) => !invalid.has(name))));
  faults.push(...missing(values, needs, invalid), ...check(toConfig(values)));
  if (faults.length > 0) throw new ConfigError(faults);
  return values;
}

/**
 * The process's environment over the development defaults of `.env`, which production does not
 * read.
 */
export function readEnvironment(env: Environment = process.env, file = ".env"): Environment {
  if (env["NODE_ENV"] === "production" || !existsSync(file)) return env;
  return { ...parseEnv(readFileSync(file, "utf8")), ...env };
}

/** An empty variable counts as unset. */
function readTexts(env: Environment, faults: string[]): Partial<Record<VariableName, string>> {
  const texts: Partial<Record<VariableName, string>> = {};
  for (const name of VARIABLE_NAMES) if (env[name]) texts[name] = env[name];
  for (const name of SECRET_NAMES) {
    const file = env[`${name}_FILE`];
    if (!file) continue;
    // Which of the two is meant, and which one is left over, is nobody's to guess.
    if (texts[name] !== undefined)
      faults.push(`${name} and ${name}_FILE are both set: only one of them can say what it is`);
    try {
      const text = readFileSync(file, "utf8").trim();
      if (text) texts[name] = text;
      else faults.push(`${name}_FILE names a file with nothing in it: ${file}`);
    } catch (error) {
      faults.push(
        `${name}_FILE cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return texts;
}

function describeFault(
  issue: z.core.$ZodIssue,
  texts: Partial<Record<VariableName, string>>,
): string {
  const name = issue.path[0] as VariableName;
  const secret = (SECRET_NAMES as readonly string[]).includes(name);
  return secret ? `${name} ${issue.message}` : `${name} ${issue.message} (it is "${texts[name]}")`;
}

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`. */
function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const most = { 4: 32, 6: 128 }[isIP(address)];
  return (
    most !== undefined &&
    more.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  );
}

function missing(
  values: Values,
  needs: readonly Need[],
  invalid: ReadonlySet<PropertyKey | undefined>,
): string[] {
  const faults: string[] = [];
  const demand = (name: VariableName, why: string) => {
    if (values[name] === undefined && !invalid.has(name)) faults.push(`${name} is not set: ${why}`);
  };
  const production = values.NODE_ENV === "production";
  const hasKey = values.JWT_PUBLIC_KEY !== undefined || values.JWT_JWKS_URL !== undefined;
  if (needs.includes("database"))
    demand(
      "DATABASE_URL",
      "it names the PostgreSQL to use, as postgres://user:password@host:5432/database",
    );
  if (needs.includes("redis"))
    demand("REDIS_URL", "it names the Redis to use, as redis://host:6379");
  if (needs.includes("tokens") && production && !hasKey)
    faults.push("JWT_PUBLIC_KEY or JWT_JWKS_URL is not set: it tells how tokens are verified");
  if (needs.includes("tokens") && (production || hasKey)) {
    demand("JWT_ISSUER", "it is the required value of the claim iss");
    demand("JWT_AUDIENCE", "it is the required value of the claim aud");
  }
  if (values.JWT_PUBLIC_KEY !== undefined && values.JWT_JWKS_URL !== undefined)
    faults.push(
      "JWT_PUBLIC_KEY and JWT_JWKS_URL are both set: only one of them can tell how " +
        "tokens are verified",
    );
  if (needs.includes("files") && production)
    demand("FILE_SIGNING_KEY", "it signs the URLs of files; 32 random characters or more");
  if (needs.includes("storage") && values.STORAGE_URL.startsWith("s3:")) {
    demand("AWS_ACCESS_KEY_ID", "the storage is S3");
    demand("AWS_SECRET_ACCESS_KEY", "the storage is S3");
    if (values.AWS_ENDPOINT_URL === undefined && !invalid.has("AWS_ENDPOINT_URL"))
      demand(
        "AWS_REGION",
        "it is where Amazon keeps the bucket of STORAGE_URL; another server is named by " +
          "AWS_ENDPOINT_URL",
      );
  }
  if (values.WORKER_TASKS < values.WORKER_CONCURRENCY)
    faults.push(
      `WORKER_TASKS (${values.WORKER_TASKS}) is under WORKER_CONCURRENCY ` +
        `(${values.WORKER_CONCURRENCY}): photos are tasks too`,
    );
  return faults;
}

/** As long as there are variables. */
function toConfig(values: Values) {
  const production = values.NODE_ENV === "production";
  return {
    production,
    databaseUrl: values.DATABASE_URL ?? null,
    redisUrl: values.REDIS_URL ?? null,
    host: values.HOST,
    port: values.PORT,
    workerPort: values.WORKER_PORT,
    jwtPublicKey: values.JWT_PUBLIC_KEY ?? null,
    jwtJwksUrl: values.JWT_JWKS_URL ?? null,
    jwtIssuers: values.JWT_ISSUER ?? [],
    jwtAudiences: values.JWT_AUDIENCE ?? [],
    adminEmails: values.ADMIN_EMAILS.map((email) => email.toLowerCase()),
    /** Null: there are no pages for operators and no metrics. */
    adminPassword: values.ADMIN_PASSWORD ?? null,
    adminActions: values.ADMIN_ACTIONS,
    fileSigningKey: values.FILE_SIGNING_KEY ?? null,
    storageUrl: values.STORAGE_URL,
    awsAccessKeyId: values.AWS_ACCESS_KEY_ID ?? null,
    awsSecretAccessKey: values.AWS_SECRET_ACCESS_KEY ?? null,
    awsRegion: values.AWS_REGION ?? null,
    awsEndpointUrl: values.AWS_ENDPOINT_URL ?? null,
    jobTtlSeconds: Math.min(values.MAX_JOB_TTL, CENTURY_SECONDS),
    eventTtlSeconds: Math.min(values.EVENT_TTL, CENTURY_SECONDS),
    allowedOrigins: values.ALLOWED_ORIGINS,
    workerConcurrency: values.WORKER_CONCURRENCY,
    workerTasks: values.WORKER_TASKS,
    disabledJobs: values.DISABLED_JOBS,
    /** Whether the Job `echo` is offered, which may keep a slot of a worker for ten minutes. */
    echo: values.ECHO ?? !production,
    maxPendingPerUser: values.MAX_PENDING_PER_USER,
    maxUploadBytes: values.MAX_UPLOAD_BYTES,
    maxPhotoPixels: values.MAX_PHOTO_PIXELS,
    acceptHeic: values.ACCEPT_HEIC,
    rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
    maxSocketsPerUser: values.MAX_SOCKETS_PER_USER,
    maxSubscriptionsPerSocket: values.MAX_SUBSCRIPTIONS_PER_SOCKET,
    maxOpeningSockets: values.MAX_OPENING_SOCKETS,
    maxStoredBytesPerUser: values.MAX_STORED_BYTES_PER_USER,
    maxRecordedBytesPerUser: values.MAX_RECORDED_BYTES_PER_USER,
    embedded: values.EMBEDDED,
    introspection: values.INTROSPECTION ?? !production,
    explorer: values.EXPLORER ?? !production,
    trustProxy: values.TRUST_PROXY,
    publicUrl: values.PUBLIC_URL ?? null,
    /** The commit that this was built from. */
    revision: values.REVISION ?? null,
    /** Where spans are sent; null: nothing is traced. */
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    logLevel: values.LOG_LEVEL,
    /** Where development keys, private services and their data live. */
    dataFolder: ".data",
  };
}
