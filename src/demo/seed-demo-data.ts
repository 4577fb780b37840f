import { DEVELOPMENT_ISSUER, developmentSubject } from "../auth/development-key.js";
import type { Photo } from "../services/photos/photos.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";
import type { User, Users } from "../services/users/users.js";

export interface SeedDeps {
  users: Users;
  queuedJobs: QueuedJobs;
  takePhoto(user: User, filename: string): Promise<{ photo: Photo; created: boolean }>;
  isOffered(job: string): boolean;
}

const PEOPLE = ["ann", "bob", "you"];
const JOBS = ["thumbnail", "metadata", "placeholder"];

/**
 * Creates demo users, each with a photo and QueuedJobs; a second run changes nothing. Returns one
 * line per user.
 */
export async function seedDemoData({
  users,
  queuedJobs,
  takePhoto,
  isOffered,
}: SeedDeps): Promise<string[]> {
  const lines: string[] = [];
  for (const name of PEOPLE) {
    const email = `${name}@example.com`;
    const user = await users.signIn({
      issuer: DEVELOPMENT_ISSUER,
      subject: developmentSubject(email),
      email,
      emailVerified: true,
      name,
      picture: null,
      issuedAt: 0,
      admin: false,
    });
    const { photo } = await takePhoto(user, `${name}.jpg`);
    const all = [
      ...JOBS.map((job) => ({
        job,
        parameters: {},
        photoIds: [photo.id],
        priority: 0,
        runAt: null,
        fresh: false,
        idempotencyKey: `seed-${job}`,
      })),
      {
        job: "echo",
        parameters: { message: `Hello, ${name}`, durationMs: 2000, steps: 8 },
        photoIds: [],
        priority: 0,
        runAt: null,
        fresh: false,
        idempotencyKey: "seed-echo",
      },
    ];
    const submissions = all.filter(({ job }) => isOffered(job));
    const created = await queuedJobs.enqueue(user.id, {
      submissions,
      requestId: "seed",
      single: false,
    });
    lines.push(
      `${email}: photo ${photo.id}, ${created.length} QueuedJobs (npm run token -- --email ` +
        `${email} signs in)`,
    );
  }
  return lines;
}
