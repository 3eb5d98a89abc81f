/** Metrics for OpenTelemetry. @module */

import { ConfigError, withDefaults } from '../../core/index.js'
import type { Callback } from '../callback.js'
import { type TrackerOptions, tracked } from './tracked.js'

/** What is used of a meter of OpenTelemetry. */
export interface TelemetryMeter {
  /** Makes a value that is replaced by each record. */
  createGauge(
    name: string,
    options?: { description?: string },
  ): {
    /** Sets the value of some attributes. */
    record(value: number, attributes?: Record<string, string | number | boolean>): void
  }
}

/** What is told to whom. */
export interface OpenTelemetryOptions extends TrackerOptions {
  /** @default that of the global provider, named 'dcml' */
  meter?: TelemetryMeter
  /** Added to every value, such as the name of the run. */
  attributes?: Readonly<Record<string, string | number | boolean>>
  /** Beginning of the names. @default 'dcml.training.' */
  prefix?: string
}

// A name in a variable keeps the package out of the build.
const PACKAGE = '@opentelemetry/api'

/**
 * Records each value of an epoch as a gauge of its name (`dcml.training.val_loss`), and those of single updates, when
 * asked for, below `step.`. A gauge has the value that came last; where it goes and how often
 * is up to the provider of the application.
 *
 * @throws {ConfigError} when training starts, if no meter is given and the package `@opentelemetry/api` is missing.
 * @example
 * new Trainer({ ..., callbacks: [openTelemetry({ attributes: { run: 'first' } })] })
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Callback {
  const { attributes, prefix, everySteps } = withDefaults('openTelemetry', options, {
    meter: undefined,
    attributes: {},
    prefix: 'dcml.training.',
    everySteps: undefined,
  })
  let meter: TelemetryMeter
  const gauges = new Map<string, ReturnType<TelemetryMeter['createGauge']>>()
  return tracked(
    'openTelemetry',
    { everySteps },
    {
      async onFitStart() {
        meter ??= options.meter ?? (await globalMeter())
      },
      async write({ kind, values }) {
        for (const [name, value] of Object.entries(values)) {
          const full = `${prefix}${kind === 'step' ? 'step.' : ''}${name}`
          const gauge = gauges.get(full) ?? meter.createGauge(full, { description: `${name} of each ${kind}` })
          gauges.set(full, gauge)
          gauge.record(value, { ...attributes })
        }
      },
    },
  )
}

async function globalMeter(): Promise<TelemetryMeter> {
  try {
    const { metrics } = (await import(/* @vite-ignore */ PACKAGE)) as {
      metrics: { getMeter(name: string): TelemetryMeter }
    }
    return metrics.getMeter('dcml')
  } catch (cause) {
    throw new ConfigError('openTelemetry needs the package @opentelemetry/api, or a meter.', {
      remedy: 'Install it: npm install @opentelemetry/api',
      cause,
    })
  }
}
