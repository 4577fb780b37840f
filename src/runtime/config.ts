// Parses the environment once. One message names every fault. A secret has no default and is never
// printed.
import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { z } from "zod";
import {
  SECRET_NAMES,
  VARIABLE_NAMES,
  variables,
  type VariableName,
  type WebhookEvent,
} from "./variables.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration is invalid; the message lists every fault. The process should exit with 1. */
export class ConfigError extends Error {
  constructor(readonly faults: string[]) {
    super(
      "The configuration has " +
        `${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n` +
        faults.map((fault) => `  - ${fault}`).join("\n"),
    );
    this.name = "ConfigError";
  }
}

/** Maximum time to live. PostgreSQL cannot represent dates much further in the future. */
const CENTURY_SECONDS = 100 * 365.25 * 86_400;
const schema = z.object(variables);
type Values = z.output<typeof schema>;

/**
 * Configuration that a command requires. `tokens` and `files` are required in production only;
 * elsewhere keys are generated. `webhooks` requires what their file URLs need.
 */
export type Need = "database" | "redis" | "tokens" | "files" | "storage" | "webhooks";

export type Config = ReturnType<typeof toConfig>;

interface ParseOptions {
  /** Production if NODE_ENV is unset. */
  production?: boolean;
  /**
   * Checks that need modules above `runtime`; returns faults. Beware: an invalid variable has its
   * default here.
   */
  check?: (config: Config) => string[];
}

/**
 * Returns the configuration of a command with these needs. Throws ConfigError with every fault at
 * once.
 */
export function parseConfig(
  env: Environment,
  needs: readonly Need[],
  options?: ParseOptions,
): Config {
  return toConfig(parseValues(env, needs, options));
}

/** A variable as `npm run config` shows it. */
export interface EffectiveVariable {
  name: VariableName;
  /** Null for an unset variable without a default. Of a secret, only that it is set. */
  value: string | null;
  source: "environment" | ".env" | "file" | "default";
}

