import { eq } from "drizzle-orm";
import { importSPKI, jwtVerify } from "jose";
import { database } from "./stores.js";
import { users, type User } from "./tables.js";

const key = await importSPKI(process.env["JWT_PUBLIC_KEY"] ?? "", "RS256");

/** Returns the user of a token, and inserts new users. */
export async function authenticate(authorization: unknown): Promise<User> {
  if (typeof authorization !== "string" || !authorization.startsWith("Bearer "))
    throw new Error("The token is missing");
  const { payload } = await jwtVerify(authorization.slice(7), key, {
    issuer: process.env["JWT_ISSUER"] ?? "",
    audience: process.env["JWT_AUDIENCE"] ?? "",
    algorithms: ["RS256"],
  });
  const subject = payload.sub ?? "";
  const [existing] = await database.select().from(users).where(eq(users.subject, subject)).limit(1);
  if (existing) return existing;
  const claims = { email: String(payload["email"]), name: String(payload["name"]) };
  const [inserted] = await database
    .insert(users)
    .values({ subject, ...claims })
    .onConflictDoUpdate({ target: users.subject, set: claims })
    .returning();
  if (!inserted) throw new Error("No user was inserted");
  return inserted;
}
