import { readFileSync } from "node:fs";
import { parse } from "yaml";

export interface ComposeService {
  image: string;
  build?: object;
  user?: string;
  command?: string[];
  /** Null stands for the value of the shell or of .env, if there is one. */
  environment?: Record<string, string | number | null>;
  secrets?: string[];
  ports?: string[];
  volumes?: string[];
  networks?: string[];
  healthcheck?: { test?: string[]; start_interval?: string; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
  profiles?: string[];
  deploy?: { resources: { limits: { memory?: string; pids?: number } } };
}

export interface ComposeFile {
  version?: string;
  services: Record<string, ComposeService>;
  secrets: Record<string, { file: string }>;
}

export type Values = Readonly<Record<string, string | undefined>>;

/** Reads docker-compose.yml as compose does, with the variables of the shell and of .env. */
export function readCompose(values: Values = {}): ComposeFile {
  const parsed: unknown = parse(readFileSync("docker-compose.yml", "utf8"), { merge: true });
  return interpolateAll(parsed, values) as ComposeFile;
}

/** The environment of a container: that of the image, and that of its service. */
export function environmentOf(
  { environment = {} }: ComposeService,
  { values = {}, secrets }: { values?: Values; secrets: string },
): Record<string, string> {
  const own = Object.entries(environment).flatMap(([name, value]): [string, string][] => {
    const text = value === null ? values[name] : String(value);
    return text === undefined ? [] : [[name, text.replace("/run/secrets", secrets)]];
  });
  return { ...imageEnvironment(), ...Object.fromEntries(own) };
}

/** The variables that the last stage of the Dockerfile sets. */
function imageEnvironment(): Record<string, string> {
  const dockerfile = readFileSync("Dockerfile", "utf8").replaceAll("\\\n", "");
  const [, line = ""] = /^ENV (.+)$/m.exec(dockerfile) ?? [];
  return Object.fromEntries(
    line
      .trim()
      .split(/\s+/)
      .map((pair) => pair.split("=") as [string, string])
      .map(([name, value]) => [name, interpolate(value, {})]),
  );
}

function interpolateAll(value: unknown, values: Values): unknown {
  if (typeof value === "string") return interpolate(value, values);
  if (Array.isArray(value)) return value.map((entry) => interpolateAll(entry, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, interpolateAll(entry, values)]),
  );
}

/** `$$`, `$NAME`, `${NAME}`, and with `-`, `+` or `?`. A colon before it rejects empty values. */
const VARIABLE =
  /\$(?:\$|(?<bare>\w+)|\{(?<name>\w+)(?:(?<colon>:?)(?<op>[-+?])(?<word>[^}]*))?\})/g;

function interpolate(text: string, values: Values): string {
  return text.replaceAll(VARIABLE, (whole, ...rest) => {
    if (whole === "$$") return "$";
    const { bare, name, colon, op, word = "" } = rest.at(-1) as Values;
    const value = values[name ?? bare ?? ""];
    const isSet = colon ? Boolean(value) : value !== undefined;
    if (op === "+") return isSet ? word : "";
    if (isSet) return value ?? "";
    if (op === "?") throw new Error(`${name} is required: ${word}`);
    return word;
  });
}
