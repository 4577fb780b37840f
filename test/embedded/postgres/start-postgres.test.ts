import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import postgres from "postgres";
import { processesIn } from "../../../src/embedded/processes/processes-in.js";
import { startPostgres } from "../../../src/embedded/postgres/start-postgres.js";
import { eventually } from "../../support/runner/eventually.js";
import { createScene, isAlive, isRoot, killHard, moduleUrl, query, uidOf } from "../scene.js";

const scene = createScene();
const dataDir = join(scene.folder, "postgres");
const data = join(dataDir, "data");
const busyIsSeen =
  "select 1 from pg_stat_activity where query like '%generate_series(1%' and pid <> " +
  "pg_backend_pid()";
const start = async (durable = false) =>
  scene.use(await startPostgres({ dataDir, log: scene.log, durable }));
after(() => scene.clear());

/** Another process that starts PostgreSQL in the same folder and stays. */
function launcher() {
  return scene.launch<{ url: string; pid: number }>(`
    import { startPostgres } from ${JSON.stringify(moduleUrl("embedded/postgres/start-postgres"))};
    import { createLoggerTo } from ${JSON.stringify(moduleUrl("runtime/logger"))};
    const log = createLoggerTo({ write() {} });
    const dataDir = ${JSON.stringify(dataDir)};
    const { url, pid } = await startPostgres({ dataDir, log, durable: false });
    process.on("SIGINT", () => console.log("interrupted"));
    console.log(JSON.stringify({ url, pid }));
    setInterval(() => {}, 60_000);
  `);
}

/**
 * Backends of a killed postmaster notice at once when they wait, so this one is given work to do.
 */
function keepBackendBusy(url: string) {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const ended = sql`select count(*) from generate_series(1, 10000000000)`.catch(() => "ended");
  // Without time: a client that lost its connection in mid-query never ends by itself.
  return { close: () => ended.then(() => sql.end({ timeout: 0 })) };
}

test("the first start makes the database photos: UTF8, UTC, on 127.0.0.1 alone, and safe", async () => {
  const server = await start(true);
  const names = [
    "server_encoding",
    "TimeZone",
    "listen_addresses",
    "unix_socket_directories",
    "max_connections",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
  ];
  const rows = await query(
    server.url,
    "select name, setting from pg_settings where name in " +
      `(${names.map((name) => `'${name}'`).join()})`,
  );
  assert.deepEqual(Object.fromEntries(rows.map((row) => [row["name"], row["setting"]])), {
    server_encoding: "UTF8",
    TimeZone: "UTC",
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "100",
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
  });
  assert.deepEqual(
    await query(server.url, "select current_database() as name, lower('ÄÖ') as lower"),
    [{ name: "photos", lower: "äö" }],
  );
  await query(server.url, "create table kept as select 1 as n");
  await server.close();
  assert.equal(isAlive(server.pid), false);
});

test(
  "the next start has the same data, URL and port; the password is in a file of mode 0600 " +
    "and must be right",
  async () => {
    const first = await start();
    await query(first.url, "insert into kept values (2)");
    await first.close();
    const server = await start();
    assert.equal(server.url, first.url);
    assert.deepEqual(await query(server.url, "select n from kept"), [{ n: 1 }, { n: 2 }]);
    assert.equal(statSync(join(dataDir, "password")).mode & 0o777, 0o600);
    const wrong = new URL(server.url);
    wrong.password = "wrong";
    await assert.rejects(query(wrong.href, "select 1"), { code: "28P01" });
    await server.close();
  },
);

test("durable: false gives safety up for speed", async () => {
  const server = await start(false);
  const rows = await query(
    server.url,
    "select setting from pg_settings where name in ('fsync', 'synchronous_commit', " +
      "'full_page_writes')",
  );
  assert.deepEqual(
    rows.map((row) => row["setting"]),
    ["off", "off", "off"],
  );
  await server.close();
});

test(
  "as root it runs as somebody else",
  { skip: !isRoot && "only root can become somebody else: run the suite as root" },
  async () => {
    const server = await start();
    assert.notEqual(uidOf(server.pid), 0);
    assert.equal(uidOf(server.pid), statSync(data).uid);
    await server.close();
  },
);

test("a Ctrl-C, which the terminal sends to our whole group, does not reach it", async () => {
  const { child, told } = await launcher();
  const heard = once(child.stdout!, "data");
  process.kill(-child.pid!, "SIGINT");
  await heard;
  assert.deepEqual(await query(told.url, "select 1 as n"), [{ n: 1 }]);
  await killHard(child.pid!);
  await killHard(told.pid);
});

test(
  "a start after its launcher was killed stops the PostgreSQL that was left running, and " +
    "has its data",
  async () => {
    const { child, told } = await launcher();
    await query(told.url, "insert into kept values (3)");
    await killHard(child.pid!);
    assert.equal(isAlive(told.pid), true);
    const server = await start();
    assert.equal(isAlive(told.pid), false);
    assert.equal(server.url, told.url);
    assert.deepEqual(await query(server.url, "select max(n) as n from kept"), [{ n: 3 }]);
    await server.close();
  },
);

