/** Runs in an MLflow tracking server. @module */

import { ConfigError, TransportError, withDefaults } from '../../core/index.js'
import type { Callback } from '../callback.js'
import { type TrackerOptions, tracked } from './tracked.js'

/** Where and as what a training is tracked. */
export interface MlflowOptions extends TrackerOptions {
  /** Address of the server, such as `http://localhost:5000`. */
  url: string | URL
  /** Name of the experiment, made where there is none. @default 'dcml' */
  experiment?: string
  /** Name of the run. @default the server's choice */
  run?: string
  /** Parameters to show beside it, such as those of a trial. */
  params?: Readonly<Record<string, unknown>>
  /** Sent as `Authorization: Bearer`. */
  token?: string
  /**
   * What happens when the server cannot be reached: the training goes on with a warning, once, or it ends.
   * @default 'warn'
   */
  onError?: 'warn' | 'throw'
}

/** MLflow takes no more at once. */
const MOST_PARAMS = 100
const TIMEOUT_MS = 10_000

/**
 * Makes a run, logs each epoch, and ends the run as finished, killed (after a stop) or failed.
 *
 * @see https://mlflow.org/docs/latest/rest-api.html
 * @example
 * new Trainer({ ..., callbacks: [mlflow({ url: 'http://localhost:5000', params: trial.params })] })
 */
export function mlflow(options: MlflowOptions): Callback {
  const { experiment, run, params, onError, token, everySteps } = withDefaults('mlflow', options, {
    url: undefined,
    experiment: 'dcml',
    run: undefined,
    params: {},
    token: undefined,
    onError: 'warn',
    everySteps: undefined,
  })
  if (!URL.canParse(options.url))
    throw new ConfigError('The address of the MLflow server is none.', {
      expected: "such as 'http://localhost:5000'",
      received: options.url,
    })
  const call = caller(new URL(options.url), token)
  let runId: string | undefined
  let warned = false
  const guarded = async (work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      if (onError === 'throw') throw error
      if (!warned) console.warn(`dcml: ${(error as Error).message} The training goes on without it.`)
      warned = true
    }
  }
  const end = (status: 'FINISHED' | 'KILLED' | 'FAILED') =>
    guarded(async () => {
      if (runId === undefined) return
      await call('runs/update', { run_id: runId, status, end_time: Date.now() })
      runId = undefined
    })
  return tracked(
    'mlflow',
    { everySteps },
    {
      onFitStart: () =>
        guarded(async () => {
          const made = await call<{ run: { info: { run_id: string } } }>('runs/create', {
            experiment_id: await experimentId(call, experiment),
            start_time: Date.now(),
            ...(run === undefined ? {} : { run_name: run }),
          })
          runId = made.run.info.run_id
          const list = Object.entries(params).map(([key, value]) => ({ key, value: textOf(value) }))
          for (let from = 0; from < list.length; from += MOST_PARAMS)
            await call('runs/log-batch', { run_id: runId, params: list.slice(from, from + MOST_PARAMS) })
        }),
      write: ({ kind, step, values }) =>
        guarded(async () => {
          // Nothing to add to after a start that failed.
          if (runId === undefined) return
          const prefix = kind === 'step' ? 'step/' : ''
          const timestamp = Date.now()
          const metrics = Object.entries(values).map(([key, value]) => ({ key: prefix + key, value, timestamp, step }))
          await call('runs/log-batch', { run_id: runId, metrics })
        }),
      onFitEnd: ({ history }) => end(history.stopReason === 'aborted' ? 'KILLED' : 'FINISHED'),
      onException: () => end('FAILED'),
    },
  )
}

type Call = <Answer>(method: string, body: object) => Promise<Answer>

async function experimentId(call: Call, name: string): Promise<string> {
  const filter = `name = '${name.replaceAll("'", "\\'")}'`
  const { experiments = [] } = await call<{ experiments?: { experiment_id: string }[] }>('experiments/search', {
    filter,
    max_results: 1,
  })
  if (experiments[0]) return experiments[0].experiment_id
  return (await call<{ experiment_id: string }>('experiments/create', { name })).experiment_id
}

function caller(server: URL, token: string | undefined): Call {
  const base = server.href.replace(/\/$/, '')
  return async <Answer>(method: string, body: object) => {
    const address = `${base}/api/2.0/mlflow/${method}`
    let response: Response
    try {
      response = await fetch(address, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
    } catch (cause) {
      throw new TransportError(`The MLflow server at ${base} cannot be reached.`, {
        remedy: 'Start it with: mlflow server',
        cause,
      })
    }
    const text = await response.text()
    if (!response.ok)
      throw new TransportError(`The MLflow server refused ${method} with status ${response.status}.`, {
        received: text.slice(0, 300),
      })
    return JSON.parse(text) as Answer
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
