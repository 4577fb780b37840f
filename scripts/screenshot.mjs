// Renews .github/page.webp, the picture in README.md: `npm start` in one terminal, then
// `node scripts/screenshot.mjs`. It uploads generated photos, submits Jobs in a real browser, and
// photographs the page. CHROMIUM names the browser where it is not /usr/bin/chromium.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { makeSamplePhoto } from "../dist/src/imaging/pixels/make-sample-photo.js";

const OUTPUT = fileURLToPath(new URL("../.github/page.webp", import.meta.url));
const WIDTH = 1280;
const HEIGHT = 800;

const status = execFileSync(process.execPath, ["dist/src/bin/status.js", "--json"], {
  encoding: "utf8",
});
/** The link of the running service that signs in. */
const link = JSON.parse(status).console;

const sample = await makeSamplePhoto();
const photos = await Promise.all(
  Object.entries({ evening: 0, morning: 70, night: 180 }).map(async ([name, hue]) => ({
    name: `${name}.jpg`,
    mimeType: "image/jpeg",
    buffer: await sharp(sample).autoOrient().resize(1600).modulate({ hue }).jpeg().toBuffer(),
  })),
);

const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const page = await browser.newPage({
  viewport: { width: WIDTH, height: HEIGHT },
  deviceScaleFactor: 1.5,
  colorScheme: "light",
});
await page.goto(link);
await page.setInputFiles("input[type=file]", photos);
for (const { name } of photos) await page.getByRole("button", { name, pressed: true }).waitFor();
for (const job of ["palette", "placeholder", "thumbnail"]) {
  await page.getByRole("combobox", { name: "Job", exact: true }).selectOption(job);
  await page.getByRole("button", { name: /^Submit for / }).click();
  await page.waitForTimeout(1500);
}
await page.locator(".outputs img").first().waitFor();
await page.mouse.move(150, 400);
await page.mouse.wheel(0, -HEIGHT);
await page.waitForTimeout(1500);
const picture = await page.screenshot();
await browser.close();
const { size } = await sharp(picture).resize(WIDTH).webp({ quality: 80 }).toFile(OUTPUT);
process.stdout.write(`.github/page.webp: ${Math.ceil(size / 1000)} kB\n`);
