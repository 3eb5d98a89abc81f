/** Ctrl-C as an AbortSignal. @module */

/**
 * Makes a signal for `fit` that the first Ctrl-C (or SIGTERM) sets: training stops after the steps under way and keeps
 * a checkpoint. The second one ends the process as usual.
 *
 * @example
 * await trainer.fit(train, { signal: stopOnSignal() })
 */
export function stopOnSignal(signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): AbortSignal {
  const controller = new AbortController()
  for (const signal of signals) process.once(signal, () => controller.abort(new Error(`received ${signal}`)))
  return controller.signal
}
