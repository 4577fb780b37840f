import type { Mutant } from "../mutant.js";

const GUARD = ["server/admin-guard.test"];
const PAGES = ["server/admin/register-admin.test", "security/admin.test"];

/** The operators' pages. */
export const MUTANTS: Mutant[] = [
  { breaks: "any password opens the operators' pages", file: "src/server/admin-guard.ts", find: "if (timingSafeEqual(digest(`${user}:${given}`), right)) return;", replace: "if (timingSafeEqual(right, right)) return;", tests: GUARD },
  { breaks: "the operators' pages are there without a password", file: "src/server/admin-guard.ts", find: 'if (password === null) return void scope.addHook("onRequest", async (_request, reply) => reply.callNotFound());', replace: "if (password === null) return;", tests: GUARD },
  { breaks: "passwords may be guessed as often as one likes", file: "src/server/admin-guard.ts", find: "if ((wrong.get(address) ?? 0) < WRONG_A_MINUTE) return;", replace: "return;", tests: GUARD },
  { breaks: "/metrics is for everybody", file: "src/server/metrics-route.ts", find: "await protect(scope);", replace: "void protect;", tests: ["server/metrics-route.test"] },
  { breaks: "another site's page may act in the operator's name", file: "src/server/admin/register-admin.ts", find: 'scope.addHook("onRequest", refuseOtherOrigins);', replace: "void refuseOtherOrigins;", tests: PAGES },
  { breaks: "a page of the same site, but another origin, may act", file: "src/server/admin/same-origin.ts", find: 'return site === "same-origin";', replace: 'return site === "same-origin" || site === "same-site";', tests: PAGES },
  { breaks: "the operators' pages can be framed", file: "src/server/admin/register-admin.ts", find: "frame-ancestors 'none'; ", replace: "", tests: PAGES },
  { breaks: "what people wrote is markup on the operators' pages", file: "src/server/admin/html.ts", find: "return String(value).replace(/[&<>\"']/g, (character) => ENTITIES[character] ?? \"\");", replace: "return (void ENTITIES, String(value));", tests: ["server/admin/html.test", "security/admin.test"] },
  { breaks: "a cell of CSV is a formula", file: "src/server/admin/csv.ts", find: "isFormula ? `'${value}` : value", replace: "(void isFormula, value)", tests: ["server/admin/csv.test", "security/admin.test"] },
  { breaks: "NUL in a search is an error of ours", file: "src/server/admin/job-pages.ts", find: '.replaceAll("\\0", "")', replace: "", tests: PAGES },
  { breaks: "the queue dashboard acts", file: "src/server/admin/queue-board.ts", find: 'if (!options.actions && request.method !== "GET" && request.method !== "HEAD")', replace: "if (false)", tests: ["server/admin/queue-board.test", "security/admin.test"] },
];
