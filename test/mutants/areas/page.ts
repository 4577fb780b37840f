import type { Mutant } from "../mutant.js";

/** The page at /, and the operators' pages. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "every open page hammers a service that restarts",
    file: "src/console/feed/plug.ts",
    find: "out?.promise ?? pause(",
    replace: "out === null ? Promise.resolve() : pause(",
    tests: ["console/feed/plug.test"],
  },
  {
    breaks: "a click on a photo does nothing",
    file: "src/console/photos/photo-library.ts",
    find: "chosen.value.includes(id) ? chosen.value.filter",
    replace: "!chosen.value.includes(id) ? chosen.value.filter",
    tests: ["console/photos/photo-library.test"],
  },
  {
    breaks: "the operators' links mark the wrong place",
    file: "src/server/admin/page.ts",
    find: "name === page.place",
    replace: "name !== page.place",
    tests: ["admin/job-pages.test"],
  },
];
