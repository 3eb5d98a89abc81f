/** The thread that started this one, the same in Node and in browsers; behind `#parent-thread`. @module */

/** The thread that started this one. */
export interface ParentThread {
  post(message: unknown): void
  onMessage(handler: (message: unknown) => void): void
}
