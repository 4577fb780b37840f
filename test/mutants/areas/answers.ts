import type { Mutant } from "../mutant.js";

/** What every answer tells, and what it does not; HTTP itself. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a variable in a literal is null once its operation is compiled",
    file: "src/server/graphql/operation-compiler.ts",
    find: "|| hasVariableInLiteral(document)",
    replace: "",
    tests: ["operation-compiler.test"],
  },
];
