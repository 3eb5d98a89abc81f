/** Chooses the engine of a replica. @module */

import { type BlasAssist, canRecord } from '../backends/index.js'
import { ConfigError } from '../core/index.js'
import { AssistedEngine } from './assisted-engine.js'
import { CapturedEngine } from './captured-engine.js'
import { EagerEngine } from './eager-engine.js'
import type { Engine, EngineChoice } from './engine.js'

/**
 * The engine for a choice: 'auto' captures where the backend can record.
 *
 * @param assist - A native library for its large matrix products.
 * @throws {ConfigError} for an unknown choice, and for 'captured' where it cannot work.
 */
export function createEngine(choice: 'captured'): CapturedEngine
export function createEngine(choice: EngineChoice, assist?: BlasAssist): Engine
export function createEngine(choice: EngineChoice, assist?: BlasAssist): Engine {
  const engine = engineOf(choice)
  return assist ? new AssistedEngine(engine, assist) : engine
}

function engineOf(choice: EngineChoice): Engine {
  switch (choice) {
    case 'eager':
      return new EagerEngine()
    case 'auto':
      return canRecord()
        ? new CapturedEngine()
        : new EagerEngine('Steps are captured on the backends wasm and cuda alone.')
    case 'captured':
      if (canRecord()) return new CapturedEngine()
      throw new ConfigError('Steps are captured on the backends wasm and cuda alone.', {
        expected: "engine 'auto' or 'eager', or one of these backends",
        remedy: "Call selectBackend({ prefer: ['wasm'] }) first",
      })
    default:
      throw new ConfigError('There is no such engine.', {
        expected: "'auto', 'captured' or 'eager'",
        received: choice,
      })
  }
}