/** Returns every variable with its effective value and its source. */
export function effectiveVariables(
  { env, inherited }: { env: Environment; inherited: Environment },
  options?: ParseOptions,
): { variables: EffectiveVariable[]; config: Config } {
  const values = parseValues(env, [], options);
  const config = toConfig(values);
  const { introspection, explorer, echo } = config;
  const effective: Partial<Record<VariableName, unknown>> = {
    ...values,
    INTROSPECTION: introspection,
    EXPLORER: explorer,
    ECHO: echo,
  };
  const secrets = new Set<string>(SECRET_NAMES);
  const masked = (name: string) =>
    env[`${name}_FILE`] ? `(set by ${name}_FILE, not shown)` : "(set, not shown)";
  const sourceOf = (name: VariableName) => {
    if (secrets.has(name) && env[`${name}_FILE`]) return "file";
    if (!env[name]) return "default";
    return inherited[name] === undefined ? ".env" : "environment";
  };
  const rows = VARIABLE_NAMES.map((name): EffectiveVariable => {
    const value = effective[name];
    const shown = secrets.has(name) ? masked(name) : String(value);
    return { name, value: value === undefined ? null : shown, source: sourceOf(name) };
  });
  return { variables: rows, config };
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
 * Returns the process's environment over the development defaults of `.env`. Production does not
 * read `.env`.
 */
export function readEnvironment(env: Environment = process.env, file = ".env"): Environment {
  if (env["NODE_ENV"] === "production" || !existsSync(file)) return env;
  return { ...parseEnv(readFileSync(file, "utf8")), ...env };
}

function readTexts(env: Environment, faults: string[]): Partial<Record<VariableName, string>> {
  const texts: Partial<Record<VariableName, string>> = {};
  for (const name of VARIABLE_NAMES) if (env[name]) texts[name] = env[name];
  for (const name of SECRET_NAMES) {
    const file = env[`${name}_FILE`];
    if (!file) continue;
    // Guessing which of the two is outdated would be unsafe.
    if (texts[name] !== undefined)
      faults.push(`${name} and ${name}_FILE are both set: set only one of them`);
    try {
      const text = readFileSync(file, "utf8").trim();
      if (text) texts[name] = text;
      else faults.push(`${name}_FILE names an empty file: ${file}`);
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
    faults.push(
      "JWT_PUBLIC_KEY or JWT_JWKS_URL is not set: one of them is needed to verify tokens",
    );
  if (needs.includes("tokens") && (production || hasKey)) {
    demand("JWT_ISSUER", "it is the required value of the claim iss");
    demand("JWT_AUDIENCE", "it is the required value of the claim aud");
  }
  if (values.JWT_PUBLIC_KEY !== undefined && values.JWT_JWKS_URL !== undefined)
    faults.push(
      "JWT_PUBLIC_KEY and JWT_JWKS_URL are both set: set only one of them to verify tokens",
    );
  const signsInWebhooks = needs.includes("webhooks") && values.WEBHOOK_URL !== undefined;
  if ((needs.includes("files") || signsInWebhooks) && production)
    demand("FILE_SIGNING_KEY", "it signs the URLs of files; 32 random characters or more");
  if (needs.includes("storage") && values.STORAGE_URL.startsWith("s3:")) {
    demand("AWS_ACCESS_KEY_ID", "the storage is S3");
    demand("AWS_SECRET_ACCESS_KEY", "the storage is S3");
    if (values.AWS_ENDPOINT_URL === undefined && !invalid.has("AWS_ENDPOINT_URL"))
      demand(
        "AWS_REGION",
        "it is the Amazon region of the bucket in STORAGE_URL; for another server set " +
          "AWS_ENDPOINT_URL",
      );
  }
  if (values.WEBHOOK_URL !== undefined)
    demand("WEBHOOK_SECRET", "it signs the webhooks that WEBHOOK_URL receives");
  if (values.WORKER_TASKS < values.WORKER_CONCURRENCY)
    faults.push(
      `WORKER_TASKS (${values.WORKER_TASKS}) is less than WORKER_CONCURRENCY ` +
        `(${values.WORKER_CONCURRENCY}): photos are tasks too`,
    );
  return faults;
}

function toStorageConfig(values: Values) {
  return {
    storageUrl: values.STORAGE_URL,
    awsAccessKeyId: values.AWS_ACCESS_KEY_ID ?? null,
    awsSecretAccessKey: values.AWS_SECRET_ACCESS_KEY ?? null,
    awsRegion: values.AWS_REGION ?? null,
    awsEndpointUrl: values.AWS_ENDPOINT_URL ?? null,
  };
}

function toConfig(values: Values) {
  const production = values.NODE_ENV === "production";
  return {
    production,
    databaseUrl: values.DATABASE_URL ?? null,
    /** A read replica, for reads that may be a few seconds old; null without one. */
    databaseReplicaUrl: values.DATABASE_REPLICA_URL ?? null,
    redisUrl: values.REDIS_URL ?? null,
    host: values.HOST,
    port: values.PORT,
    workerPort: values.WORKER_PORT,
    jwtPublicKey: values.JWT_PUBLIC_KEY ?? null,
    jwtJwksUrl: values.JWT_JWKS_URL ?? null,
    jwtIssuers: values.JWT_ISSUER ?? [],
    jwtAudiences: values.JWT_AUDIENCE ?? [],
    adminEmails: values.ADMIN_EMAILS.map((email) => email.toLowerCase()),
    /** Null disables the pages for operators and the metrics. */
    adminPassword: values.ADMIN_PASSWORD ?? null,
    adminActions: values.ADMIN_ACTIONS,
    fileSigningKey: values.FILE_SIGNING_KEY ?? null,
    ...toStorageConfig(values),
    jobTtlSeconds: Math.min(values.MAX_JOB_TTL, CENTURY_SECONDS),
    eventTtlSeconds: Math.min(values.EVENT_TTL, CENTURY_SECONDS),
    allowedOrigins: values.ALLOWED_ORIGINS,
    workerConcurrency: values.WORKER_CONCURRENCY,
    workerTasks: values.WORKER_TASKS,
    /** Folders and packages with tasks outside this repository. */
    tasks: values.TASKS,
    disabledJobs: values.DISABLED_JOBS,
    /** True if the Job `echo` is offered, which can occupy a worker slot for ten minutes. */
    echo: values.ECHO ?? !production,
    maxPendingPerUser: values.MAX_PENDING_PER_USER,
    maxUploadBytes: values.MAX_UPLOAD_BYTES,
    maxPhotoPixels: values.MAX_PHOTO_PIXELS,
    acceptHeic: values.ACCEPT_HEIC,
    /** Child processes that make renditions. */
    imageChildren: values.IMAGE_CHILDREN,
    rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
    maxSocketsPerUser: values.MAX_SOCKETS_PER_USER,
    maxSubscriptionsPerSocket: values.MAX_SUBSCRIPTIONS_PER_SOCKET,
    maxOpeningSockets: values.MAX_OPENING_SOCKETS,
    maxStoredBytesPerUser: values.MAX_STORED_BYTES_PER_USER,
    maxRecordedBytesPerUser: values.MAX_RECORDED_BYTES_PER_USER,
    embedded: values.EMBEDDED,
    ...openDoors(values, production),
    webhooks: toWebhooks(values),
    trustProxy: values.TRUST_PROXY,
    publicUrl: values.PUBLIC_URL ?? null,
    frontPage: values.FRONT_PAGE,
    /** Commit that this build was made from. */
    revision: values.REVISION ?? null,
    /** Destination of spans; null disables tracing. */
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    logLevel: values.LOG_LEVEL,
    /** Null: pretty on a terminal outside production. */
    logFormat: values.LOG_FORMAT ?? null,
    /** Folder of development keys, and of the embedded PostgreSQL and Redis with their data. */
    dataFolder: ".data",
  };
}

/** Doors that are open outside production only, unless their variables say otherwise. */
function openDoors({ INTROSPECTION, EXPLORER }: Values, production: boolean) {
  return { introspection: INTROSPECTION ?? !production, explorer: EXPLORER ?? !production };
}

/** The receiver of webhooks; null if there is none. */
export interface WebhookConfig {
  url: string;
  /** Each of them signs, so that a secret can be replaced while the receiver knows the other. */
  secrets: readonly string[];
  events: readonly WebhookEvent[];
}

function toWebhooks(values: Values): WebhookConfig | null {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secrets, WEBHOOK_EVENTS: events } = values;
  return url === undefined || secrets === undefined ? null : { url, secrets, events };
}
