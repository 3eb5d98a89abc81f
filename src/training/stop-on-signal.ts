/** Ctrl-C as an AbortSignal. @module */

/**
 * Makes a signal for `fit` that the first Ctrl-C (or SIGTERM) sets: training stops after the steps under way and keeps
 * a checkpoint. The second one, of either kind, ends the process as usual: where a group still waits for processes that
 * never come there are no steps to stop after, and a launcher asks with another signal than the user.
 *
 * @example
 * await trainer.fit(train, { signal: stopOnSignal() })
 */
export function stopOnSignal(signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): AbortSignal {
  const controller = new AbortController()
  const stop = (received: NodeJS.Signals) => {
    for (const signal of signals) process.off(signal, stop)
    controller.abort(new Error(`received ${received}`))
  }
  for (const signal of signals) process.on(signal, stop)
  return controller.signal
}
