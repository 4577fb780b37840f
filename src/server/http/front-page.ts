import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

export interface FrontPageOptions {
  /** Where pictures come from besides this host: the storage's own address, and the public one. */
  pictureOrigins: readonly string[];
  /** Where the bundle is; what `npm run build` makes of src/console/. */
  folder?: string;
}

const BUNDLE = fileURLToPath(new URL("../../../console/", import.meta.url));

/**
 * `GET /`: a page that shows the service at work. It loads nothing from outside, and nothing may be
 * loaded into it.
 */
export async function registerFrontPage(
  app: FastifyInstance,
  { pictureOrigins, folder = BUNDLE }: FrontPageOptions,
): Promise<void> {
  const headers = headersOf(pictureOrigins);
  await app.register(async (scope) => {
    await scope.register(fastifyStatic, {
      root: folder,
      prefix: "/console/",
      index: false,
      cacheControl: false,
      setHeaders: (reply, path) => void reply.header("cache-control", cacheControlOf(path)),
    });
    scope.get("/", (_request, reply) => {
      void reply.headers(headers);
      return existsSync(`${folder}/index.html`)
        ? reply.sendFile("index.html")
        : reply
            .type("text/plain; charset=utf-8")
            .send("The page has not been built: npm run build makes it. The API is at /graphql.\n");
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
    // The token of a sign-in link stands behind the #, which is never sent; this is for whatever
    // comes to stand before it.
    "referrer-policy": "no-referrer",
  };
}

/** What has its hash in its name never changes. */
function cacheControlOf(path: string): string {
  return path.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
}
