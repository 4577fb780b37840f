// The examples for browsers, with the packed client. `npm run check -- examples` packs and installs
// it with their other packages first.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { buildSchema, parse, validate } from "graphql";
import type { Browser, Page } from "playwright-core";
import { freePort } from "../src/embedded/ports.js";
import { NOT_ALL } from "./support/clients/browser.js";
import { launchChromium, watchPage } from "./support/clients/chromium.js";
import { serveBundle } from "./support/clients/serve-bundle.js";
import { eventually } from "./support/runner/eventually.js";
import { inBatches } from "../src/runtime/concurrency.js";
import { makePng } from "./imaging/make-png.js";
import { noise } from "./imaging/noise.js";
import { smallPhoto } from "./support/service/small-photo.js";
import { startTestService } from "./support/service/test-service.js";
import { createTcpProxy } from "./support/stores/tcp-proxy.js";

const EXAMPLES = ["react", "urql", "vite"];
const WITH_CODEGEN = ["react", "urql"];
const NOT_INSTALLED =
  !existsSync("examples/node_modules") && "npm run check -- examples installs their packages";

const sourceOf = (example: string) => readFileSync(`examples/${example}/main.tsx`, "utf8");

describe("the operations of the examples", () => {
  it("fit the schema, and are the same for Apollo Client and urql", () => {
    const [react = "", urql = ""] = WITH_CODEGEN.map((example) =>
      [...sourceOf(example).matchAll(/graphql\(`([^`]+)`\)/g)].map(([, text]) => text).join("\n"),
    );
    const document = parse(react);
    assert.equal(document.definitions.length, 3);
    assert.deepEqual(
      validate(buildSchema(readFileSync("test/schema.graphql", "utf8")), document),
      [],
    );
    assert.equal(urql, react);
    const [first, second] = WITH_CODEGEN.map((example) =>
      readFileSync(`examples/${example}/codegen.yml`, "utf8"),
    );
    assert.equal(second, first);
  });
});

/** The output of a command, whether it succeeds or fails. */
function run(command: string, args: string[], cwd: string): Promise<string> {
  return new Promise((done) =>
    execFile(command, args, { cwd }, (error, stdout, stderr) =>
      done(`exit code ${error?.code ?? 0}: ${stdout}${stderr}`),
    ),
  );
}

/** Generates the types of an example that has two mistakes. */
async function generateWrong(t: TestContext, example: string): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), "photo-service-codegen-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, "examples", example);
  cpSync(join("examples", example), folder, { recursive: true });
  cpSync("test/schema.graphql", join(root, "test/schema.graphql"));
  symlinkSync(resolve("examples/node_modules"), join(root, "examples/node_modules"));
  const source = sourceOf(example).replace("variants {", "variant {").replace("widths:", "width:");
  writeFileSync(join(folder, "main.tsx"), source);
  return run(resolve("examples/node_modules/.bin/graphql-codegen"), [], folder);
}

/** Grey noise: its thumbnail of 2560 pixels takes longer than the first report of progress. */
function slowPhoto(): Buffer {
  const [width, height] = [2560, 1440];
  return makePng({ width, height, colorType: 0, samples: randomBytes(width * height) });
}

/** An example in a window of its own. */
interface OpenExample {
  name: string;
  page: Page;
  errors: string[];
  /** Frames received over each WebSocket. */
  sockets: string[][];
  /** Requested images of photos. */
  requested: Set<string>;
}

/** Bundles an example, serves it from the port and opens it. */
async function openExample(
  t: TestContext,
  browser: Browser,
  {
    name,
    port,
    api,
    token,
    ...options
  }: {
    name: string;
    port: number;
    api: string;
    token: string;
    viewport?: { width: number; height: number };
  },
): Promise<OpenExample> {
  const bundle = await serveBundle(port, {
    root: `examples/${name}`,
    define: {
      "import.meta.env.VITE_API": JSON.stringify(api),
      "import.meta.env.VITE_TOKEN": JSON.stringify(token),
    },
  });
  t.after(() => bundle.close());
  const page = await browser.newPage(options);
  const sockets: string[][] = [];
  page.on("websocket", (socket) => {
    const frames: string[] = [];
    sockets.push(frames);
    socket.on("framereceived", ({ payload }) => frames.push(String(payload)));
  });
  const requested = new Set<string>();
  page.on("request", (request) => {
    if (request.url().includes("/files/images/")) requested.add(request.url());
  });
  const { errors } = watchPage(page, api);
  await page.goto(bundle.origin);
  await page.evaluate(`
    window.fractions = [];
    const bar = document.querySelector("progress");
    new MutationObserver(() => fractions.push(bar.value)).observe(bar, { attributes: true });
  `);
  return { name, page, errors, sockets, requested };
}

describe("the examples for browsers", { skip: NOT_ALL || NOT_INSTALLED, timeout: 180_000 }, () => {
  before(async () => {
    assert.match(await run("npm", ["run", "check"], "examples"), /^exit code 0/);
  });

  it("do not compile with a misspelt result field and a wrong parameter", async (t) => {
    const outputs = await Promise.all(WITH_CODEGEN.map((example) => generateWrong(t, example)));
    for (const output of outputs) {
      assert.match(output, /^exit code 1/);
      assert.match(output, /Cannot query field "variant" on type "ThumbnailResult"/);
      assert.match(output, /Field "width" is not defined by type "ThumbnailParameters"/);
    }
  });

  it("upload a photo, show its progress and the picture across a cut, and cancel", async (t) => {
    const ports = await Promise.all(EXAMPLES.map(() => freePort()));
    const service = await startTestService({
      workers: 0,
      env: { ALLOWED_ORIGINS: ports.map((port) => `http://127.0.0.1:${port}`).join(",") },
    });
    const proxy = await createTcpProxy(service.url);
    const browser = await launchChromium();
    const folder = mkdtempSync(join(tmpdir(), "photo-service-slow-"));
    t.after(async () => {
      await Promise.all([browser.close(), proxy.close(), service.close()]);
      rmSync(folder, { recursive: true, force: true });
    });
    const slow = join(folder, "slow.png");
    writeFileSync(slow, slowPhoto());
    const api = new URL(proxy.url).origin;
    const opened = await Promise.all(
      EXAMPLES.map(async (name, i) => {
        const { token } = await service.person();
        return openExample(t, browser, { name, port: ports[i] ?? 0, api, token });
      }),
    );
    const each = (step: (example: OpenExample) => Promise<unknown>) =>
      Promise.all(opened.map(step));

    await each(async ({ page, sockets, name }) => {
      await page.setInputFiles("input", slow);
      await page.getByText("PENDING").waitFor();
      await page.locator("img[src^='data:image/png']").waitFor();
      await eventually(`an event has reached ${name}`, () =>
        sockets.some((frames) => frames.some((frame) => frame.includes('"next"'))),
      );
    });
    proxy.cut();
    const worker = await service.addWorker();
    await each(async ({ page, name, sockets }) => {
      await page.getByText("SUCCESS").waitFor();
      await page.locator("img[src*='/files/']").first().waitFor();
      assert.deepEqual(
        await page.evaluate(
          "document.images[0].decode().then(() => [document.images[0].naturalWidth, document.images[0].width])",
        ),
        [320, 320],
        name,
      );
      const fractions = await page.evaluate<number[]>("fractions");
      assert.deepEqual(
        fractions,
        fractions.toSorted((a, b) => a - b),
        name,
      );
      assert.ok(
        fractions.some((value) => value > 0.5 && value < 1),
        `${name}: ${fractions.join()}`,
      );
      assert.equal(fractions.at(-1), 1, name);
      assert.equal(sockets.length, 2, name);
    });

    await worker.close();
    await each(async ({ page, name, errors }) => {
      const buffer = smallPhoto();
      await page.setInputFiles("input", { name: "small.png", mimeType: "image/png", buffer });
      await page.getByText("PENDING").waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByText("CANCELLED").waitFor();
      assert.deepEqual(
        errors.filter((error) => !/WebSocket|ERR_(CONNECTION|EMPTY)/.test(error)),
        [],
        name,
      );
    });
  });

  it("show a hundred photos, each loaded when it comes into view, and keep an output", async (t) => {
    const port = await freePort();
    const service = await startTestService({
      env: { ALLOWED_ORIGINS: `http://127.0.0.1:${port}` },
    });
    const browser = await launchChromium();
    t.after(() => Promise.all([browser.close(), service.close()]));
    const person = await service.person();
    await inBatches(
      Array.from({ length: 100 }, (_, i) => i + 1),
      4,
      async (seed) => person.upload(await noise(300, 200, seed).jpeg().toBuffer()),
    );
    const { page, errors, requested } = await openExample(t, browser, {
      name: "vite",
      port,
      api: service.url,
      token: person.token,
      viewport: { width: 390, height: 700 },
    });
    const images = page.locator("section img");
    await eventually("all are on the page", async () => (await images.count()) === 100);
    const isLoaded = "(image) => image.complete && image.naturalWidth > 0";
    const loaded = () =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll("section img")].filter(${isLoaded})
          .map((image) => new URL(image.currentSrc).pathname.split("/").pop())`,
      );
    await eventually("the first are loaded", async () => (await loaded()).length >= 8);
    assert.ok(requested.size < 60, `${requested.size} are requested: also those far below`);
    for (let i = 0; i < 100; i += 4) await images.nth(i).scrollIntoViewIfNeeded();
    await images.last().scrollIntoViewIfNeeded();
    await eventually("all are loaded", async () => (await loaded()).length === 100);
    assert.deepEqual(new Set(await loaded()), new Set(["256.avif"]), "10rem, at one pixel each");
    const buffer = smallPhoto(400, 300);
    await page.setInputFiles("input", { name: "small.png", mimeType: "image/png", buffer });
    await page.getByRole("button", { name: "Keep" }).click();
    const kept = page.locator("section img[alt='320w.webp']");
    await kept.first().waitFor({ state: "attached" });
    assert.deepEqual(errors, []);
  });
});
