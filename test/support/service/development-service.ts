import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestService, type TestService } from "./test-service.js";

/**
 * A service as on a developer's machine: its key is the one it makes for itself, in a folder of
 * this process's own.
 */
export async function startDevelopmentService(
  env: Record<string, string> = {},
): Promise<Pick<TestService, "url" | "logged" | "close">> {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), "photo-service-development-"));
  process.chdir(folder);
  const { url, logged, close } = await startTestService({
    env: { NODE_ENV: "development", JWT_PUBLIC_KEY: "", JWT_ISSUER: "", JWT_AUDIENCE: "", ...env },
  });
  return {
    url,
    logged,
    async close() {
      await close();
      process.chdir(before);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
