import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, preview, type InlineConfig } from "vite";

/** A page of an example, bundled and served from another origin, like a separate frontend. */
export interface ServedBundle {
  origin: string;
  close(): Promise<void>;
}

/** The caller chooses `port`, because the service's configuration must allow the origin first. */
export async function serveBundle(port: number, config: InlineConfig): Promise<ServedBundle> {
  const outDir = mkdtempSync(join(tmpdir(), "photo-service-bundle-"));
  const common: InlineConfig = {
    configFile: false,
    logLevel: "warn",
    ...config,
    build: { outDir, emptyOutDir: true, reportCompressedSize: false, ...config.build },
  };
  await build(common);
  const server = await preview({
    ...common,
    preview: { host: "127.0.0.1", port, strictPort: true },
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    async close() {
      await server.close();
      rmSync(outDir, { recursive: true, force: true });
    },
  };
}
