// Declares, documents and parses the options of every command.
import { parseArgs, type ParseArgsConfig } from "node:util";

export interface CommandOption {
  type: "string" | "boolean";
  default?: string | boolean;
  required?: true;
  /** Placeholder for the value in the usage, for example "<seconds>". */
  value?: string;
  /** Description of the option; null hides it from the usage. */
  about: string | null;
}

export type CommandOptions = Readonly<Record<string, CommandOption>>;

export interface Command<Options extends CommandOptions> {
  /** Command as typed, for example "npm run token". */
  name: string;
  about: string;
  options?: Options;
  /** Arguments that are not options; if it is absent, none are allowed. */
  positional?: { value: string; about: string };
  /** Arguments of each example, as typed after the name. */
  examples?: readonly string[];
}

type ValueOf<Option extends CommandOption> = Option extends { type: "boolean" }
  ? boolean
  : Option extends { default: string } | { required: true }
    ? string
    : string | undefined;

export type ValuesOf<Options extends CommandOptions> = {
  [Name in keyof Options]: ValueOf<Options[Name]>;
};

/** The arguments are invalid; the message says why and shows the usage. */
export class ArgumentsError extends Error {
  constructor(sentence: string, usage: string) {
    super(`Invalid arguments: ${sentence.replace(/\.?$/, ".")}\n\n${usage}`);
    this.name = "ArgumentsError";
  }
}

type Read<Options extends CommandOptions, Result> = (
  values: ValuesOf<Options>,
  positionals: string[],
) => Result;

/**
 * Returns the result of `read` for the arguments of this process. An Error thrown by `read`
 * explains what is wrong with them. Exits with 0 after --help, with 1 after a mistake.
 */
export function readCommandLine<const Options extends CommandOptions, Result>(
  command: Command<Options>,
  read: Read<Options, Result>,
): Result {
  try {
    const parsed = parseCommandLine(command, read, process.argv.slice(2));
    if (parsed !== null) return parsed.result;
    process.stdout.write(renderUsage(command));
    process.exit(0);
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error;
    process.stderr.write(error.message);
    process.exit(1);
  }
}

/** Returns null for --help. Throws ArgumentsError. */
export function parseCommandLine<const Options extends CommandOptions, Result>(
  command: Command<Options>,
  read: Read<Options, Result>,
  args: string[],
): { result: Result } | null {
  try {
    const { values, positionals } = parse(command, args);
    if (values["help"]) return null;
    for (const [name, { required }] of Object.entries(command.options ?? {})) {
      if (required && values[name] === undefined) throw new Error(`--${name} is missing`);
    }
    return { result: read(values as ValuesOf<Options>, positionals) };
  } catch (error) {
    throw new ArgumentsError(sentenceOf(error), renderUsage(command));
  }
}

function parse(command: Command<CommandOptions>, args: string[]) {
  const options: NonNullable<ParseArgsConfig["options"]> = {
    help: { type: "boolean", short: "h" },
  };
  for (const [
    name,
    { type, default: preset = type === "boolean" ? false : undefined },
  ] of Object.entries(command.options ?? {})) {
    options[name] = { type, ...(preset !== undefined && { default: preset }) };
  }
  const allowPositionals = command.positional !== undefined;
  // npm passes everything after its first "--", including a second "--".
  return parseArgs({ args: args.filter((arg) => arg !== "--"), options, allowPositionals });
}

/** The parser adds advice about syntax; its first sentence is enough. */
function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const isParser =
    error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  return isParser ? (message.split(/\. /)[0] ?? message) : message;
}

function renderUsage({
  name,
  about,
  options,
  positional,
  examples = [],
}: Command<CommandOptions>): string {
  const shown = Object.entries(options ?? {}).flatMap(([key, option]) =>
    option.about === null ? [] : [{ ...option, about: option.about, text: textOf(key, option) }],
  );
  const optional = (text: string) => `[${text}]`;
  const line = [
    ...shown.map(({ text, required }) => (required ? text : optional(text))),
    ...(positional ? [optional(positional.value)] : []),
  ];
  const rows = [
    ...(positional ? [[positional.value, positional.about]] : []),
    ...shown.map((option) => [option.text, `${option.about}${noteOf(option)}`]),
    ["--help", "Show this help."],
  ];
  // npm keeps the options in front of the first "--" for itself.
  const separator = name.startsWith("npm ") ? ["--"] : [];
  const width = Math.max(...rows.map(([text = ""]) => text.length)) + 2;
  return [
    `Usage: ${[name, ...(line.length > 0 ? separator : []), ...line].join(" ")}`,
    `\n${about}\n`,
    "Options:",
    ...rows.map(([text = "", what = ""]) => `  ${text.padEnd(width)}${what}`),
    ...(examples.length > 0 ? ["\nExamples:"] : []),
    ...examples.map((example) =>
      ["  ".concat(name), ...(example === "" ? [] : [...separator, example])].join(" "),
    ),
    "",
  ].join("\n");
}

function textOf(key: string, { type, value = "<text>" }: CommandOption): string {
  return type === "boolean" ? `--${key}` : `--${key} ${value}`;
}

function noteOf({ required, default: preset }: CommandOption): string {
  if (required) return " (required)";
  return typeof preset === "string" && preset !== "" ? ` (${preset} if not given)` : "";
}
