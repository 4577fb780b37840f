import assert from "node:assert/strict";
import { test } from "node:test";
import { explainFailure } from "../../../src/embedded/processes/explain-failure.js";

const attempt = { program: "PostgreSQL", variable: "DATABASE_URL", folder: "/data" };

/** Outputs of PostgreSQL 18, Redis 8, glibc, musl and Node, and the message for each. */
const sentences: [output: string, sentence: string][] = [
  [
    "postgres: error while loading shared libraries: libsystemd.so.0: cannot open shared " +
      "object file: No such file or directory",
    "PostgreSQL cannot start because the library libsystemd.so.0 is missing: install it " +
      "(on Debian and Ubuntu: apt-get install libsystemd0) or set DATABASE_URL.",
  ],
  [
    "dyld: Library not loaded: /usr/local/lib/libfoo.dylib",
    "PostgreSQL cannot start because the library /usr/local/lib/libfoo.dylib is missing: " +
      "install it or set DATABASE_URL.",
  ],
  [
    "Error relocating ./postgres: __fprintf_chk: symbol not found",
    "The bundled PostgreSQL needs glibc, which this system does not have: set " +
      "DATABASE_URL, or use a Debian-like system instead of Alpine.",
  ],
  [
    "initdb: error: could not look up effective user ID 4711: user does not exist",
    "PostgreSQL needs a user name, but /etc/passwd has no entry for the user id 4711: " +
      "start as a user with an entry there, or set DATABASE_URL.",
  ],
  [
    "initdb: error: cannot be run as root",
    "PostgreSQL refuses to run as root: start as an ordinary user, or set DATABASE_URL.",
  ],
  [
    'FATAL:  data directory "/data" has invalid permissions',
    "PostgreSQL needs a private folder, but the file system of /data stores no owners " +
      "and modes: move the project to a local disk, or set DATABASE_URL.",
  ],
  [
    'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use\nFATAL:  ' +
      "could not create any TCP/IP sockets",
    "Another process uses the port of PostgreSQL: start again to get another port.",
  ],
  [
    "FATAL:  could not map anonymous shared memory: Cannot allocate memory",
    "The system has too little memory for PostgreSQL: add memory, or set DATABASE_URL.",
  ],
  [
    "FATAL:  could not write lock file: No space left on device",
    "The disk of /data is full: free some space and start again.",
  ],
  [
    "EROFS: read-only file system",
    "/data is on a read-only file system: start in a writable folder, or set DATABASE_URL.",
  ],
  [
    'initdb: error: invalid locale name "xx"',
    'PostgreSQL does not find its locale on this system: install the package "locales", ' +
      "or set DATABASE_URL.",
  ],
  [
    "Error: spawn EACCES",
    "PostgreSQL may not use /data: change its owner to the user who starts the service, " +
      "or set DATABASE_URL.",
  ],
  [
    "\nended by SIGILL",
    "The bundled PostgreSQL does not run on this processor: set DATABASE_URL to an " +
      "existing server.",
  ],
  [
    "LOG: a\nFATAL:  b is broken\nLOG: c",
    "PostgreSQL does not start (FATAL:  b is broken): see /data/server.log, or set " +
      "DATABASE_URL.",
  ],
  ["", "PostgreSQL does not start (no output): see /data/server.log, or set DATABASE_URL."],
];

for (const [output, sentence] of sentences) {
  test(`says: ${sentence}`, () => {
    const error = explainFailure(attempt, output);
    assert.equal(error.name, "EmbeddedError");
    assert.equal(error.message, sentence);
    assert.equal(error.output, output);
  });
}
