/** A guard that is removed from the sources, and the tests that must detect it. */
export interface Mutant {
  /** True if a promise of the service depends on it; runs without options remove only these. */
  core?: true;
  /** The resulting fault, as a sentence. */
  breaks: string;
  file: `src/${string}.ts` | `client/src/${string}.ts`;
  /** Code that occurs exactly once in the file, in any layout. */
  find: string;
  replace: string;
  /** Parts of paths below test/; one of these tests must fail. */
  tests: string[];
}
