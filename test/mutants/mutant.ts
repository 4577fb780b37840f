/** A guard taken out of the sources, and the tests that must notice. */
export interface Mutant {
  /** A promise of the service rests on it: what plain `npm run mutants` takes out. */
  core?: true;
  /** What is broken then, as a sentence. */
  breaks: string;
  file: `src/${string}.ts`;
  /** Text of the file that stands there once, exactly. */
  find: string;
  replace: string;
  /** Parts of paths below test/, of which one test must go red. */
  tests: string[];
}
