// Writes a hash of the schema and the operations into each generated file. The service's tests
// compare the hash, and so notice outdated files.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const hash = createHash("sha256");
for (const source of ["../../test/schema.graphql", "../operations.graphql"])
  hash.update(readFileSync(new URL(source, import.meta.url)));
const renew = "cd examples/react && npm ci && npm run codegen";
const stamp = `// Generated, sources ${hash.digest("hex")}. Renew: ${renew}\n`;
for (const target of ["../operations.ts", "src/operations.ts"]) {
  const url = new URL(target, import.meta.url);
  writeFileSync(
    url,
    stamp +
      readFileSync(url, "utf8")
        .replace(/^\/\/ Generated.*\n/, "")
        .replaceAll("Record<string, any>", "Record<string, unknown>"),
  );
}
