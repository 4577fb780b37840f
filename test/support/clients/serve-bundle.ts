import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, preview, type InlineConfig } from "vite";

/**
 * A page of an example's, bundled and served on an origin of its own, as somebody's frontend would
 * be.
 */
export interface ServedBundle {
  origin: string;
  close(): Promise<void>;
}

/** `port`: where, since the service has to be told of the origin before there is a page. */
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
