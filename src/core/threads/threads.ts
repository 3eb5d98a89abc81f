/** Threads, the same in Node and in browsers. Each runtime has its own file behind `#threads`. @module */

/** A thread that this one started. */
export interface Thread {
  post(message: unknown): void
  onMessage(handler: (message: unknown) => void): void
  /** Called once, when the thread ends by itself or by an uncaught error; not after `terminate`. */
  onExit(handler: (cause: unknown) => void): void
  terminate(): Promise<void>
}
