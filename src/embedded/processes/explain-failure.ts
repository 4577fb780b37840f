import { EmbeddedError } from "../embedded-error.js";

/** The names for the messages about a failed start. */
export interface Attempt {
  /** "PostgreSQL" or "Redis". */
  program: string;
  /** The variable that names an existing server instead. */
  variable: string;
  folder: string;
}

interface Cause {
  sign: RegExp;
  sentence(attempt: Attempt, detail: string): string;
}

const PACKAGES: Record<string, string> = {
  "libsystemd.so.0": "libsystemd0",
  "libstdc++.so.6": "libstdc++6",
  "libatomic.so.1": "libatomic1",
  "libssl.so.3": "libssl3",
};

/** The first matching sign decides: the special signs come before the general ones. */
const CAUSES: Cause[] = [
  {
    sign: /error while loading shared libraries: ([^\s:]+)|Library not loaded: (\S+)/,
    sentence: ({ program, variable }, library) =>
      `${program} cannot start because the library ${library} is missing: install ` +
      `it${installLine(library)} or set ${variable}.`,
  },
  {
    sign: /Error relocating|Error loading shared library|symbol not found/,
    sentence: ({ program, variable }) =>
      `The bundled ${program} needs glibc, which this system does not have: set ` +
      `${variable}, or use a Debian-like system instead of Alpine.`,
  },
  {
    sign: /could not look up effective user ID (\S+):/,
    sentence: ({ program, variable }, uid) =>
      `${program} needs a user name, but /etc/passwd has no entry for the user id ` +
      `${uid}: start as a user with an entry there, or set ${variable}.`,
  },
  {
    sign: /cannot be run as root|execution of the (?:PostgreSQL )?server is not permitted/,
    sentence: ({ program, variable }) =>
      `${program} refuses to run as root: start as an ordinary user, or set ${variable}.`,
  },
  {
    sign: /has invalid permissions|has wrong ownership|could not change permissions/,
    sentence: ({ program, variable, folder }) =>
      `${program} needs a private folder, but the file system of ${folder} stores no ` +
      `owners and modes: move the project to a local disk, or set ${variable}.`,
  },
  {
    sign: /Address already in use|EADDRINUSE/,
    sentence: ({ program }) =>
      `Another process uses the port of ${program}: start again to get another port.`,
  },
  {
    sign: /shared memory segment|map anonymous shared memory|Cannot allocate memory|Out of memory/i,
    sentence: ({ program, variable }) =>
      `The system has too little memory for ${program}: add memory, or set ${variable}.`,
  },
  {
    sign: /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/,
    sentence: ({ folder }) => `The disk of ${folder} is full: free some space and start again.`,
  },
  {
    sign: /Read-only file system|EROFS/,
    sentence: ({ folder, variable }) =>
      `${folder} is on a read-only file system: start in a writable folder, ` +
      `or set ${variable}.`,
  },
  {
    sign: /invalid locale|locale .* (?:not|could not)|LOCALE/,
    sentence: ({ program, variable }) =>
      `${program} does not find its locale on this system: install the package ` +
      `"locales", or set ${variable}.`,
  },
  {
    sign: /Permission denied|EACCES|EPERM|Operation not permitted/,
    sentence: ({ program, variable, folder }) =>
      `${program} may not use ${folder}: change its owner to the user who starts the ` +
      `service, or set ${variable}.`,
  },
  {
    sign: /SIGILL|Illegal instruction/,
    sentence: ({ program, variable }) =>
      `The bundled ${program} does not run on this processor: set ${variable} to an ` +
      "existing server.",
  },
];

/** Turns the output of a program or the system into one sentence with its cure. */
export function explainFailure(attempt: Attempt, output: string, cause?: unknown): EmbeddedError {
  for (const { sign, sentence } of CAUSES) {
    const match = sign.exec(output);
    if (match)
      return new EmbeddedError(sentence(attempt, match[1] ?? match[2] ?? ""), { cause, output });
  }
  const { program, variable, folder } = attempt;
  const message =
    `${program} does not start (${lastLine(output)}): see ${folder}/server.log, or ` +
    `set ${variable}.`;
  return new EmbeddedError(message, { cause, output });
}

function installLine(library: string): string {
  const name = PACKAGES[library];
  return name ? ` (on Debian and Ubuntu: apt-get install ${name})` : "";
}

function lastLine(output: string): string {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const fatal = lines.findLast((line) => /FATAL|PANIC|error/i.test(line));
  return (fatal ?? lines.at(-1) ?? "no output").slice(0, 300);
}
