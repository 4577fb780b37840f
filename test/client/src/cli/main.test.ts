import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../../../support/runner/eventually.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const MAIN = fileURLToPath(new URL("../../../../client/src/cli/main.js", import.meta.url));

describe("the command photo-service", () => {
  let service: TestService;
  let folder: string;
  let env: Record<string, string>;
  before(async () => {
    service = await startTestService();
    folder = mkdtempSync(join(tmpdir(), "photo-service-cli-"));
    env = { PHOTO_SERVICE_URL: service.url, PHOTO_SERVICE_TOKEN: await service.token() };
    for (const name of ["a.png", "b.png"]) writeFileSync(join(folder, name), smallPhoto(40, 30));
    mkdirSync(join(folder, "more"));
    writeFileSync(join(folder, "more/a.png"), smallPhoto(40, 30));
    writeFileSync(join(folder, "text.jpg"), "not a photo");
  });
  after(async () => {
    await service?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(args: string[], variables: Record<string, string> = env) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    const ended = once(child, "close").then(([code]) => ({ code: code as number, ...output }));
    return { child, output, ended };
  }
  const run = (command: string, ...more: string[]) => start([...command.split(" "), ...more]).ended;

  it("runs a Job on several photos, and saves the files under different names", async () => {
    const { code, stdout, stderr } = await run(
      "run thumbnail a.png b.png more/a.png --width 16 --format=png -o out",
    );
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^✓ b\.png\n {2}out\/b-16w\.png$/m);
    assert.deepEqual(readdirSync(join(folder, "out")).toSorted(), [
      "a-16w-2.png",
      "a-16w.png",
      "b-16w.png",
    ]);
    assert.equal(readFileSync(join(folder, "out/b-16w.png")).subarray(1, 4).toString(), "PNG");
  });

  it("prints each failure with its reason and exits with 1", async () => {
    const { code, stdout, stderr } = await run("run", "palette", "a.png", "text.jpg", "none.jpg");
    assert.equal(code, 1);
    assert.match(stdout, /^✓ a\.png\n {2}\{"dominant"/m);
    assert.match(stderr, /^✗ none\.jpg {2}The file cannot be read \(ENOENT\)\.$/m);
    assert.match(stderr, /^✗ text\.jpg {2}This is .*text/m);
    assert.match(stderr, /\n2 of 3 failed\.\n$/);
    const failed = await run("run", "echo", "--fail-permanently", "--json");
    assert.equal(failed.code, 1);
    const { error, queuedJob } = JSON.parse(failed.stdout) as {
      error: string;
      queuedJob: { status: string };
    };
    assert.match(error, /^TASK_FAILED: /);
    assert.equal(queuedJob.status, "FAILED");
  });

  it("reads flags by the schema of the Job, and describes them", async () => {
    const { stdout } = await run("run", "thumbnail", "--help");
    assert.match(stdout, /^ {2}--width <number,…> +Widths in pixels/m);
    assert.match(stdout, /^ {2}--format <jpeg\|.*> /m);
    for (const [args, reason] of [
      [["thumbnial", "a.png"], /There is not a Job "thumbnial"\. The Jobs are: .*thumbnail/],
      [["thumbnail", "a.png", "--size", "3"], /Unknown option '--size'/],
      [["thumbnail", "a.png", "--width", "big"], /--width must be a number; got "big"/],
      [["thumbnail", "a.png", "--width", "1"], /parameters\.widths\.0: /],
      [["thumbnail"], /takes 1 photo; got 0/],
      [["echo", "--parameters", "[]"], /--parameters must be a JSON object/],
    ] as const) {
      const { code, stderr } = await run("run", ...args);
      assert.match(stderr, reason);
      assert.equal(code, 1, args.join(" "));
    }
    const echo = await run(
      "run echo --no-fail-permanently --json",
      '--message={"a":1}',
      '--parameters={"steps":1}',
    );
    const { queuedJob } = JSON.parse(echo.stdout) as {
      queuedJob: { parameters: Record<string, unknown> };
    };
    const { message, steps, failPermanently } = queuedJob.parameters;
    assert.deepEqual([message, steps, failPermanently], [{ a: 1 }, 1, false]);
  });

  it("runs steps on several photos as one group, and saves what the last step made", async () => {
    const steps = ["--step", "scrub", "--step", 'thumbnail {"widths":[16],"format":"png"}'];
    const each = await run("group a.png b.png -o steps", ...steps);
    assert.deepEqual([each.code, each.stderr], [0, ""]);
    assert.match(each.stdout, /^4 of 4 succeeded\n {2}steps\/a-16w\.png\n {2}steps\/b-16w\.png\n$/);
    const joined = await run("group a.png b.png --json", ...steps, "--step", "archive");
    const { status, jobs } = JSON.parse(joined.stdout) as {
      status: string;
      jobs: Record<string, { result: { files?: number } }>;
    };
    assert.deepEqual([joined.code, status, jobs["archive"]?.result.files], [0, "SUCCESS", 2]);
    const failing = await run("group", "--step", 'scrub {"keepIcc":3}', "a.png");
    assert.equal(failing.code, 1);
    assert.match(failing.stderr, /jobs\.0\.parameters\.keepIcc/);
    assert.match((await run("group", "a.png")).stderr, /^Which photos, and which steps\?/);
  });

  it("uploads, lists and watches", async () => {
    const { stdout } = await run("upload", "a.png", "--json");
    assert.equal((JSON.parse(stdout) as { width: number }).width, 40);
    const jobs = await run("jobs", "--status", "failed", "--json");
    const [failed] = JSON.parse(jobs.stdout) as { id: string; status: string }[];
    assert.equal(failed?.status, "FAILED");
    const watched = await run("watch", String(failed?.id));
    assert.equal(watched.code, 1);
    assert.match(watched.stdout, /FAILED/);
    assert.match(watched.stderr, /TASK_FAILED/);

    const all = start(["watch", "--json"]);
    await eventually("the events of another command arrive", async () => {
      await run("run", "echo");
      return /"type":"SUCCEEDED"/.test(all.output.stdout);
    });
    all.child.kill("SIGINT");
    assert.equal((await all.ended).code, 0);
  });

  it("finds the local service, and sends its token to no other", async () => {
    const { PHOTO_SERVICE_URL: url = "", PHOTO_SERVICE_TOKEN: token = "" } = env;
    mkdirSync(join(folder, ".data"));
    writeFileSync(join(folder, ".data/service.json"), JSON.stringify({ url, token }));
    assert.equal((await start(["token"], {}).ended).stdout, `${token}\n`);
    const other = await start(["jobs", "--url", "http://127.0.0.1:9"], {}).ended;
    assert.equal(other.code, 1);
    assert.match(other.stderr, /A token for http:\/\/127\.0\.0\.1:9 is missing/);
    const refused = await start(["token", "--token", "nonsense"], {}).ended;
    assert.equal(refused.code, 1);
    rmSync(join(folder, ".data"), { recursive: true });
    assert.match((await start(["jobs"], {}).ended).stderr, /^Which service\?/);
  });

  it("cancels what it has submitted after Ctrl-C, when asked to", async () => {
    for (const flags of [[], ["--cancel-on-interrupt"]]) {
      const message = `interrupted ${flags.length}`;
      const command = "run echo --duration-ms 60000 --message".split(" ");
      const { child, ended } = start([...command, message, ...flags]);
      const statusOf = async () => {
        const [row] = await service.database.sql<{ status: string }[]>`
          select status from queued_jobs where parameters ->> 'message' = ${message}`;
        return row?.status;
      };
      await eventually("it runs", async () => (await statusOf()) === "STARTED");
      child.kill("SIGINT");
      const { code, stderr } = await ended;
      assert.equal(code, 130);
      assert.match(stderr, flags.length > 0 ? /1 of 1 submitted jobs were cancelled/ : /go on/);
      assert.equal(await statusOf(), flags.length > 0 ? "CANCELLED" : "STARTED");
    }
  });
});
