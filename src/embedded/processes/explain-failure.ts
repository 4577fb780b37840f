import { EmbeddedError } from "../embedded-error.js";

/** What was tried, as its sentences name it. */
export interface Attempt {
  /** "PostgreSQL" or "Redis". */
  program: string;
  /** The variable that names a server of one's own. */
  variable: string;
  folder: string;
}

interface Cause {
  sign: RegExp;
  sentence(attempt: Attempt, found: string): string;
}

const PACKAGES: Record<string, string> = {
  "libsystemd.so.0": "libsystemd0",
  "libstdc++.so.6": "libstdc++6",
  "libatomic.so.1": "libatomic1",
  "libssl.so.3": "libssl3",
};

/** The first sign that is found decides: the special ones stand before the general ones. */
const CAUSES: Cause[] = [
  {
    sign: /error while loading shared libraries: ([^\s:]+)|Library not loaded: (\S+)/,
    sentence: ({ program, variable }, library) =>
      `${program} cannot start because the system lacks the library ${library}: install ` +
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
      `${program} needs a name for the user it runs as and /etc/passwd has none for ` +
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
      `${program} needs a private folder and the file system of ${folder} keeps no ` +
      `owners and modes: move the project to a local disk, or set ${variable}.`,
  },
  {
    sign: /Address already in use|EADDRINUSE/,
    sentence: ({ program }) =>
      `${program} found its port taken by another process: start again to get another one.`,
  },
  {
    sign: /shared memory segment|map anonymous shared memory|Cannot allocate memory|Out of memory/i,
    sentence: ({ program, variable }) =>
      `${program} got too little memory from the system: give it more, or set ${variable}.`,
  },
  {
    sign: /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/,
    sentence: ({ folder }) =>
      `The disk that holds ${folder} is full: free some space and start again.`,
  },
  {
    sign: /Read-only file system|EROFS/,
    sentence: ({ folder, variable }) =>
      `${folder} lies on a read-only file system: start in a folder that can be written, ` +
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
      `${program} may not use ${folder}: give that folder to the user who starts the ` +
      `service, or set ${variable}.`,
  },
  {
    sign: /SIGILL|Illegal instruction/,
    sentence: ({ program, variable }) =>
      `The bundled ${program} does not fit this processor: set ${variable} to a server ` +
      "of your own.",
  },
];

/** Turns what a program or the system said into one sentence with its cure. */
export function explainFailure(attempt: Attempt, output: string, cause?: unknown): EmbeddedError {
  for (const { sign, sentence } of CAUSES) {
    const found = sign.exec(output);
    if (found)
      return new EmbeddedError(sentence(attempt, found[1] ?? found[2] ?? ""), { cause, output });
  }
  const { program, variable, folder } = attempt;
  const said =
    `${program} does not start (${lastWords(output)}): look into ${folder}/server.log, or ` +
    `set ${variable}.`;
  return new EmbeddedError(said, { cause, output });
}

function installLine(library: string): string {
  const name = PACKAGES[library];
  return name ? ` (on Debian and Ubuntu: apt-get install ${name})` : "";
}

function lastWords(output: string): string {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const fatal = lines.findLast((line) => /FATAL|PANIC|error/i.test(line));
  return (fatal ?? lines.at(-1) ?? "it said nothing").slice(0, 300);
}
