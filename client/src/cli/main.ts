#!/usr/bin/env node
import { setMaxListeners } from "node:events";
import { createPhotoService, type PhotoService } from "../photo-service.js";
import { reasonOf, type Command, type CommandContext } from "./command.js";
import { textOf, UsageError } from "./command-line.js";
import { findService } from "./find-service.js";
import { group } from "./group.js";
import { jobs, watch } from "./jobs.js";
import { run } from "./run.js";
import { token } from "./token.js";
import { upload } from "./upload.js";

const USAGE = `Usage: photo-service <command> [flags]

Commands:
  upload <photo>…              Upload photos; prints their ids.
  run <job> [photo]… [flags]   Upload photos, run a Job on them, and show or save the results.
                               Its flags: photo-service run <job> --help
  group <photo>… --step <job>… Upload photos and run several Jobs on them in turn, as one group.
                               Its flags: photo-service group --help
  watch [id]…                  Print events live: of these QueuedJobs until they have finished,
                               or of all of them until Ctrl-C.
  jobs                         List the newest QueuedJobs: --first, --status, --job.
  token                        Print the token in use, for other tools.

Flags of every command:
  --url <address>   Address of the service. Default: PHOTO_SERVICE_URL, or the service that npm
                    start runs from this folder.
  --token <token>   Default: PHOTO_SERVICE_TOKEN, or that of the local service.
  --json            Print JSON for programs.
  --help            Show this help.

Example:
  photo-service run thumbnail *.jpg --width 320 -o out/

The exit code is 0 on success, 1 with the reasons on any failure, and 130 when Ctrl-C interrupts
the work.
`;

const find = (flags: { url?: string | undefined; token?: string | undefined }) =>
  findService(flags, process.env);

const COMMANDS: Readonly<Record<string, Command>> = {
  upload,
  run,
  group,
  watch,
  jobs,
  token: (context) => token(context, find),
};

async function main([name, ...args]: readonly string[]): Promise<number> {
  const command = name === undefined ? undefined : COMMANDS[name];
  const wantsHelp = args.includes("--help") || args.includes("-h");
  if (name === undefined || name === "--help" || name === "-h") return help();
  if (!command) throw new UsageError(`Unknown command "${name}".\n\n${USAGE}`);
  if (wantsHelp && command !== group && (command !== run || args.length === 1)) return help();

  const interrupt = new AbortController();
  // Every photo of a command listens to it.
  setMaxListeners(0, interrupt.signal);
  const opened: PhotoService[] = [];
  // The second Ctrl-C ends the process at once.
  process.once("SIGINT", () => interrupt.abort(new Error("interrupted")));
  const context: CommandContext = {
    args,
    interrupt: interrupt.signal,
    terminal: {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      columns: process.stderr.isTTY ? process.stderr.columns : null,
    },
    async open(flags) {
      const address = await find({ url: textOf(flags, "url"), token: textOf(flags, "token") });
      const service = createPhotoService(address);
      opened.push(service);
      return service;
    },
  };
  try {
    return await command(context);
  } finally {
    for (const service of opened) service.close();
  }
}

function help(): number {
  process.stdout.write(USAGE);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
}
