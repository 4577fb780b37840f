/** A guard taken out of the sources, and the tests that must notice. */
export interface Mutant {
  /** Belongs to the core, which is taken out when no option asks for more. */
  core?: true;
  /** What is broken then, as a sentence. */
  breaks: string;
  file: `src/${string}.ts`;
  /** Code that stands in the file once; the layout does not matter. */
  find: string;
  replace: string;
  /** Parts of paths below test/, of which one test must go red. */
  tests: string[];
}