test("a start after launcher and postmaster were killed ends the backends that still work", async () => {
  const { child, told } = await launcher();
  const busy = keepBackendBusy(told.url);
  await eventually(
    "the statement runs",
    async () => (await query(told.url, busyIsSeen)).length > 0,
  );
  await killHard(child.pid!);
  await killHard(told.pid);
  assert.notDeepEqual(processesIn(data, ["postgres"]), []);
  const server = await start();
  assert.deepEqual(await query(server.url, "select max(n) as n from kept"), [{ n: 3 }]);
  await busy.close();
  await server.close();
});

test("a postmaster.pid that names a zombie, or a stranger, stops nobody and nothing", async () => {
  const shell = scene.kill(
    spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  const [zombie] = (await once(createInterface(shell.stdout!), "line")) as [string];
  await eventually("it is a zombie", () =>
    / Z /.test(readFileSync(`/proc/${zombie}/stat`, "utf8")),
  );
  for (const pid of [zombie, shell.pid]) {
    writeFileSync(
      join(data, "postmaster.pid"),
      `${pid}\n${data}\n1700000000\n15001\n\n127.0.0.1\n  5242888         4\nready   \n`,
    );
    const server = await start();
    await query(server.url, "select 1");
    await server.close();
  }
  assert.equal(isAlive(shell.pid!), true);
});

test("one that dies while we run is started again with the same URL and data", async () => {
  const server = await start();
  const busy = keepBackendBusy(server.url);
  await eventually(
    "the statement runs",
    async () => (await query(server.url, busyIsSeen)).length > 0,
  );
  const first = server.pid;
  await killHard(first);
  assert.deepEqual(
    await eventually("it answers again", () => query(server.url, "select max(n) as n from kept")),
    [{ n: 3 }],
  );
  await eventually("it is another process", () => server.pid !== first);
  await busy.close();
  await server.close();
  assert.deepEqual(processesIn(data, ["postgres"]), []);
});

test("closing while it is being started again leaves nothing running", async () => {
  const server = await start();
  await killHard(server.pid);
  await server.close();
  assert.deepEqual(processesIn(data, ["postgres"]), []);
});

test("a port that is taken meanwhile is exchanged for a free one", async () => {
  const port = Number(readFileSync(join(dataDir, "port"), "utf8"));
  const other = createServer().listen(port, "127.0.0.1");
  await once(other, "listening");
  const server = await start();
  assert.notEqual(server.port, port);
  await query(server.url, "select 1");
  await server.close();
  other.close();
});

test(
  "a second start in the same folder is refused in one sentence, and harms the first in " +
    "nothing",
  async () => {
    const server = await start();
    await assert.rejects(start(), {
      name: "EmbeddedError",
      message:
        `PostgreSQL already runs in ${dataDir} for process ${process.pid}: stop that one ` +
        `first (kill ${process.pid}).`,
    });
    await query(server.url, "select 1");
    await server.close();
  },
);

test("a password that does not fit the data is told in one sentence, and nothing is left running", async () => {
  const password = readFileSync(join(dataDir, "password"), "utf8");
  writeFileSync(join(dataDir, "password"), "another");
  await assert.rejects(start(), {
    name: "EmbeddedError",
    message: new RegExp(
      "does not let us in \\(PostgresError: password authentication failed.*" +
        "put the right password into",
    ),
  });
  assert.deepEqual(processesIn(data, ["postgres"]), []);
  writeFileSync(join(dataDir, "password"), password);
});

test(
  "as root it works in a folder that only root may pass, and opens it to nobody",
  { skip: !isRoot && "only root can become somebody else: run the suite as root" },
  async () => {
    const closed = join(scene.folder, "closed");
    mkdirSync(closed);
    chmodSync(closed, 0o700);
    const server = scene.use(
      await startPostgres({ dataDir: join(closed, "postgres"), log: scene.log, durable: false }),
    );
    await query(server.url, "create table t as select 1 as n");
    await query(server.url, "checkpoint");
    const { pid } = server;
    await killHard(pid);
    assert.deepEqual(await eventually("it answers", () => query(server.url, "select n from t")), [
      { n: 1 },
    ]);
    assert.equal(statSync(closed).mode & 0o777, 0o700);
    await server.close();
  },
);

test("data of another version is refused in one sentence", async () => {
  writeFileSync(join(data, "PG_VERSION"), "17\n");
  await assert.rejects(start(), {
    name: "EmbeddedError",
    message:
      `The data in ${data} was written by PostgreSQL 17 and this one is 18: move that ` +
      "folder away to begin with empty data, or set DATABASE_URL to a PostgreSQL 17.",
  });
});
