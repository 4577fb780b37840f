import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** A folder for the files of one test file, removed after its last test. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), "photo-test-"));
  let fileCount = 0;
  after(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    /** Writes a file with a new name and returns its path. */
    write(bytes: Uint8Array | string, name = "photo.jpg"): string {
      const file = join(path, `${++fileCount}-${name}`);
      writeFileSync(file, bytes);
      return file;
    },
  };
}
