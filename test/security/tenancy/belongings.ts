import type { Sql } from "postgres";
import type { TestClient } from "../../support/clients/test-client.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import type { TestService } from "../../support/service/test-service.js";

/** All kinds of data that a user can have, with unique texts. */
export interface Belongings {
  client: TestClient;
  ids: {
    user: string;
    photo: string;
    finished: string;
    failed: string;
    waiting: string;
    group: string;
  };
  /** A cursor of each kind. */
  cursors: {
    start: string;
    events: string;
    queuedJobs: string;
    photos: string;
    jobs: string;
    jobGroups: string;
    members: string;
  };
  idempotencyKey: string;
  /** Texts that no other user may read. */
  secrets: string[];
}

const ENQUEUE_GROUP = `mutation ($name: String, $at: DateTime, $idempotencyKey: String) {
  enqueueGroup(input: { name: $name, idempotencyKey: $idempotencyKey,
    jobs: [{ key: "a", job: "echo", runAt: $at }] }) { id queuedJobs { pageInfo { endCursor } } } }`;

/** Creates data of each kind for a new user; needs a running worker. */
export async function createBelongings(service: TestService, name: string): Promise<Belongings> {
  const client = await service.person({
    name: `secret-name-${name}`,
    picture: `https://secret-picture-${name}.test/a.png`,
  });
  const idempotencyKey = `key-of-${name}`;
  const start = await client.get("{ photos(first: 1) { eventCursor } }");
  const photo = String(
    (await client.upload(smallPhoto(), { type: "image/png", filename: `secret-file-${name}.png` }))
      .json["id"],
  );
  await service.database.sql`update photos set latitude = 1, longitude = 2 where id = ${photo}`;
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const [thumbnail, failing, waiting] = await Promise.all([
    client.enqueue("thumbnail", { widths: [16] }, { photoIds: [photo] }),
    client.enqueue("echo", { failPermanently: true, message: `secret-message-${name}` }),
    client.enqueue("echo", { message: `secret-plan-${name}` }, { idempotencyKey, runAt: at }),
  ]);
  const [finished, failed] = await Promise.all([
    client.finished(thumbnail.id, 30_000),
    client.finished(failing.id),
  ]);
  const ofGroup = { name: `secret-group-${name}`, at, idempotencyKey };
  const group = (await client.get(ENQUEUE_GROUP, ofGroup)).enqueueGroup;
  const { me, jobGroups, photos, jobs, queuedJobs } = await client.get(
    "{ me { id email } jobGroups { pageInfo { endCursor } } photos { pageInfo { endCursor } " +
      "nodes { sha256 } } jobs(first: 1) { pageInfo { endCursor } } " +
      "queuedJobs(first: 1) { eventCursor pageInfo { endCursor } } }",
  );
  const ids = {
    user: me.id,
    photo,
    finished: finished.id,
    failed: failed.id,
    waiting: waiting.id,
    group: group.id,
  };
  return {
    client,
    ids,
    cursors: {
      start: start.photos.eventCursor,
      events: queuedJobs.eventCursor,
      queuedJobs: queuedJobs.pageInfo.endCursor,
      photos: photos.pageInfo.endCursor,
      jobs: jobs.pageInfo.endCursor,
      jobGroups: jobGroups.pageInfo.endCursor,
      members: group.queuedJobs.pageInfo.endCursor,
    },
    idempotencyKey,
    secrets: [
      ...Object.values(ids),
      me.email,
      ...["name", "picture", "file", "message", "plan", "group"].map(
        (kind) => `secret-${kind}-${name}`,
      ),
      photos.nodes[0].sha256,
    ],
  };
}

/** All rows of the user. */
export async function rowsOf(sql: Sql, { ids }: Belongings): Promise<unknown> {
  return Promise.all([
    sql`select * from users where id = ${ids.user}`,
    sql`select * from user_streams where user_id = ${ids.user}`,
    sql`select * from photos where user_id = ${ids.user} order by id`,
    sql`select * from queued_jobs where user_id = ${ids.user} order by id`,
    sql`select * from job_groups where user_id = ${ids.user}`,
    sql`select user_id, seq, type from queued_job_events where user_id = ${ids.user}
      order by seq`,
    sql`select user_id, seq, type from photo_events where user_id = ${ids.user} order by seq`,
  ]);
}
