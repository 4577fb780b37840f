import assert from "node:assert/strict";
import { test } from "node:test";
import { explainFailure } from "../../../src/embedded/processes/explain-failure.js";

const attempt = { program: "PostgreSQL", variable: "DATABASE_URL", folder: "/data" };

/**
 * What is said, by what the program printed: as PostgreSQL 18, Redis 8, glibc, musl and Node print
 * it.
 */
const sentences: [said: string, sentence: string][] = [
  [
    "postgres: error while loading shared libraries: libsystemd.so.0: cannot open shared " +
      "object file: No such file or directory",
    "PostgreSQL cannot start because the system lacks the library libsystemd.so.0: " +
      "install it (on Debian and Ubuntu: apt-get install libsystemd0) or set DATABASE_URL.",
  ],
  [
    "dyld: Library not loaded: /usr/local/lib/libfoo.dylib",
    "PostgreSQL cannot start because the system lacks the library " +
      "/usr/local/lib/libfoo.dylib: install it or set DATABASE_URL.",
  ],
  [
    "Error relocating ./postgres: __fprintf_chk: symbol not found",
    "The bundled PostgreSQL needs glibc, which this system does not have: set " +
      "DATABASE_URL, or use a Debian-like system instead of Alpine.",
  ],
  [
    "initdb: error: could not look up effective user ID 4711: user does not exist",
    "PostgreSQL needs a name for the user it runs as and /etc/passwd has none for 4711: " +
      "start as a user with an entry there, or set DATABASE_URL.",
  ],
  [
    "initdb: error: cannot be run as root",
    "PostgreSQL refuses to run as root: start as an ordinary user, or set DATABASE_URL.",
  ],
  [
    'FATAL:  data directory "/data" has invalid permissions',
    "PostgreSQL needs a private folder and the file system of /data keeps no owners and " +
      "modes: move the project to a local disk, or set DATABASE_URL.",
  ],
  [
    'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use\nFATAL:  ' +
      "could not create any TCP/IP sockets",
    "PostgreSQL found its port taken by another process: start again to get another one.",
  ],
  [
    "FATAL:  could not map anonymous shared memory: Cannot allocate memory",
    "PostgreSQL got too little memory from the system: give it more, or set DATABASE_URL.",
  ],
  [
    "FATAL:  could not write lock file: No space left on device",
    "The disk that holds /data is full: free some space and start again.",
  ],
  [
    "EROFS: read-only file system",
    "/data lies on a read-only file system: start in a folder that can be written, or " +
      "set DATABASE_URL.",
  ],
  [
    'initdb: error: invalid locale name "xx"',
    'PostgreSQL does not find its locale on this system: install the package "locales", ' +
      "or set DATABASE_URL.",
  ],
  [
    "Error: spawn EACCES",
    "PostgreSQL may not use /data: give that folder to the user who starts the service, " +
      "or set DATABASE_URL.",
  ],
  [
    "\nended by SIGILL",
    "The bundled PostgreSQL does not fit this processor: set DATABASE_URL to a server of your own.",
  ],
  [
    "LOG: a\nFATAL:  b is broken\nLOG: c",
    "PostgreSQL does not start (FATAL:  b is broken): look into /data/server.log, or set " +
      "DATABASE_URL.",
  ],
  [
    "",
    "PostgreSQL does not start (it said nothing): look into /data/server.log, or set DATABASE_URL.",
  ],
];

for (const [said, sentence] of sentences) {
  test(`says: ${sentence}`, () => {
    const error = explainFailure(attempt, said);
    assert.equal(error.name, "EmbeddedError");
    assert.equal(error.message, sentence);
    assert.equal(error.output, said);
  });
}
