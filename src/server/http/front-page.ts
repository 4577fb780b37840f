import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

export interface FrontPageOptions {
  /** Path that `GET /` leads to; the web console is at `/`. */
  path?: string;
  /** Origins of images besides this host: the storage, and the public URL. */
  pictureOrigins: readonly string[];
  /** Folder of the bundle that `npm run build` creates from src/console/. */
  folder?: string;
}

const BUNDLE = fileURLToPath(new URL("../../../console/", import.meta.url));

/**
 * Registers the web console at `GET /`. It loads nothing from other hosts, except images, and other
 * pages cannot frame it.
 */
export async function registerFrontPage(
  app: FastifyInstance,
  { path = "/", pictureOrigins, folder = BUNDLE }: FrontPageOptions,
): Promise<void> {
  if (path !== "/") return void app.get("/", (_request, reply) => reply.redirect(path));
  const headers = headersOf(pictureOrigins);
  await app.register(async (scope) => {
    await scope.register(fastifyStatic, {
      root: folder,
      prefix: "/console/",
      index: false,
      preCompressed: true,
      cacheControl: false,
      setHeaders: (reply, file) => void reply.header("cache-control", cacheControlOf(file)),
    });
    scope.get("/", (_request, reply) => {
      void reply.headers(headers);
      return existsSync(`${folder}/index.html`)
        ? reply.sendFile("index.html")
        : reply
            .type("text/plain; charset=utf-8")
            .send("The page has not been built: run `npm run build`. The API is at /graphql.\n");
    });
  });
}

function headersOf(pictureOrigins: readonly string[]): Record<string, string> {
  const pictures = ["'self'", "data:", "blob:", ...pictureOrigins].join(" ");
  return {
    "content-security-policy":
      `default-src 'self'; img-src ${pictures}; object-src 'none'; base-uri 'none'; ` +
      "form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    // The token of a sign-in link is behind the #, which browsers never send. This protects the
    // rest of the URL.
    "referrer-policy": "no-referrer",
  };
}

/** Assets have a hash in their name, so they never change. */
function cacheControlOf(path: string): string {
  return path.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
}
