/** The shape of a published conformance suite: a list of named cases that any test runner can run. @module */

/**
 * One case of a conformance suite.
 *
 * @example
 * for (const { name, run } of testStore({ create: () => memory() })) it(name, run)
 */
export interface ConformanceCase {
  /** What holds, as a sentence. */
  readonly name: string
  /** Resolves when it holds, rejects when it does not. Every call works on a fresh subject. */
  run(): Promise<void>
}
